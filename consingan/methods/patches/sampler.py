"""One scale of the sampler: from a noisy canvas to a finished one.

For t = T..1:   c = denoise(x, alpha_t, sigma_t)
                e = (x - alpha_t c) / sigma_t            the noise, from c before the blend
                c = blend(c, finished coarser scale)     not at t = 1, not at the coarsest scale
                x = alpha_{t-1} c + sigma_{t-1} (sqrt(1 - eta^2) e + eta z),   z fresh
At t = 1 the result is c itself: a finished scale is made of the picture's patches.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from consingan.methods.patches.denoiser import Denoiser
from consingan.methods.patches.levels import Levels

Change = Callable[[Tensor], Tensor]
Fresh = Callable[[int], Tensor]


@dataclass(frozen=True)
class Descent:
    """What one scale is sampled with.

    Attributes:
        levels: the noise levels.
        denoise: gives c.
        blend: lays c on the finished coarser scale; None at the coarsest.
        eta: share of the noise that is fresh in each step, 0 (none) to 1.
        fresh: z of step t, (C, H, W) standard normal; asked only where eta > 0 and t > 1.
    """

    levels: Levels
    denoise: Denoiser
    blend: Change | None = None
    eta: float = 0.0
    fresh: Fresh | None = None


def step(x: Tensor, t: int, descent: Descent) -> Tensor:
    """The state at t - 1 from x (C, H, W) at t."""
    alpha, sigma = descent.levels.alpha, descent.levels.sigma
    c = descent.denoise(x, alpha[t], sigma[t])
    if t == 1:
        return c
    noise = (x - alpha[t] * c) / sigma[t]
    if descent.blend is not None:
        c = descent.blend(c)
    if descent.eta > 0:
        assert descent.fresh is not None
        noise = math.sqrt(1 - descent.eta**2) * noise + descent.eta * descent.fresh(t)
    return alpha[t - 1] * c + sigma[t - 1] * noise


def descend(
    x: Tensor, descent: Descent, first: int | None = None, done: Callable[[], None] | None = None
) -> Tensor:
    """The finished canvas from x at level `first` (by default T); `done` is called every step."""
    for t in range(first or descent.levels.last, 0, -1):
        x = step(x, t, descent)
        if done is not None:
            done()
    return x


def ascend(x: Tensor, to: int, descent: Descent) -> Tensor:
    """The noise level `to` from x at level 1, by the same steps backwards (no blend, eta 0)."""
    alpha, sigma = descent.levels.alpha, descent.levels.sigma
    for t in range(1, to):
        c = descent.denoise(x, alpha[t], sigma[t])
        x = alpha[t + 1] * c + sigma[t + 1] * (x - alpha[t] * c) / sigma[t]
    return x
