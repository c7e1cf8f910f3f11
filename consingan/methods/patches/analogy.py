"""Structural analogy: one picture's patches on another's layout (the paper's inversion)."""

from __future__ import annotations

from torch import Tensor

from consingan.methods.patches.denoiser import Denoiser
from consingan.methods.patches.levels import Levels, nearest_index
from consingan.methods.patches.sampler import Descent, ascend
from consingan.methods.patches.sampling import Entry


def inverted(
    structure: Tensor, scale: int, levels: Levels, denoise: Denoiser, noise: Tensor, level: float
) -> Entry:
    """The structure's coarsest picture (C, h, w) brought up to a noise level by its own denoiser.

    Args:
        structure: at its coarsest `scale`.
        scale: the number of that scale.
        levels: of the coarsest scale.
        denoise: of the structure's own patches.
        noise: (C, h, w), standard normal.
        level: how much of the structure goes, 0 to 1.
    """
    k = nearest_index(levels, level)
    x = levels.alpha[1] * structure + levels.sigma[1] * noise
    return Entry(scale, ascend(x, k, Descent(levels, denoise)), k)
