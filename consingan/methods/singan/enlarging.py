"""Super-resolution: the finest generator, again and again (paper, section 4)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from consingan.methods.singan.chain import Runner, Scale, run_plainly
from consingan.methods.singan.networks import frame
from consingan.methods.singan.pyramid import Enlargement
from consingan.methods.singan.resize import crop, resize

Draw = Callable[[int, tuple[int, int, int, int]], Tensor]  # step, shape -> N(0, 1)

TILE = 512  # px, side of what goes through the generator at a time


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
        tile: px; larger pictures go through in pieces that overlap by the frame, which changes
            nothing: the generator sees 11x11 px and normalizes with its running statistics.
    """
    picture = image
    for step in range(plan.steps):
        picture = resize(picture, plan.step)
        height, width = picture.shape[-2:]
        noise = draw(step, (1, 1 if step == 0 else 3, height, width)).expand(-1, 3, -1, -1)
        picture = _in_tiles(finest, picture, noise, run, tile)
    return crop(picture, plan.output((image.shape[-2], image.shape[-1])))


def _in_tiles(finest: Scale, image: Tensor, noise: Tensor, run: Runner, tile: int) -> Tensor:
    margin = finest.margin
    previous = frame(image, margin)
    x = previous + frame(finest.amplitude * noise, margin)
    height, width = image.shape[-2:]
    output = torch.empty_like(image)
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            bottom, right = min(top + tile, height), min(left + tile, width)
            window = (..., slice(top, bottom + 2 * margin), slice(left, right + 2 * margin))
            output[..., top:bottom, left:right] = run(finest.generator, x[window], previous[window])
    return output
