"""The engines: how the denoiser of each scale is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.methods.patches.denoiser import ClosedForm, Denoiser, Means, exact, fused
from consingan.methods.patches.fast import CERTAIN, Propagated, carried, nearest
from consingan.methods.patches.pyramid import NO_WRAP, Size, Wrap, size_of
from consingan.methods.patches.recipe import Recipe, at
from consingan.methods.patches.shares import Shares
from consingan.methods.patches.source import Source
from consingan.methods.patches.windows import Windows

PASSES = 3  # over a clean canvas, until its matches have spread
MEANS: Mapping[str, Means] = {"exact": exact, "fused": fused}
PUBLISHED = Shares()
SMALL = 64 * 64  # px up to which asking every patch takes no time


def engine_for(size: Size) -> str:
    """The engine for pictures of `size` (h, w), of the larger of source and canvas.

    On every device: on an H100 asking all patches took 0.12 s at 128x86 px where ten of each took
    0.07, and 1.1 s at 250x167.
    """
    return "exact" if size[0] * size[1] <= SMALL else "fast"


@dataclass(frozen=True)
class ClosedFormEngine:
    """Every patch is asked at every step.

    Attributes:
        source: the picture.
        recipe: strides and weights of the fold.
        means: exact or fused.
        shares: of the coarsest scale.
        wrap: where the canvas goes on at its other end.
        whole: whether every pixel is covered whatever the stride.
    """

    source: Source
    recipe: Recipe
    means: Means
    shares: Shares = PUBLISHED
    wrap: Wrap = NO_WRAP
    whole: bool = True

    def denoiser(self, scale: int, size: Size, coarse: Tensor | None) -> Denoiser:  # noqa: ARG002
        """The denoiser of all patches of a scale."""
        recipe, scales = self.recipe, self.source.scales
        stride = at(recipe.strides, scale, scales)
        windows = Windows(size, recipe.patch, stride, recipe.rho, self.wrap, self.whole)
        if scale < scales - 1:
            return ClosedForm(self.source.patches(scale), windows, self.means)
        return _coarsest(self, windows, self.means)


@dataclass
class FastEngine:
    """Ten patches are asked, carried from scale to scale; the coarsest scale is exact.

    Attributes:
        source: the picture.
        recipe: strides and weights of the fold.
        rng: of the random candidates.
        shares: of the coarsest scale.
        wrap: where the canvas goes on at its other end.
    """

    source: Source
    recipe: Recipe
    rng: torch.Generator
    shares: Shares = PUBLISHED
    wrap: Wrap = NO_WRAP
    last: tuple[int, Propagated] | None = None

    def denoiser(self, scale: int, size: Size, coarse: Tensor | None) -> Denoiser:
        """A denoiser that begins with the matches of the scale before."""
        windows = self._windows(scale, size)
        if coarse is None and self.last is None:
            return _coarsest(self, windows, exact)
        matches = self._carried(scale, windows, coarse)
        found = Propagated(self.source.index(scale), windows, matches, self.rng)
        self.last = scale, found
        return found

    def follow(self, canvas: Sequence[Tensor], until: int) -> None:
        """Match a clean canvas, its pyramid finest first, from its coarsest scale to `until`."""
        for scale in range(len(canvas) - 1, until - 1, -1):
            coarse = canvas[scale + 1] if scale + 1 < len(canvas) else None
            if coarse is None:
                self.last = scale, self._matched(scale, canvas[scale])
                continue
            denoise = self.denoiser(scale, size_of(canvas[scale]), coarse)
            for _ in range(PASSES):
                denoise(canvas[scale], 1.0, CERTAIN / 2)

    def _carried(self, scale: int, windows: Windows, coarse: Tensor | None) -> Tensor:
        before = self.last[1] if self.last and self.last[0] == scale + 1 else None
        if before is None:
            assert coarse is not None
            before = self._matched(scale + 1, coarse)
        grids = before.index.grid, self.source.index(scale).grid
        return carried(before.matches, before.windows, windows, grids)

    def _matched(self, scale: int, canvas: Tensor) -> Propagated:
        index, windows = self.source.index(scale), self._windows(scale, size_of(canvas))
        return Propagated(index, windows, nearest(canvas, windows, index), self.rng)

    def _windows(self, scale: int, size: Size) -> Windows:
        stride = at(self.recipe.strides, scale, self.source.scales)
        return Windows(size, self.recipe.patch, stride, self.recipe.rho, self.wrap)


def _coarsest(engine: ClosedFormEngine | FastEngine, windows: Windows, means: Means) -> Denoiser:
    """The denoiser of the coarsest scale, which decides on the contents."""
    source = engine.source
    patches = source.patches(source.scales - 1)
    denoise = ClosedForm(patches, windows, means, engine.shares.balance)
    return engine.shares.around(denoise, source.pyramid[-1], engine.wrap)
