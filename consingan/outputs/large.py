"""What is kept of large pictures to look at and to judge: the whole reduced, windows at full size.

Pictures of up to `LARGE` px are kept as they are. Larger ones are reduced by the least whole number
that brings them there, and windows are cut out of them, for all pictures of a size at the same
places.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

LARGE = 2**18  # px, 512 x 512; above it metrics would be made from a small part anyway
SIDE = 256  # px of a window
ACROSS = 3  # windows along the longer side; two along the shorter one

Size = tuple[int, int]
Place = tuple[int, int]  # top, left


@dataclass(frozen=True)
class Look:
    """What is kept of one picture.

    Attributes:
        picture: (1, C, h, w), reduced by `reduction` of its size.
        windows: (n, C, side, side) at full size; none of a picture that is not large.
        seam: of a tile, how visible its ends are.
    """

    picture: Tensor
    windows: Tensor
    seam: float | None = None


def reduction(size: Size) -> int:
    """By what a picture of `size` (h, w) is reduced, 1 for one that is not large."""
    return max(1, math.ceil(math.sqrt(size[0] * size[1] / LARGE)))


def kept_pixels(size: Size) -> int:
    """How many px of a picture of `size` (h, w) are kept."""
    factor = reduction(size)
    side = _side(size)
    return (size[0] // factor) * (size[1] // factor) + len(places(size)) * side**2


def reduced(picture: Tensor) -> Tensor:
    """A picture (N, C, h, w) as a `Look` has it."""
    factor = reduction((picture.shape[-2], picture.shape[-1]))
    return picture if factor == 1 else F.avg_pool2d(picture, factor)


def places(size: Size) -> list[Place]:
    """Where the windows of a picture of `size` (h, w) lie: in the middles of a grid's cells."""
    if reduction(size) == 1:
        return []
    side = _side(size)
    lines = [
        [round((k + 0.5) * length / count - side / 2) for k in range(count)]
        for length, count in zip(size, _counts(size), strict=True)
    ]
    return [(top, left) for top in lines[0] for left in lines[1]]


def other_places(size: Size) -> list[Place]:
    """Where as large windows lie that are spread from edge to edge, one more along each side."""
    side = _side(size)
    lines = [
        [round(k * (length - side) / count) for k in range(count + 1)]
        for length, count in zip(size, _counts(size), strict=True)
    ]
    return [(top, left) for top in lines[0] for left in lines[1]]


def windows_at(picture: Tensor, found: Sequence[Place]) -> Tensor:
    """Windows (n, C, side, side) of a picture (1, C, h, w); without places none."""
    side = _side((picture.shape[-2], picture.shape[-1]))
    cut = [picture[:, :, top : top + side, left : left + side] for top, left in found]
    return torch.cat(cut) if cut else picture.new_zeros(0, picture.shape[1], side, side)


def look_at(picture: Tensor, seam: float | None = None) -> Look:
    """What is kept of a picture (1, C, h, w) that is there."""
    size = (picture.shape[-2], picture.shape[-1])
    return Look(reduced(picture), windows_at(picture, places(size)), seam)


class Watcher:
    """Looks at a picture of `size` (h, w) that comes strip by strip, of which it keeps no more."""

    def __init__(self, size: Size) -> None:
        self.size, self.row = size, 0
        self.factor, self.side = reduction(size), _side(size)
        self.places = places(size)
        self.windows: list[list[Tensor]] = [[] for _ in self.places]
        self.reduced: list[Tensor] = []
        self.waiting: Tensor | None = None

    def passing(self, strips: Iterable[Tensor]) -> Iterator[Tensor]:
        """Pass strips (1, C, rows, w) on."""
        for strip in strips:
            self._cut(strip)
            self._reduce(strip)
            self.row += strip.shape[2]
            yield strip

    def look(self) -> Look:
        """What was seen, once all strips have passed."""
        windows = [torch.cat(rows, 2) for rows in self.windows]
        picture = torch.cat(self.reduced, 2)
        none = picture.new_zeros(0, picture.shape[1], self.side, self.side)
        return Look(picture, torch.cat(windows) if windows else none)

    def _cut(self, strip: Tensor) -> None:
        for (top, left), rows in zip(self.places, self.windows, strict=True):
            first, last = max(top - self.row, 0), min(top + self.side - self.row, strip.shape[2])
            if first < last:
                rows.append(strip[:, :, first:last, left : left + self.side].clone())

    def _reduce(self, strip: Tensor) -> None:
        if self.waiting is not None:
            strip = torch.cat([self.waiting, strip], 2)
        whole = strip.shape[2] // self.factor * self.factor
        if whole:
            self.reduced.append(F.avg_pool2d(strip[:, :, :whole], self.factor))
        self.waiting = strip[:, :, whole:].clone()


def _side(size: Size) -> int:
    return min(SIDE, *size)


def _counts(size: Size) -> Size:
    """How many windows lie along each side, (down, across), so that they do not overlap."""
    many = (2, ACROSS) if size[0] <= size[1] else (ACROSS, 2)
    down, across = (
        max(1, min(n, length // _side(size))) for n, length in zip(many, size, strict=True)
    )
    return down, across
