"""Bytes that a picture takes beside the program."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.denoiser import BUDGET
from consingan.methods.patches.pyramid import Size, scale_sizes, size_of
from consingan.methods.patches.recipe import Recipe
from consingan.methods.patches.source import scales_for
from consingan.methods.patches.tasks import TASKS

BYTES_PER_PIXEL = 700
"""Of a picture and of what is made of it, with the fast engine; measured at 0.7 and 4 MP."""


def footprint(real: Tensor, size: Size, recipe: Recipe, config: PatchesConfig, fast: bool) -> int:
    """Of what is made at `size` (h, w) of `real` (1, C, H, W).

    Args:
        real: the picture.
        size: of the result.
        recipe: which says how many scales there are.
        config: which says whether the coarsest scale is made anew.
        fast: whether only there all patches are asked, and not at every scale: those are kept
            whole. Of a large picture a small or flat result has few scales, so that the coarsest
            is large, too.
    """
    scales = scales_for([size_of(real), size], recipe)
    sizes = scale_sizes(size_of(real), scales, recipe.floor)
    if fast:
        below = TASKS[config.train_mode].enters_below and scales > 1
        sizes = [] if config.keeps_layout or below else sizes[-1:]
    pixels = sum(h * w for h, w in (size, size_of(real)))
    return BYTES_PER_PIXEL * pixels + 2 * BUDGET + _whole_patches(real, sizes, recipe.patch)


def _whole_patches(real: Tensor, sizes: Sequence[Size], patch: int) -> int:
    rim = patch - 1
    count = sum(max(0, h - rim) * max(0, w - rim) for h, w in sizes)
    return count * real.shape[1] * patch**2 * real.element_size()
