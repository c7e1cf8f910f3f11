"""The numbers that the networks of a scale are made of. Imports no torch."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

WIDEST = 128  # channels
SCALES_OF_A_WIDTH = 4  # after which the width doubles


@dataclass(frozen=True)
class Architecture:
    """Head, `layers` - 2 narrowing blocks, tail; every convolution takes (kernel - 1) / 2 px off.

    Attributes:
        channels: nfc of the scale, the width of the head.
        least: min_nfc of the scale, below which blocks do not narrow.
        layers: convolutions, head and tail included.
        kernel: side in px, odd.
        image_channels: of the picture and of the noise.
    """

    channels: int = 32
    least: int = 32
    layers: int = 5
    kernel: int = 3
    image_channels: int = 3

    def at_scale(self, scale: int) -> Architecture:
        """Widths of scale `scale`: doubled every four scales, at most 128."""
        times = 2 ** (scale // SCALES_OF_A_WIDTH)
        return replace(
            self,
            channels=min(self.channels * times, WIDEST),
            least=min(self.least * times, WIDEST),
        )

    @property
    def frame(self) -> int:
        """Pixels that a network takes off each side of what it gets (5 by default)."""
        return (self.kernel - 1) * self.layers // 2

    @property
    def smallest_image(self) -> int:
        """Shortest side in px that still leaves the discriminator one score (11 by default)."""
        return 2 * self.frame + 1

    @property
    def blocks(self) -> list[tuple[int, int]]:
        """(inputs, outputs) of the blocks between head and tail."""
        halves = [self.channels // 2**k for k in range(1, self.layers - 1)]
        return [(max(2 * half, self.least), max(half, self.least)) for half in halves]

    @property
    def is_consistent(self) -> bool:
        """Whether each block takes what the one before gives (odd widths halve badly)."""
        widths = [(0, self.channels), *self.blocks]
        return all(a[1] == b[0] for a, b in itertools.pairwise(widths))
