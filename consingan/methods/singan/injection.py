"""A picture of the user's own enters at a scale: harmonization, editing, paint (section 4)."""

from __future__ import annotations

from torch import Tensor

from consingan.errors import UserError
from consingan.methods.singan.pyramid import Pyramid
from consingan.methods.singan.resize import crop, resize, resize_to


def fit_reference(reference: Tensor, pyramid: Pyramid) -> Tensor:
    """The user's picture (1, 3, H, W) at the finest scale's size."""
    size = pyramid.sizes[-1]
    if reference.shape[-2:] == size:
        return reference
    return crop(resize_to(reference, size), size)


def entered(reference: Tensor, pyramid: Pyramid, start_scale: int) -> Tensor:
    """What enters `start_scale`, (1, 3, h, w): shrunk to the scale before and grown again.

    Args:
        reference: (1, 3, h_N, w_N) in [-1, 1], see `fit_reference`.
        pyramid: of the model.
        start_scale: 1 to N.

    Raises:
        UserError: there is no such scale to enter.
    """
    check_start_scale(start_scale, pyramid.last)
    before = start_scale - 1
    small = crop(resize(reference, pyramid.factor(before)), pyramid.sizes[before])
    return crop(resize(small, 1 / pyramid.ratio), pyramid.sizes[start_scale])


def entered_quantized(quantized: Tensor, pyramid: Pyramid, start_scale: int) -> Tensor:
    """What a quantized paint enters `start_scale` as: shrunk to that scale only."""
    check_start_scale(start_scale, pyramid.last)
    return crop(resize(quantized, pyramid.factor(start_scale)), pyramid.sizes[start_scale])


def check_start_scale(start_scale: int, last: int) -> None:
    """Refuse a scale that a picture cannot enter.

    Raises:
        UserError: the sentence says which there are.
    """
    if not 1 <= start_scale <= last:
        raise UserError(
            f"The start scale {start_scale} is not one that a picture can enter; "
            f"this model has 1 to {last} (the finest)."
        )
