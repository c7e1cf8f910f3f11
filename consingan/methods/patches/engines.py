"""The engines: how the denoiser of each scale is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from consingan.methods.patches.balance import Balance
from consingan.methods.patches.denoiser import BUDGET, ClosedForm, Denoiser, Means, exact, fused
from consingan.methods.patches.pyramid import NO_WRAP, Size, Wrap
from consingan.methods.patches.recipe import Recipe, at
from consingan.methods.patches.source import Source
from consingan.methods.patches.windows import Windows

MEANS: Mapping[str, Means] = {"exact": exact, "fused": fused}


@dataclass(frozen=True)
class ClosedFormEngine:
    """Every patch is asked at every step.

    Attributes:
        source: the picture.
        recipe: strides and weights of the fold.
        means: exact or fused.
        balance: of the coarsest scale.
        wrap: where the canvas goes on at its other end.
        whole: whether every pixel is covered whatever the stride.
        budget: bytes held for scores.
    """

    source: Source
    recipe: Recipe
    means: Means
    balance: Balance | None = None
    wrap: Wrap = NO_WRAP
    whole: bool = True
    budget: int = BUDGET

    def denoiser(self, scale: int, size: Size, coarse: Tensor | None) -> Denoiser:
        """The denoiser of all patches of a scale."""
        recipe, scales = self.recipe, self.source.scales
        stride = at(recipe.strides, scale, scales)
        windows = Windows(size, recipe.patch, stride, recipe.rho, self.wrap, self.whole)
        balance = self.balance if scale == scales - 1 else None
        return ClosedForm(self.source.patches(scale), windows, self.means, balance, self.budget)
