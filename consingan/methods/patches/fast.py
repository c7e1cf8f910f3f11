"""The fast engine: each window of the canvas looks at ten patches instead of at all.

Candidates are its own match, those of the eight neighbors on the canvas, each with its offset
(Barnes et al., PatchMatch, 2009), and one drawn at random; at the first step of a scale the match
comes from the coarser scale. They are compared in the index's few dimensions, and the mean of
them is taken of whole patches. Random candidates near the own match, as in PatchMatch, made the
result less coherent with the picture (4 to 8 %), for shifted twins of a patch were averaged.
Cost is linear in the canvas; strips of windows bound the memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.methods.patches.index import Index
from consingan.methods.patches.pyramid import Size
from consingan.methods.patches.windows import Windows

STRIP = 1024  # windows at once on a CPU: what is gathered for them stays in its cache
STRIP_GPU = 2**16
ASKED = 2**16  # patches that all windows of a strip are compared with at once: 256 MiB of scores
CERTAIN = 0.01  # below this noise level one patch has all the weight
NEIGHBORS = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1))


@dataclass
class Propagated:
    """A denoiser that remembers the match of each window, the number of a patch.

    Attributes:
        index: of the picture at this scale.
        windows: of the canvas.
        matches: shape `windows.grid`, numbers of patches; renewed by every call.
        rng: of the random candidates.
    """

    index: Index
    windows: Windows
    matches: Tensor
    rng: torch.Generator

    def __call__(self, x: Tensor, alpha: float, sigma: float) -> Tensor:
        """The canvas (C, h, w) that is expected behind x."""
        rows, columns = self.windows.grid
        s, p = self.windows.stride, self.windows.patch
        padded = self.windows.pad(x)
        total = padded.new_zeros(len(x), *self.windows.padded)
        around, best = self._around(), torch.empty_like(self.matches)
        height = max(1, (STRIP_GPU if x.is_cuda else STRIP) // columns)
        for top in range(0, rows, height):
            bottom = min(rows, top + height)
            span = slice(top * s, (bottom - 1) * s + p)
            z = self.index.features_of(padded[:, span], alpha, s)
            clean, found = self._means(z, self._candidates(around, top, bottom), alpha, sigma)
            best[top:bottom] = found.view(-1, columns)
            total[:, span] += self.windows.summed(clean, bottom - top)
        self.matches = best
        return self.windows.normalized(self.windows.unpad(total))

    def _around(self) -> Tensor:
        """Row and column of each window's match, one window more on each side: (2, r+2, c+2)."""
        columns = self.index.grid[1]
        places = torch.stack([self.matches // columns, self.matches % columns])
        for axis in (0, 1):
            index = torch.arange(-1, self.matches.shape[axis] + 1, device=places.device)
            n = self.matches.shape[axis]
            index = index % n if self.windows.wrap[axis] else index.clamp(0, n - 1)
            places = places.index_select(axis + 1, index)
        return places

    def _candidates(self, around: Tensor, top: int, bottom: int) -> Tensor:
        """Numbers of the patches that the windows of rows top..bottom-1 look at, (n, 10)."""
        (rows, columns), s = self.index.grid, self.windows.stride
        width = around.shape[2] - 2
        near = []
        for i, j in NEIGHBORS:
            there = around[:, top + 1 + i : bottom + 1 + i, 1 + j : 1 + j + width]
            row, column = there[0] - s * i, there[1] - s * j
            near.append(row.clamp_(0, rows - 1) * columns + column.clamp_(0, columns - 1))
        numbers = torch.stack(near, -1).flatten(0, 1)
        anywhere = torch.randint(rows * columns, (len(numbers), 1), generator=self.rng)
        return torch.cat([numbers, anywhere.to(numbers.device)], 1)

    def _means(
        self, z: Tensor, candidates: Tensor, alpha: float, sigma: float
    ) -> tuple[Tensor, Tensor]:
        """x_hat of each window, (n, p, p, C), and the number of its best patch."""
        candidates = candidates.sort(1).values  # a patch must not count twice
        score = self.index.scores(z, candidates, alpha)
        score[:, 1:].masked_fill_(candidates[:, 1:] == candidates[:, :-1], -torch.inf)
        best = candidates.gather(1, score.argmax(1, keepdim=True))
        if sigma < CERTAIN:
            return self.index.means(best, torch.ones_like(best, dtype=z.dtype)), best[:, 0]
        weights = torch.softmax(score / sigma**2, 1)
        return self.index.means(candidates, weights), best[:, 0]


def nearest(canvas: Tensor, windows: Windows, index: Index) -> Tensor:
    """For each window of a clean canvas (C, h, w) the patch nearest to it, shape `windows.grid`.

    All patches are asked, some at a time: for coarse scales.
    """
    z = index.features_of(windows.pad(canvas), 1.0, windows.stride)
    best = z.new_full((len(z),), -torch.inf)
    found = torch.zeros(len(z), dtype=torch.long, device=z.device)
    for first in range(0, len(index.half), ASKED):
        some = slice(first, first + ASKED)
        features = index.features[some].to(z.dtype).T
        for top in range(0, len(z), STRIP):
            rows = slice(top, top + STRIP)
            score, number = (z[rows] @ features).sub_(index.half[some]).max(1)
            better = score > best[rows]
            best[rows] = torch.where(better, score, best[rows])
            found[rows] = torch.where(better, number + first, found[rows])
    return found.view(windows.grid)


def carried(matches: Tensor, coarse: Windows, fine: Windows, grids: tuple[Size, Size]) -> Tensor:
    """Matches for the windows of `fine` from those of the coarser scale.

    Each window takes the match of the coarse window nearest to its center, with its offset from
    it; canvas and picture are scaled each by the ratio of its own sizes.

    Args:
        matches: numbers of patches, shape `coarse.grid`.
        coarse: windows of the coarse canvas.
        fine: windows of the fine one.
        grids: (rows, columns) of patches in the picture, at the coarse and the fine scale.
    """
    half = fine.patch / 2
    window, offset = zip(*(_nearest_window(coarse, fine, axis) for axis in (0, 1)), strict=True)
    found = matches[window[0].to(matches.device)[:, None], window[1].to(matches.device)[None]]
    at = found // grids[0][1], found % grids[0][1]
    places = []
    for axis, shape in enumerate(((-1, 1), (1, -1))):
        ratio = (grids[1][axis] + fine.patch - 1) / (grids[0][axis] + fine.patch - 1)
        center = at[axis] + half + offset[axis].to(matches.device).view(shape)
        place = (center * ratio - half).round().long()
        places.append(place.clamp_(0, grids[1][axis] - 1))
    numbers: Tensor = places[0] * grids[1][1] + places[1]
    return numbers


def _nearest_window(coarse: Windows, fine: Windows, axis: int) -> tuple[Tensor, Tensor]:
    """Of each fine window along an axis the coarse one nearest to it, and its offset in px."""
    half, n, last = fine.patch / 2, coarse.size[axis], coarse.grid[axis] - 1
    center = (torch.arange(fine.grid[axis]) * fine.stride + half) * (n / fine.size[axis])
    start = center - half
    if coarse.wrap[axis]:
        start = start % n
    window = (start / coarse.stride).round().long()
    if coarse.wrap[axis]:  # behind the last window comes the first
        start = torch.where(window > last, start - n, start)
        window = torch.where(window > last, 0, window)
    window = window.clamp(0, last)
    return window, start - window * coarse.stride
