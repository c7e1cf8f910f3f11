"""Random pictures of any size, beginning at any scale (authors' random_samples.py)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from consingan.methods.contract import ScaledSize
from consingan.methods.singan.chain import Runner, Scale, climb, handed_up, run_plainly
from consingan.methods.singan.resize import Size, resize_to


def sample_sizes(sizes: Sequence[Size], size: Size | None) -> list[Size]:
    """(h, w) of every scale for a picture of `size`, by default the training's.

    As the authors round, where factors were typed; else by the ratio of the finest sizes.
    """
    height, width = sizes[-1]
    wanted = size or (height, width)
    ratios = wanted[0] / height, wanted[1] / width
    down, across = wanted.factors if isinstance(wanted, ScaledSize) else ratios
    return [*((max(round(h * down), 1), max(round(w * across), 1)) for h, w in sizes[:-1]), wanted]


@torch.no_grad()
def sample(
    scales: Sequence[Scale],
    noises: Sequence[Tensor],
    factor: float,
    start_scale: int = 0,
    run: Runner = run_plainly,
) -> Tensor:
    """Pictures (N, 3, h, w) in [-1, 1] from `noises` of all scales; their sizes decide the size.

    Scales before `start_scale` keep the fixed noise, so that the layout is the training image's.
    At another size, which the fixed noise does not have, the picture that it gives is stretched.
    """
    margin, wraps, first = scales[0].margin, scales[0].wraps, noises[0]
    blank = first.new_zeros(len(first), 3, *_inner(first, margin))
    if start_scale == 0:
        return climb(scales, noises, blank, factor, run)
    fixed = [scale.fixed for scale in scales[:start_scale]]
    below = climb(scales[:start_scale], fixed, torch.zeros_like(scales[0].real), factor, run)
    entered = noises[start_scale]
    if all(z.shape[-2:] == s.fixed.shape[-2:] for z, s in zip(noises, scales, strict=True)):
        image = handed_up(below, factor, entered, margin, wraps)
    else:
        image = resize_to(below, _inner(entered, margin), wraps)
    image = image.expand(len(entered), -1, -1, -1)
    return climb(scales[start_scale:], noises[start_scale:], image, factor, run)


def reconstruct(scales: Sequence[Scale], factor: float, run: Runner = run_plainly) -> Tensor:
    """What the fixed noises of `scales` give, (1, 3, h, w) in [-1, 1]."""
    fixed = [scale.fixed for scale in scales]
    return climb(scales, fixed, torch.zeros_like(scales[0].real), factor, run)


def _inner(noise: Tensor, margin: int) -> Size:
    return noise.shape[-2] - 2 * margin, noise.shape[-1] - 2 * margin
