"""Super-resolution: the finest generator, again and again (paper, section 4)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from consingan.methods.singan.chain import TILE, Runner, Scale, Tiled, run_plainly
from consingan.methods.singan.networks import frame
from consingan.methods.singan.pyramid import Enlargement
from consingan.methods.singan.resize import crop, resize

Draw = Callable[[int, tuple[int, int, int, int]], Tensor]  # step, shape -> N(0, 1)


@torch.no_grad()
def enlarge_picture(
    finest: Scale,
    image: Tensor,
    plan: Enlargement,
    draw: Draw,
    run: Runner = run_plainly,
    tile: int = TILE,
) -> Tensor:
    """`image` (1, 3, h, w) in [-1, 1] enlarged by `plan.factor`, cut to int(factor * side).

    I = resize(image, step); then for each step I <- G_N(amp_N z + P(I), P(I)), resized by `step`
    between them. z of the first step has one channel, repeated: it is "scale 0" of this pyramid.

    Args:
        finest: scale N of a model trained for super-resolution.
        image: the finest real image as trained.
        plan: steps.
        draw: noise of a step.
        run: how the generator is executed.
        tile: px, see `chain.Tiled`.
    """
    picture, tiled = image, Tiled(run, tile)
    for step in range(plan.steps):
        picture = resize(picture, plan.step)
        height, width = picture.shape[-2:]
        noise = draw(step, (1, 1 if step == 0 else 3, height, width)).expand(-1, 3, -1, -1)
        previous = frame(picture, finest.margin)
        x = previous + frame(finest.amplitude * noise, finest.margin)
        picture = tiled(finest.generator, x, previous)
    return crop(picture, plan.output((image.shape[-2], image.shape[-1])))
