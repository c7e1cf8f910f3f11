"""Noise levels: x_t = alpha_t * picture + sigma_t * noise, t = 0 (clean) .. T."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Levels:
    """alpha_0..alpha_T and sigma_0..sigma_T; level 0 is the picture itself."""

    alpha: tuple[float, ...]
    sigma: tuple[float, ...]

    @property
    def last(self) -> int:
        """T, the noisiest level."""
        return len(self.alpha) - 1


def flow_linear(steps: int, sigma_min: float, sigma_max: float) -> Levels:
    """Alpha evenly from 1 - sigma_min to 1 - sigma_max, sigma = 1 - alpha."""
    alpha = torch.linspace(1 - sigma_min, 1 - sigma_max, steps, dtype=torch.float64)
    if steps == 1:
        alpha = torch.tensor([1 - sigma_max], dtype=torch.float64)
    return Levels((1.0, *alpha.tolist()), (0.0, *(1 - alpha).tolist()))


def nearest_index(levels: Levels, level: float) -> int:
    """The t >= 1 whose sigma/(alpha + sigma) is nearest to `level` in [0, 1]."""
    share = [s / (a + s) for a, s in zip(levels.alpha, levels.sigma, strict=True)]
    return min(range(1, len(share)), key=lambda t: abs(share[t] - level))
