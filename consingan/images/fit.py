"""Bring a picture of the user's own to the shape of the training image."""

from __future__ import annotations

from torch import Tensor

from consingan.errors import UserError
from consingan.images.io import read_image
from consingan.methods.choose import no_naive_image
from consingan.methods.consingan.tasks import MODES
from consingan.settings.config import Config


def read_naive(config: Config, size: tuple[int, int]) -> Tensor | None:
    """The user's own picture, if the configuration names one and the mode takes it.

    Args:
        config: the settings.
        size: (h, w) of the training image, whose shape the picture must have or be given.

    Raises:
        UserError: the mode does not take one, it cannot be read or it is of another shape.
    """
    if not config.naive_img:
        return None
    if not MODES[config.train_mode].takes_naive_image:
        raise no_naive_image(config.train_mode)
    return fit_naive(read_image(config.naive_img), size, config.fit)


FITS = ("exact", "crop", "stretch")

Size = tuple[int, int]


def fit_naive(naive: Tensor, size: Size, fit: str = "exact") -> Tensor:
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


def same_shape(size: Size, other: Size) -> bool:
    """Whether two (h, w) have one shape but for the rounding of either to whole pixels."""
    ratio = (size[0] / size[1]) / (other[0] / other[1])
    return abs(ratio - 1) <= 1 / min(size) + 1 / min(other)
