"""Bring a picture of the user's own to the shape of the training image."""

from __future__ import annotations

from torch import Tensor

from consingan.errors import UserError
from consingan.images.resize import Size, same_shape


def fit_naive(naive: Tensor, size: Size, fit: str) -> Tensor:
    """Bring the user's picture to the shape of the training image of `size` (h, w).

    Args:
        naive: (1, 3, H, W) in [-1, 1].
        size: of the training image, its shape counts.
        fit: "exact" refuses another shape, "crop" cuts the middle out, "stretch" leaves the
            picture as it is, to be stretched to the training size.

    Raises:
        UserError: the shapes differ and `fit` is "exact".
    """
    height, width = naive.shape[-2:]
    if fit == "stretch" or same_shape((height, width), size):
        return naive
    if fit == "exact":
        raise UserError(
            f"The naive image is {width}x{height}, of another shape than the training image "
            f"({size[1]}x{size[0]}); use --fit crop or --fit stretch."
        )
    ratio = size[1] / size[0]
    new_w, new_h = min(width, round(height * ratio)), min(height, round(width / ratio))
    left, top = (width - new_w) // 2, (height - new_h) // 2
    return naive[..., top : top + new_h, left : left + new_w]


def beside(own: Size, real: Size) -> Size:
    """(h, w) of a picture of `own` brought to the shorter side of `real`, in its own shape.

    Where both have one shape but for rounding it is `real` itself.
    """
    if same_shape(own, real):
        return real
    factor = min(real) / min(own)
    return round(own[0] * factor), round(own[1] * factor)
