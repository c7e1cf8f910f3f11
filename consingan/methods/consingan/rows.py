"""A map that is made strip by strip from the top, and of which no more than a few rows are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from consingan.methods.consingan.reach import Range
from consingan.nn.noise import GaussianReader, gaussian
from consingan.nn.noise_field import NoiseField

STRIP = 2**23  # values of a strip of any map
ON_GPU = 8  # times as many there
LEAST_ROWS = 16  # of a strip, however wide it is


@dataclass
class Rows:
    """A map (1, C, height, width) that is made strip by strip from the top.

    Attributes:
        height, width: of the whole map.
        make: rows [a, b) of the map; it is asked for one range after the other.
        strip: rows that are worth making at a time.
    """

    height: int
    width: int
    make: Callable[[Range], Tensor]
    strip: int
    start: int = 0
    kept: Tensor | None = None

    def take(self, rows: Range) -> Tensor:
        """Rows [a, b); from then on no row before a can be asked for."""
        first, last = rows
        end = self.start + (0 if self.kept is None else self.kept.shape[2])
        old = None if self.kept is None else self.kept[:, :, first - self.start :]
        if last > end:
            new = self.make((end, min(max(last, end + self.strip), self.height)))
            old = new[:, :, first - end :] if old is None else torch.cat([old, new], 2)
        assert old is not None
        self.start, self.kept = first, old
        return old[:, :, : last - first]


@torch.no_grad()
def draw(
    shapes: Sequence[tuple[int, int, int, int]], rng: torch.Generator
) -> tuple[Tensor, list[Rows]]:
    """z_0 and the others in strips: the numbers that `gaussian` gives for one shape after another.

    A CPU draws them as they are needed. A GPU, whose numbers depend on how many are drawn at a
    time, draws them at once.
    """
    first = gaussian(shapes[0], rng)
    if rng.device.type != "cpu":
        return first, [whole(gaussian(shape, rng)) for shape in shapes[1:]]
    later = []
    for _, channels, height, width in shapes[1:]:
        reader = GaussianReader(height * width * channels, rng)
        make = partial(_drawn, reader, width, channels)
        later.append(Rows(height, width, make, strip_of(width * channels, rng.device)))
        if len(later) < len(shapes) - 1:
            reader.skip(rng)
    return first, later


def _drawn(reader: GaussianReader, width: int, channels: int, rows: Range) -> Tensor:
    numbers = reader.take((rows[1] - rows[0]) * width * channels)
    return numbers.view(1, -1, width, channels).permute(0, 3, 1, 2)


def whole(x: Tensor) -> Rows:
    """A map that is there."""
    return Rows(x.shape[2], x.shape[3], lambda rows: x[:, :, rows[0] : rows[1]], x.shape[2])


def rows_of(noises: Sequence[Tensor | NoiseField]) -> Callable[[], list[Rows]]:
    """What makes rows of noises that are there, or can be made in parts."""
    return lambda: [_rows_of(z) for z in noises]


def _rows_of(z: Tensor | NoiseField) -> Rows:
    if isinstance(z, Tensor):
        return whole(z)
    return Rows(
        z.height,
        z.width,
        lambda rows: z.window((rows, (0, z.width))),
        strip_of(z.width * z.channels, torch.device(z.device)),
    )


def strip_of(values: int, device: torch.device) -> int:
    """Rows of a strip for a map with so many `values` in a row."""
    return max(LEAST_ROWS, STRIP * (ON_GPU if device.type == "cuda" else 1) // values)
