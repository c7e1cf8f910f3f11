"""The cubic resize, exact and antialiased, and the sizes it gives."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.machine.memory import worth_keeping

Size = tuple[int, int]
CPU = torch.device("cpu")  # where the matrices are made


def cubic(x: Tensor) -> Tensor:
    """Keys' cubic kernel with a = -0.5 (Keys 1981, eq. 15), zero beyond |x| = 2."""
    x = x.abs()
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x <= 1, near, torch.where(x < 2, far, torch.zeros_like(x)))


def _matrix(n_in: int, n_out: int, scale: float) -> Tensor:
    """See `_cubic_matrix`; large ones are not kept, which take hundreds of megabytes."""
    make = _cubic_matrix if worth_keeping(n_out, n_in, CPU) else _cubic_matrix.__wrapped__
    return make(n_in, n_out, scale)


@lru_cache(maxsize=64)
def _cubic_matrix(n_in: int, n_out: int, scale: float) -> Tensor:
    """Rows of cubic weights, float64 of shape (n_out, n_in), that resize a line of pixels.

    When shrinking, the kernel is widened by 1/scale (antialiasing). Weights that fall outside the
    line are dropped and the rest normalized, alike at both ends. Torch's own antialiased resize
    computes the same, but its public call cannot take the true scale together with
    ceil(n * scale) output pixels, and with a size alone its sampling grid shifts visibly.
    """
    return _cubic_rows(n_in, scale, (0, n_out))


def _cubic_rows(n_in: int, scale: float, rows: tuple[int, int]) -> Tensor:
    """Rows [a, b) of `_cubic_matrix`."""
    width = min(scale, 1.0)
    center = (torch.arange(*rows, dtype=torch.float64) + 0.5) / scale - 0.5
    offset = torch.arange(n_in, dtype=torch.float64)[None, :] - center[:, None]
    weights = cubic(offset * width)
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


def training_factor(own: Size, size: Size) -> float | None:
    """The one factor by which a training makes `size` (h, w) of a picture of `own` size, if any.

    Of either rounding: `training_scale`, or that of SinGAN's authors, by which the longer side can
    be one px above --max_size. None where neither gives `size`.
    """
    factors = (training_scale(own, max(size)), (max(size) - 1) / max(own))
    return next((factor for factor in factors if scaled_size(own, factor) == size), None)


def reduced(image: Tensor, size: Size) -> Tensor:
    """`image` (N, C, H, W) made smaller to `size` (h, w) as a training made it, not clipped.

    By `training_factor`; where there is none, each side has its own.
    """
    factor = training_factor((image.shape[-2], image.shape[-1]), size)
    return resize_to(image, size) if factor is None else resize(image, factor)


def as_trained(image: Tensor, size: Size) -> Tensor:
    """`image` (N, C, H, W) beside a training image of `size` (h, w), pixel on pixel; clipped."""
    smaller = max(size) < max(image.shape[-2:])
    return (reduced(image, size) if smaller else resize_to(image, size)).clamp(-1, 1)


def resize_large(image: Tensor, size: Size) -> Tensor:
    """As `resize_to` but for rounding, in a time that grows with the pixels alone.

    Torch sums the few pixels that count, where `resize_to` multiplies by matrices: 2000x1500 px are
    halved in 0.04 CPU seconds instead of 0.33.
    """
    if tuple(image.shape[-2:]) == size:
        return image
    return F.interpolate(image, size=size, mode="bicubic", antialias=True, align_corners=False)


def _resample(image: Tensor, size: Size, scales: tuple[float, float]) -> Tensor:
    height, width = image.shape[-2:]
    rows = _matrix(height, size[0], scales[0]).to(image)
    columns = _matrix(width, size[1], scales[1]).to(image)
    # Rows first keeps the big product contiguous; the order saves little else.
    return rows @ image @ columns.T


def resized_strips(image: Tensor, size: Size, rows: int) -> Iterator[Tensor]:
    """What `resize_to` makes, to rounding, from the top: (N, C, `rows`, w) at a time."""
    height, width = image.shape[-2:]
    wide = image @ _matrix(width, size[1], size[1] / width).to(image).T
    for top in range(0, size[0], rows):
        bottom = min(top + rows, size[0])
        weights = _cubic_rows(height, size[0] / height, (top, bottom))
        used = weights.any(0).nonzero().flatten()
        first, last = int(used[0]), int(used[-1]) + 1
        yield weights[:, first:last].to(image) @ wide[..., first:last, :]


def training_scale(size: Size, max_size: int) -> float:
    """Factor that brings the longer side of a picture of `size` (h, w) down to `max_size` px.

    Rounded so that `scaled_size` gives `max_size` and not one more: 250 / 333 * 333 exceeds 250.
    """
    scale = min(max_size / max(size), 1.0)
    return math.nextafter(scale, 0) if scale * max(size) > max_size else scale


def same_shape(size: Size, other: Size) -> bool:
    """Whether two (h, w) have one shape but for the rounding of either to whole pixels."""
    ratio = (size[0] / size[1]) / (other[0] / other[1])
    return max(ratio, 1 / ratio) - 1 <= 1 / min(size) + 1 / min(other)
