"""Large pictures whose ends meet, made in strips.

The first row needs the last one, so that no strip can go on from what the one before left: each
is a window around the ring, computed anew from its noise (`windows.py`). That noise is made from
its seed wherever it is needed, see `nn.noise_field`. With normalization, whose statistics are of
whole maps, pictures are made whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.images.resize import resize_to
from consingan.machine.progress import tracked
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.rows import strip_of
from consingan.methods.consingan.windows import Windowed, part_of, parts
from consingan.nn.noise_field import NoiseField
from consingan.settings.tiles import Wraps

Size = tuple[int, int]
LEAST_ROWS = 64  # of a strip; what lies above and below it is computed once more for each


@dataclass(frozen=True)
class Around:
    """What `generator([z0, *noises], amplitudes)` gives for one sample, made in strips.

    Attributes:
        generator: whose ends meet, without normalization.
        z0: the picture that it begins with.
        noises: z_1..z_d.
        amplitudes: of all stages.
        sizes: (h, w) of all stages.
    """

    generator: Generator
    z0: Tensor
    noises: Sequence[Tensor | NoiseField]
    amplitudes: Sequence[float]
    sizes: Sequence[Size]

    @torch.no_grad()
    def unrolled(self) -> Iterator[Tensor]:
        """The picture from the top, (1, 3, rows, w) in [-1, 1] at a time."""
        height, width = self.sizes[-1]
        first = self.generator.first_features(self.z0)
        values = width * self.generator.shape.channels
        rows = max(LEAST_ROWS, strip_of(values, self.z0.device))
        tops = range(0, height, rows)
        for top in tracked(tops, len(tops), f"making {width}x{height}"):
            yield self._strip(first, top, min(top + rows, height))

    @torch.no_grad()
    def picture(self) -> Tensor:
        """The whole of it, (1, 3, h, w)."""
        channels = self.generator.shape.image_channels
        made, top = torch.empty(1, channels, *self.sizes[-1], device=self.z0.device), 0
        for strip in self.unrolled():
            made[:, :, top : top + strip.shape[2]] = strip
            top += strip.shape[2]
        return made

    def _strip(self, first: Tensor, top: int, bottom: int) -> Tensor:
        box = (top, bottom), (0, self.sizes[-1][1])
        needed = parts(self.generator.shape, self.generator.border, self.sizes, box)
        windowed = Windowed(self.generator, needed, box)
        x = part_of(first, needed[0].out)
        for stage, z in enumerate(self.noises, 1):
            noise = part_of(z, needed[stage].noise)
            x = windowed.refine(stage, x, noise, self.amplitudes[stage])
        return windowed.render(x)


def resized_around(x: Tensor, size: Size, wraps: Wraps) -> Tensor:
    """`resize_to` of (N, C, h, w) to `size` (h, w), around where its ends meet."""
    rows, columns = (3 if wrapped else 1 for wrapped in wraps)
    height, width = size
    wide = resize_to(x.repeat(1, 1, rows, columns), (rows * height, columns * width))
    top, left = (rows // 2) * height, (columns // 2) * width
    return wide[..., top : top + height, left : left + width].clamp(-1, 1)
