"""Filling a hole: known pixels are kept at every step, patches of the hole are never used.

The denoiser is conditioned on what is known. Of a window with hole pixels h and known pixels k,

    w_i = softmax_i( -(|x_h - alpha y_ih|^2 + TRUST |x_k - y_ik|^2) / (2 sigma^2) ),

x_k the picture itself, without noise: the surroundings decide on the layout from the first step
on, where hole pixels are all noise. At the coarsest scale all patches are asked (`Conditioned`),
at finer ones those carried (`Filled`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from consingan.methods.patches.denoiser import BUDGET, Denoiser, chunks, weights_of
from consingan.methods.patches.fast import STRIP, Propagated, carried, nearest
from consingan.methods.patches.holes import (
    hole_sizes,
    nearest_free,
    scales_around,
    smooth_fill,
    touched,
)
from consingan.methods.patches.index import Index
from consingan.methods.patches.pyramid import Size, size_of
from consingan.methods.patches.recipe import Recipe, at
from consingan.methods.patches.sampling import Canvas, Entry, SeededNoise, sample, started
from consingan.methods.patches.source import Source, source_of
from consingan.methods.patches.windows import Windows, cut
from consingan.nn.noise import stream

TRUST = 10.0
"""A known pixel counts as so many of the hole; with 1 the fill's edge shows, 4 to 30 look alike."""

LEVEL = 0.3
"""The coarsest scale begins with so much noise around the smooth fill."""

RECIPE = Recipe(patch=9, floor=24, steps=(20, 8, 6, 5), strides=(1, 1, 2), start=0.7)


@dataclass(frozen=True)
class Conditioned:
    """The closed-form denoiser given the known pixels.

    Attributes:
        patches: (N, D), those without a pixel of the hole.
        windows: of the canvas.
        known: (C, h, w), the picture.
        hole: (h, w), bool.
        budget: bytes held for scores at once.
    """

    patches: Tensor
    windows: Windows
    known: Tensor
    hole: Tensor
    budget: int = BUDGET

    def __call__(self, x: Tensor, alpha: float, sigma: float) -> Tensor:
        """The expected canvas (C, h, w) in the hole, the picture elsewhere."""
        rows = self.windows.cut(torch.where(self.hole, x, self.known))
        holes = self.windows.cut(self.hole[None].to(x).expand_as(x))
        open_ = holes.amax(1) > 0
        each = 8 * len(self.patches) + 16 * rows.shape[1]
        asked = torch.cat([rows[open_], holes[open_]], 1)
        squares, found = self.patches.square(), []
        for part in chunks(asked, each, self.budget):
            q, h = part.chunk(2, 1)
            factor, weight = _known_and_hole(h, alpha)
            score = (q * factor * weight) @ self.patches.T
            score -= (factor.square() * weight / 2) @ squares.T
            found.append(weights_of(score.div_(sigma**2)) @ self.patches)
        rows[open_] = torch.cat(found)
        return torch.where(self.hole, self.windows.fold(rows), self.known)


def _known_and_hole(holes: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """What a patch's pixels are multiplied by, and how much each counts; 1 in `holes` is hole."""
    return torch.where(holes > 0, alpha, 1.0), torch.where(holes > 0, 1.0, TRUST)


class Filled(Propagated):
    """The fast engine for the windows that touch a hole, with exact scores.

    Known windows are their own match, so that the surroundings are carried into the hole.
    """

    def __init__(
        self, propagated: Propagated, known: Tensor, hole: Tensor
    ) -> None:  # (C, h, w) and (h, w), bool
        super().__init__(
            propagated.index, propagated.windows, propagated.matches, propagated.rng
        )  # fmt: skip
        self.known, self.hole = known, hole
        self.holes = self.windows.cut(hole[None].to(known).expand_as(known))
        self.open = self.holes.amax(1) > 0
        own = _own(self.windows, self.index)
        self.matches = torch.where(self.open.view(self.windows.grid), self.matches, own)

    def __call__(self, x: Tensor, alpha: float, sigma: float) -> Tensor:
        """The expected canvas (C, h, w) in the hole, the picture elsewhere."""
        rows = self.windows.cut(torch.where(self.hole, x, self.known))
        candidates = self._candidates(self._around(), 0, self.windows.grid[0])[self.open]
        parts = (part.split(STRIP // 2) for part in (rows[self.open], self.holes[self.open]))
        clean, best = [], []
        for q, h, some in zip(*parts, candidates.split(STRIP // 2), strict=True):
            mean, found = self._exact_means(q, _known_and_hole(h, alpha), some, sigma)
            clean.append(mean)
            best.append(found)
        rows[self.open] = torch.cat(clean)
        matches = self.matches.flatten()
        matches[self.open] = torch.cat(best)
        self.matches = matches.view(self.windows.grid)
        return torch.where(self.hole, self.windows.fold(rows), self.known)

    def _exact_means(
        self, q: Tensor, known: tuple[Tensor, Tensor], candidates: Tensor, sigma: float
    ) -> tuple[Tensor, Tensor]:
        """x_hat of each window, (n, D), and the number of its best patch."""
        factor, weight = known
        candidates = candidates.sort(1).values
        patches = self.index.patches(candidates).to(q.dtype)
        error = (q[:, None] - factor[:, None] * patches).square_().mul_(weight[:, None])
        score = error.sum(2).mul_(-0.5 / sigma**2)
        score[:, 1:].masked_fill_(candidates[:, 1:] == candidates[:, :-1], -torch.inf)
        best = candidates.gather(1, score.argmax(1, keepdim=True))[:, 0]
        return torch.bmm(torch.softmax(score, 1)[:, None], patches)[:, 0], best


def _own(windows: Windows, index: Index) -> Tensor:
    """Each window's own place in the picture as the number of a patch, shape `windows.grid`."""
    row, column = (
        (torch.arange(count, device=index.half.device) * windows.stride).clamp_(max=last - 1)
        for count, last in zip(windows.grid, index.grid, strict=True)
    )
    return row[:, None] * index.grid[1] + column


@dataclass
class FillingEngine:
    """Gives the denoisers of a hole, coarse to fine.

    Attributes:
        source: the picture with its hole smoothly filled.
        holes: (h, w), bool, finest first.
        recipe: strides and weights of the fold.
        rng: of the random candidates.
    """

    source: Source
    holes: list[Tensor]
    recipe: Recipe
    rng: torch.Generator
    last: Propagated | None = None

    def denoiser(self, scale: int, size: Size, coarse: Tensor | None) -> Denoiser:
        """All free patches at the coarsest scale, carried ones at finer scales."""
        known, hole, patch = self.source.pyramid[scale], self.holes[scale], self.source.patch
        if coarse is None:
            free = cut(known, patch)[~touched(hole, patch).flatten()]
            return Conditioned(free, self._windows(scale, size), known, hole)
        before = self.last or self._found(scale + 1, coarse)
        index, windows = self._index(scale), self._windows(scale, size)
        grids = (before.index.grid, index.grid)
        matches = index.usable(carried(before.matches, before.windows, windows, grids))
        self.last = Filled(Propagated(index, windows, matches, self.rng), known, hole)
        return self.last

    def _found(self, scale: int, coarse: Tensor) -> Propagated:
        index, windows = self._index(scale), self._windows(scale, size_of(coarse))
        return Propagated(index, windows, nearest(coarse, windows, index), self.rng)

    def _index(self, scale: int) -> Index:
        free = nearest_free(self.holes[scale], self.source.patch)
        return replace(self.source.index(scale), nearest=free)

    def _windows(self, scale: int, size: Size) -> Windows:
        stride = at(self.recipe.strides, scale, self.source.scales)
        return Windows(size, self.recipe.patch, stride, self.recipe.rho)


@dataclass(frozen=True)
class Filling:
    """A picture with a hole, made ready once for any number of fills.

    Attributes:
        image: (C, H, W) in [-1, 1]; what lies in the hole does not matter.
        hole: (H, W), bool.
        recipe: the numbers.
    """

    source: Source
    holes: list[Tensor]
    recipe: Recipe

    @classmethod
    def of(cls, image: Tensor, hole: Tensor, recipe: Recipe = RECIPE) -> Filling:
        """Raises UserError where the hole leaves no known patch."""
        scales = scales_around(hole, recipe.floor or recipe.patch, recipe.patch)
        source = source_of(smooth_fill(image, hole), scales, recipe)
        return cls(source, hole_sizes(hole, [size_of(x) for x in source.pyramid]), recipe)

    def fill(self, seed: int, index: int = 0) -> Tensor:
        """Fill `index` of `seed`, (C, H, W); known pixels are the picture's to the bit."""
        known = self.source.pyramid[0]
        sizes = [size_of(x) for x in self.source.pyramid]
        rng = stream(seed, "patches", index, "candidates")
        engine = FillingEngine(self.source, self.holes, self.recipe, rng)
        noise = SeededNoise(seed, index, sizes, known)
        canvas = Canvas(sizes, self.recipe, coarsest=LEVEL)
        levels, last = canvas.levels(canvas.scales - 1), canvas.scales - 1
        x = started(self.source.pyramid[-1], levels, noise.start(last))
        return sample(canvas, engine, noise, Entry(last, x, levels.last))
