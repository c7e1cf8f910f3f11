"""Noise that is never stored whole: each block of it can be made again from a seed.

A large picture's noise is 256 bytes a pixel. A window of it is made of the blocks that it touches,
each from a stream of its own, so that it is the same whatever window asks for it and on whatever
device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from consingan.nn.noise import gaussian, sent, stream

BLOCK = 16  # px, the side of what one stream draws
Range = tuple[int, int]  # [a, b)
Box = tuple[Range, Range]  # rows, columns


@dataclass(frozen=True)
class NoiseField:
    """N(0, 1) numbers (1, channels, height, width) that `seed` decides on.

    Attributes:
        seed: of all blocks.
        channels, height, width: of the whole.
        device: where windows of it are wanted.
    """

    seed: int
    channels: int
    height: int
    width: int
    device: torch.device | str = "cpu"

    @classmethod
    def shaped(cls, seed: int, shape: Sequence[int], device: torch.device | str) -> NoiseField:
        """A field of `shape` (1, C, h, w)."""
        _, channels, height, width = shape
        return cls(seed, channels, height, width, device)

    @classmethod
    def of(cls, numbers: Tensor, device: torch.device | str = "cpu") -> NoiseField:
        """The field that `numbers` gave those of.

        Raises:
            RuntimeError: they are not four whole numbers, the last three above 0.
        """
        if numbers.shape != (4,) or numbers.dtype != torch.int64 or int(numbers[1:].min()) < 1:
            raise RuntimeError("the numbers of a field of noise are none")
        seed, channels, height, width = numbers.tolist()
        return cls(seed, channels, height, width, device)

    def numbers(self) -> Tensor:
        """What is kept of it: seed, channels, height, width, (4,) int64."""
        return torch.tensor([self.seed, self.channels, self.height, self.width])

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of the whole."""
        return 1, self.channels, self.height, self.width

    @property
    def dtype(self) -> torch.dtype:
        """Of what is drawn."""
        return torch.float32

    def to(self, device: torch.device | str) -> NoiseField:
        """The same for another device."""
        return replace(self, device=device)

    def window(self, box: Box) -> Tensor:
        """Rows and columns of it, (1, channels, rows, columns), channels-last."""
        (top, bottom), (left, right) = box
        made = torch.empty(1, bottom - top, right - left, self.channels)
        for row in range(top // BLOCK, -(-bottom // BLOCK)):
            for column in range(left // BLOCK, -(-right // BLOCK)):
                block = self._block(row, column)
                y, x = row * BLOCK, column * BLOCK
                a, b = max(top, y), min(bottom, y + BLOCK)
                c, d = max(left, x), min(right, x + BLOCK)
                made[:, a - top : b - top, c - left : d - left] = block[
                    :, a - y : b - y, c - x : d - x
                ]
        return sent(made.permute(0, 3, 1, 2), self.device)

    def whole(self) -> Tensor:
        """All of it, (1, channels, height, width)."""
        return self.window(((0, self.height), (0, self.width)))

    def _block(self, row: int, column: int) -> Tensor:
        """(1, BLOCK, BLOCK, channels)."""
        rng = stream(self.seed, row, column)
        return gaussian((1, self.channels, BLOCK, BLOCK), rng).permute(0, 2, 3, 1)


def whole(z: Tensor | NoiseField) -> Tensor:
    """All of a noise, stored or not, as one tensor."""
    return z.whole() if isinstance(z, NoiseField) else z
