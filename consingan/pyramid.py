"""The image pyramid: the cubic resize, the sizes of the stages, the real image at each of them."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from consingan.architecture import Spacing
from consingan.errors import UserError

Size = tuple[int, int]


def _keys(x: Tensor) -> Tensor:
    """Keys' cubic kernel with a = -0.5 (Keys 1981, eq. 15), zero beyond |x| = 2."""
    x = x.abs()
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x <= 1, near, torch.where(x < 2, far, torch.zeros_like(x)))


@lru_cache(maxsize=64)
def _cubic_matrix(n_in: int, n_out: int, scale: float) -> Tensor:
    """Rows of cubic weights, float64 of shape (n_out, n_in), that resize a line of pixels.

    When shrinking, the kernel is widened by 1/scale (antialiasing). Weights that fall outside the
    line are dropped and the rest normalized, alike at both ends. Torch's own antialiased resize
    computes the same, but its public call cannot take the true scale together with
    ceil(n * scale) output pixels, and with a size alone its sampling grid shifts visibly.
    """
    width = min(scale, 1.0)
    center = (torch.arange(n_out, dtype=torch.float64) + 0.5) / scale - 0.5
    offset = torch.arange(n_in, dtype=torch.float64)[None, :] - center[:, None]
    weights = _keys(offset * width)
    return weights / weights.sum(1, keepdim=True)


def scaled_size(size: Size, scale: float) -> Size:
    """Height and width of a picture of `size` (h, w) resized by `scale`: ceil(scale * side)."""
    return math.ceil(scale * size[0]), math.ceil(scale * size[1])


def resize(image: Tensor, scale: float) -> Tensor:
    """Resize `image` (N, C, H, W) by `scale` to (N, C, ceil(scale*H), ceil(scale*W)).

    Cubic (Keys, a = -0.5), antialiased when shrinking, sampled at the true scale. The result is
    not clipped: cubic weights overshoot at edges.
    """
    height, width = image.shape[-2:]
    return _resample(image, scaled_size((height, width), scale), (scale, scale))


def resize_to(image: Tensor, size: Size) -> Tensor:
    """Resize `image` (N, C, H, W) to `size` (h, w) with the same kernel as `resize`."""
    height, width = image.shape[-2:]
    return _resample(image, size, (size[0] / height, size[1] / width))


def _resample(image: Tensor, size: Size, scales: tuple[float, float]) -> Tensor:
    height, width = image.shape[-2:]
    rows = _cubic_matrix(height, size[0], scales[0]).to(image)
    columns = _cubic_matrix(width, size[1], scales[1]).to(image)
    # Rows first keeps the big product contiguous; the order saves little else.
    return rows @ image @ columns.T


def training_scale(size: Size, max_size: int) -> float:
    """Factor that brings the longer side of a picture of `size` (h, w) down to `max_size` px."""
    return min(max_size / max(size), 1.0)


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
) -> list[Tensor]:
    """The real image at every stage, coarsest first.

    Args:
        image: (1, C, H, W) in [-1, 1].
        stages: number of stages S >= 1.
        min_size: shorter side of the coarsest image in px.
        max_size: longer side of the finest image in px; smaller pictures are not enlarged.
        spacing: how the stages are spread between the two, see `stage_scales`.
        smallest: shortest side in px that the networks can work on.

    Returns:
        S tensors (1, C, h_i, w_i) in [-1, 1], sizes as `stage_sizes`.

    Raises:
        UserError: the picture is too small for `min_size`.
    """
    size = (image.shape[-2], image.shape[-1])
    stage_sizes(size, stages, min_size, max_size, spacing, smallest)
    scale = training_scale(size, max_size)
    finest = resize(image, scale).clamp(-1, 1) if scale < 1 else image
    scales = stage_scales((finest.shape[-2], finest.shape[-1]), stages, min_size, spacing)
    return [resize(finest, s).clamp(-1, 1) for s in scales[:-1]] + [finest]
