"""Bytes that a picture takes beside the program."""

from __future__ import annotations

from torch import Tensor

from consingan.methods.patches.denoiser import BUDGET
from consingan.methods.patches.pyramid import Size, scale_sizes, size_of
from consingan.methods.patches.recipe import Recipe
from consingan.methods.patches.source import scales_for

BYTES_PER_PIXEL = 700
"""Of a picture and of what is made of it, with the fast engine; measured at 0.7 and 4 MP."""


def footprint(real: Tensor, size: Size, recipe: Recipe, every: bool) -> int:
    """Of what is made at `size` (h, w) of `real` (1, C, H, W).

    Args:
        real: the picture.
        size: of the result.
        recipe: which says how many scales there are.
        every: whether all patches are asked at every scale, or at the coarsest alone: those are
            kept whole. Of a large picture a small or flat result has few scales, so that the
            coarsest is large, too.
    """
    pixels = sum(h * w for h, w in (size, size_of(real)))
    return BYTES_PER_PIXEL * pixels + 2 * BUDGET + _whole_patches(real, size, recipe, every)


def _whole_patches(real: Tensor, size: Size, recipe: Recipe, every: bool) -> int:
    scales = scales_for([size_of(real), size], recipe)
    sizes, rim = scale_sizes(size_of(real), scales, recipe.floor), recipe.patch - 1
    count = sum(max(0, h - rim) * max(0, w - rim) for h, w in (sizes if every else sizes[-1:]))
    return count * real.shape[1] * recipe.patch**2 * real.element_size()
