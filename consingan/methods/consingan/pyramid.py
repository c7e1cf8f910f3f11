"""The image pyramid: the cubic resize, the sizes of the stages, the real image at each of them."""

from __future__ import annotations

import math

from torch import Tensor

from consingan.errors import UserError
from consingan.images.resize import Size, resize, scaled_size, training_scale
from consingan.nn.architecture import Spacing

USUAL = 250  # px of the longer side of a picture for which the usual number of stages is made
STEP = 1.5  # from one stage to the next above that, as between the finest two up to it
LEAST_BELOW = 3  # stages up to the usual size


def stages_above(size: Size, min_size: int) -> int:
    """How many stages above the usual ones a finest image of `size` (h, w) wants."""
    times = 1 / _usual_scale(size, min_size)
    return max(math.ceil(math.log(times) / math.log(STEP) - 0.01), 0)


def _usual_scale(size: Size, min_size: int) -> float:
    """Scale of the usual size; a panorama's is larger, so that its shorter side is enough."""
    longer = max(USUAL, math.ceil(1.5 * min_size * max(size) / min(size)))
    return training_scale(size, longer)


def continued_scales(
    size: Size, stages: int, min_size: int, spacing: Spacing, above: int
) -> list[float]:
    """The same as `stage_scales` where the last `above` stages go on from the usual size.

    Up to it stages are as for a picture of that size, so that layout is learned alike; above it
    each stage is as many times as large as the one before.
    """
    if not above or stages - above < LEAST_BELOW:
        return stage_scales(size, stages, min_size, spacing)
    usual = _usual_scale(size, min_size)
    below = stage_scales(scaled_size(size, usual), stages - above, min_size, spacing)
    rising = [usual ** (1 - k / above) for k in range(1, above + 1)]
    return [*(usual * scale for scale in below), *rising]


def stage_scales(size: Size, stages: int, min_size: int, spacing: Spacing) -> list[float]:
    """Scale of each stage relative to the finest image of `size` (h, w), coarsest first.

    With s = stages - 1 and r = (min_size / min(size))^(1/s), stage i < s has scale r^e:
    geometric spacing e = s - i, logarithmic e = (s-1)/ln(s) * ln(s-i) + 1, which puts more stages
    at low resolution (Hinz et al. 2021, section 3.2). Stage s is the image itself.
    """
    last = stages - 1
    if last == 0:
        return [1.0]
    ratio = (min_size / min(size)) ** (1 / last)

    def exponent(stage: int) -> float:
        if spacing == "geometric":
            return float(last - stage)
        if last == 1:  # ln(1) = 0 would divide by zero
            return 1.0
        return (last - 1) / math.log(last) * math.log(last - stage) + 1

    return [ratio ** exponent(i) for i in range(last)] + [1.0]


def stage_sizes(
    size: Size, stages: int, min_size: int, max_size: int, spacing: Spacing, smallest: int = 1
) -> list[Size]:
    """Sizes (h, w) in px of all stages, coarsest first, for an input picture of `size` (h, w).

    `smallest` is the shortest side in px that the networks can work on.

    Raises:
        UserError: the picture is too small for `min_size`; the sentence names values that work.
    """
    finest = scaled_size(size, training_scale(size, max_size))
    if min(finest) < min_size:
        raise UserError(_too_small(size, finest, min_size, smallest))
    return [scaled_size(finest, s) for s in stage_scales(finest, stages, min_size, spacing)]


def _too_small(size: Size, finest: Size, min_size: int, smallest: int) -> str:
    """Say why there is no pyramid, with a value of --min_size or --max_size that would give one."""
    height, width = finest
    what = (
        f"The image is {size[1]}x{size[0]} (WxH) and would be trained at {width}x{height}, whose "
        f"shorter side is below --min_size {min_size}"
    )
    larger = math.ceil(min_size * max(size) / min(size))
    remedies = []
    if min(finest) == smallest:
        remedies.append(f"--min_size {smallest}")
    elif min(finest) > smallest:
        remedies.append(f"--min_size {min(finest)} or less (down to {smallest})")
    if min(size) >= min_size:
        remedies.append(f"--max_size {larger} or more")
    else:
        remedies.append("a larger image")
    return f"{what}; use {', or '.join(remedies)}."


def build_pyramid(
    image: Tensor,
    stages: int,
    min_size: int,
    max_size: int,
    spacing: Spacing,
    smallest: int = 1,
    above: int = 0,
) -> list[Tensor]:
    """The real image at every stage, coarsest first.

    Args:
        image: (1, C, H, W) in [-1, 1].
        stages: number of stages S >= 1.
        min_size: shorter side of the coarsest image in px.
        max_size: longer side of the finest image in px; smaller pictures are not enlarged.
        spacing: how the stages are spread between the two, see `stage_scales`.
        smallest: shortest side in px that the networks can work on.
        above: how many of the stages go on from the usual size, see `continued_scales`.

    Returns:
        S tensors (1, C, h_i, w_i) in [-1, 1], sizes as `stage_sizes`.

    Raises:
        UserError: the picture is too small for `min_size`.
    """
    size = (image.shape[-2], image.shape[-1])
    stage_sizes(size, stages, min_size, max_size, spacing, smallest)
    scale = training_scale(size, max_size)
    finest = resize(image, scale).clamp(-1, 1) if scale < 1 else image
    finest_size = (finest.shape[-2], finest.shape[-1])
    scales = continued_scales(finest_size, stages, min_size, spacing, above)
    return [resize(finest, s).clamp(-1, 1) for s in scales[:-1]] + [finest]
