"""A picture of the user's own enters: at a scale and a noise level, its detail kept or not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from consingan.methods.patches.engines import ClosedFormEngine, FastEngine
from consingan.methods.patches.levels import flow_linear
from consingan.methods.patches.pyramid import blend, resize, size_of
from consingan.methods.patches.recipe import at
from consingan.methods.patches.sampler import Descent, descend
from consingan.methods.patches.sampling import Canvas, Noise

COARSEST = 64  # a scale beyond all


@dataclass(frozen=True)
class Door:
    """Where a picture comes in.

    Attributes:
        scale: 0 is the finest; at most the coarsest.
        level: the noise level there and at all finer scales, 0 (as it is) to 1 (nothing is left).
    """

    scale: int
    level: float


def enter(
    canvas: Canvas,
    engine: ClosedFormEngine | FastEngine,
    noise: Noise,
    own: Sequence[Tensor],
    door: Door,
) -> Tensor:
    """What becomes of a picture, its pyramid `own` (C, h, w) finest first: (C, H, W)."""
    return deque(entered(canvas, engine, noise, own, door), maxlen=1)[0]


def entered(
    canvas: Canvas,
    engine: ClosedFormEngine | FastEngine,
    noise: Noise,
    own: Sequence[Tensor],
    door: Door,
) -> Iterator[Tensor]:
    """The same scale by scale, from the door's to the finest.

    At the door's scale x = alpha * picture + sigma * noise; at finer ones the picture's detail on
    the finished coarser scale takes the picture's place, so that colors come from below and
    structure from the picture itself. Where the canvas goes on at its other end, so does it.
    """
    scale, floor, wrap = min(door.scale, canvas.scales - 1), canvas.recipe.floor, canvas.wrap
    if isinstance(engine, FastEngine) and scale + 1 < canvas.scales:
        engine.follow(own, scale + 1)
    coarse = own[scale + 1] if scale + 1 < canvas.scales else None
    finished = own[scale]
    for s in range(scale, -1, -1):
        below = None if s == scale else finished
        base = own[s] if below is None else blend(own[s], below, floor, wrap)
        steps = at(canvas.recipe.steps, s, canvas.scales)
        levels = flow_linear(steps, canvas.recipe.sigma_min, door.level)
        x = levels.alpha[-1] * base + levels.sigma[-1] * noise.start(s)
        denoise = engine.denoiser(s, canvas.sizes[s], coarse if below is None else below)
        descent = Descent(
            levels,
            canvas.around(s, denoise),
            None if below is None else partial(blend, coarse=below, floor=floor, wrap=wrap),
            canvas.recipe.eta,
            partial(noise.fresh, s),
        )
        finished = descend(x, descent, done=canvas.done)
        yield finished


def with_own_shapes(made: Tensor, own: Tensor, share: float) -> Tensor:
    """`made` (C, H, W) with a share of what `own` has at half the size and coarser.

    A pasted object whose likes the picture lacks would dissolve in its patches; so it keeps part of
    its shape and color, and takes texture and the rest of the color.
    """
    if share == 0:
        return made
    size = size_of(made)
    half = (-(-size[0] // 2), -(-size[1] // 2))
    return made + share * resize(resize(own - made, half), size)
