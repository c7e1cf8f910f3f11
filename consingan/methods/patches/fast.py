"""The fast engine: each window of the canvas looks at a few patches instead of at all.

Candidates are carried from the coarser scale, from the eight neighbors on the canvas, and drawn
at random (PatchMatch, Barnes et al. 2009); they are compared in the index's few dimensions. Cost
is linear in the canvas, memory bounded by strips of windows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.methods.patches.fold import gaussian
from consingan.methods.patches.index import Index
from consingan.methods.patches.pyramid import NO_WRAP, Size, Wrap, size_of

RADII = (8, 2)
"""How far from a window's own match, in px, one candidate each is drawn."""
STRIP = 1024
MEANT = 8
NEIGHBORS = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))


@dataclass(frozen=True)
class Windows:
    """The windows of a canvas: starts 0, s, 2s, ... until all of it is covered.

    The last ones may overhang; there the canvas goes on mirrored, or at its other end.

    Attributes:
        size: (h, w) of the canvas in px.
        patch: p in px.
        stride: s in px.
        wrap: where the canvas goes on at its other end.
    """

    size: Size
    patch: int
    stride: int
    wrap: Wrap = NO_WRAP

    @property
    def grid(self) -> Size:
        """(rows, columns) of windows."""
        rows, columns = (
            -(-n // self.stride) if wraps else -(-(n - self.patch) // self.stride) + 1
            for n, wraps in zip(self.size, self.wrap, strict=True)
        )
        return rows, columns

    @property
    def padded(self) -> Size:
        """(h, w) of the canvas with what overhangs."""
        rows, columns = ((count - 1) * self.stride + self.patch for count in self.grid)
        return rows, columns

    def pad(self, x: Tensor) -> Tensor:
        """The canvas (C, h, w) with what overhangs."""
        for axis in (0, 1):
            index = torch.arange(self.padded[axis], device=x.device)
            n = self.size[axis]
            index = index % n if self.wrap[axis] else torch.where(index < n, index, 2 * n - 1 - index)
            x = x.index_select(axis + 1, index)
        return x

    def unpad(self, total: Tensor) -> Tensor:
        """Add what overhangs where it belongs, or drop it: (..., *padded) to (..., h, w)."""
        for axis in (0, 1):
            n, over = self.size[axis], self.padded[axis] - self.size[axis]
            kept = total.narrow(axis + 1, 0, n).clone()
            if self.wrap[axis] and over:
                kept.narrow(axis + 1, 0, over).add_(total.narrow(axis + 1, n, over))
            total = kept
        return total


@dataclass
class Propagated:
    """A denoiser that remembers of each window its match: the number of a patch.

    Attributes:
        index: of the picture at this scale.
        windows: of the canvas.
        matches: (rows, columns) of windows, numbers of patches; renewed by every call.
        rng: of the random candidates.
        rho: width of the fold's weights.
        meant: how many of the best candidates the mean is taken of.
    """

    index: Index
    windows: Windows
    matches: Tensor
    rng: torch.Generator
    rho: float = 0.2
    meant: int = MEANT
    radii: tuple[int, ...] = RADII
    uniform: int = 1
    dedupe: bool = True
    _weight: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.g = gaussian(self.windows.patch, self.rho, self.index.features)

    def __call__(self, x: Tensor, alpha: float, sigma: float) -> Tensor:
        """The expected clean canvas (C, H, W)."""
        rows, columns = self.windows.grid
        s, p = self.windows.stride, self.windows.patch
        padded = self.windows.pad(x)
        total = padded.new_zeros(len(x), *self.windows.padded)
        best = torch.empty_like(self.matches)
        around = self._around()
        height = max(1, STRIP // columns)
        for top in range(0, rows, height):
            bottom = min(rows, top + height)
            span = slice(top * s, (bottom - 1) * s + p)
            z = F.conv2d(padded[None, :, span], self.index.filters, stride=s)[0].flatten(1).T
            z = z - alpha * self.index.offset
            candidates = self._candidates(around, top, bottom)
            clean, found = self._means(z, candidates, alpha, sigma)
            best[top:bottom] = found.view(bottom - top, columns)
            weighted = clean * self.g[:, :, None]
            folded = F.fold(
                weighted.permute(3, 1, 2, 0).reshape(1, -1, len(z)),
                ((bottom - top - 1) * s + p, self.windows.padded[1]), p, stride=s,
            )[0]  # fmt: skip
            total[:, span] += folded
        self.matches = best
        return self.windows.unpad(total) / self._weights()

    def _weights(self) -> Tensor:
        if not hasattr(self, "_w"):
            s, p = self.windows.stride, self.windows.patch
            g = self.g.flatten()[:, None].expand(-1, self.matches.numel())[None]
            total = F.fold(g, self.windows.padded, p, stride=s)[0]
            self._w = self.windows.unpad(total)
        return self._w

    def _around(self) -> Tensor:
        """Row and column of each window's match, one window more on each side: (2, r+2, c+2)."""
        columns = self.index.grid[1]
        places = torch.stack([self.matches // columns, self.matches % columns]).float()[None]
        vertical, horizontal = self.windows.wrap
        places = F.pad(places, (0, 0, 1, 1), mode="circular" if vertical else "replicate")
        places = F.pad(places, (1, 1, 0, 0), mode="circular" if horizontal else "replicate")
        return places[0].long()

    def _candidates(self, around: Tensor, top: int, bottom: int) -> Tensor:
        """Numbers of the patches that the windows of rows top..bottom-1 look at, (n, m)."""
        s = self.windows.stride
        rows, columns = self.index.grid
        own = around[:, top + 1 : bottom + 1, 1:-1]
        near = [own]
        for i, j in NEIGHBORS:
            there = around[:, top + 1 + i : bottom + 1 + i, 1 + j : around.shape[2] - 1 + j]
            near.append(there - s * torch.tensor([i, j], device=around.device).view(2, 1, 1))
        for radius in self.radii:
            jump = torch.randint(-radius, radius + 1, own.shape, generator=self.rng)
            near.append(own + jump.to(own.device))
        places = torch.stack(near, -1).flatten(1, 2)
        numbers = places[0].clamp(0, rows - 1) * columns + places[1].clamp(0, columns - 1)
        anywhere = torch.randint(rows * columns, (len(numbers), self.uniform), generator=self.rng)
        return torch.cat([numbers, anywhere.to(numbers.device)], 1)

    def _means(
        self, z: Tensor, candidates: Tensor, alpha: float, sigma: float
    ) -> tuple[Tensor, Tensor]:
        """x_hat of each window, (n, p, p, C), and the number of its best patch."""
        if self.dedupe:
            candidates = candidates.sort(1).values
        score = self.index.scores(z, candidates, alpha)
        if self.dedupe:
            score[:, 1:].masked_fill_(candidates[:, 1:] == candidates[:, :-1], -torch.inf)
        top, place = score.topk(self.meant if sigma > 0.01 else 1, 1)
        chosen = candidates.gather(1, place)
        weights = torch.softmax(top / sigma**2, 1)
        return self.index.means(chosen, weights), chosen[:, 0]


def carried(
    matches: Tensor, coarse: Windows, coarse_grid: Size, fine: Windows, fine_grid: Size
) -> Tensor:
    """Matches for the windows of `fine` from those of the coarser scale.

    Each window takes that of the coarse window nearest to its center, with its offset from it;
    canvas and picture are scaled each by the ratio of its own sizes.

    Args:
        matches: numbers of patches, shape `coarse.grid`.
        coarse, fine: windows of the two canvases.
        coarse_grid, fine_grid: (rows, columns) of patches in the picture at the two scales.
    """
    places = []
    nearest = []
    p = fine.patch
    for axis in (0, 1):
        ratio = coarse.size[axis] / fine.size[axis]
        start = torch.arange(fine.grid[axis], device=matches.device) * fine.stride
        center = (start + p / 2) * ratio
        window = ((center - p / 2) / coarse.stride).round().long()
        window = window.clamp(0, coarse.grid[axis] - 1)
        nearest.append(window)
        places.append(center - (window * coarse.stride + p / 2))
    found = matches[nearest[0][:, None], nearest[1][None]]
    at = [found // coarse_grid[1], found % coarse_grid[1]]
    offset = [places[0][:, None], places[1][None]]
    numbers = []
    for axis in (0, 1):
        ratio = (fine_grid[axis] + p - 1) / (coarse_grid[axis] + p - 1)
        place = ((at[axis] + p / 2 + offset[axis]) * ratio - p / 2).round().long()
        numbers.append(place.clamp(0, fine_grid[axis] - 1))
    return numbers[0] * fine_grid[1] + numbers[1]
