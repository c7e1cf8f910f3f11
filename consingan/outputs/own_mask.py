"""Where a picture of the user's own was changed: by a file, its transparency or a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from consingan.errors import UserError
from consingan.images import masks
from consingan.images.arrays import Given, mask_from
from consingan.images.difference import mask_from_difference
from consingan.images.fit import fit_naive
from consingan.images.hole import HALF, emptied
from consingan.images.io import read_picture
from consingan.images.layers import Own, own_picture
from consingan.images.mask_files import Mask, find_mask, fit_mask, read_mask_file, told_extent
from consingan.images.names import shown
from consingan.images.picture import SAME_IMAGE, Picture
from consingan.images.resize import as_trained, same_shape, training_factor
from consingan.outputs.requests import CompositeRequest

AUTO = "auto"


def read_own(path: str, model: Any, fit: str) -> Own:
    """The user's picture, opaque and of the training image's shape, see `layers.own_picture`.

    Raises:
        UserError: it cannot be read or is of another shape.
    """
    own = opaque(read_picture(path, model.config.reading), model, shown(Path(path).name))
    size = model.sizes[-1]
    mask = own.mask
    if mask is not None:
        mask = Mask(fit_naive(mask.values, size, fit), mask.notes)
    return Own(fit_naive(own.image, size, fit), mask, own.notes)


def opaque(picture: Picture, model: Any, name: str) -> Own:
    """See `layers.own_picture`; a transparent picture is held to the training image's own size.

    Args:
        picture: the user's own.
        model: that it is for.
        name: of the picture, for sentences.
    """
    below = model.real.cpu() if picture.alpha is None else training_image(model)
    return own_picture(picture, below, name)


def without_hole(naive: Tensor, mask: Tensor | None, model: Any) -> Tensor:
    """The user's picture without what its mask marks, for a model that fills that; else as it is.

    A softened mask shows the picture through the result at its edge. Where the mask itself is
    fainter than half, the picture is what the user wants to see there, and stays.
    """
    if mask is None or not model.task.fills:
        return naive
    return emptied(naive, mask >= HALF)


def choose_mask(path: str, own: Own, model: Any, request: CompositeRequest) -> Mask | None:
    """The mask at the size of the user's picture, with what is to be said; None if there is none.

    A file that is named or lies beside the picture comes first, then the picture's transparency.

    Args:
        path: of the picture; "" where the file that it was read from is not there.
        own: the picture.
        model: that works on it.
        request: what was asked for.

    Raises:
        UserError: it cannot be read, or is of another shape.
    """
    mask = _found(path, own, model, request)
    if mask is None:
        return None
    values = masks.invert(mask.values) if request.mask_invert else mask.values
    return Mask(values, (*mask.notes, *told_extent(values)))


def _found(path: str, own: Own, model: Any, request: CompositeRequest) -> Mask | None:
    size = (own.image.shape[-2], own.image.shape[-1])
    if request.mask == AUTO:
        return Mask(_differing(own.image, model.real.cpu()))
    beside = find_mask(Path(path)) if path else None
    file = Path(request.mask) if request.mask else beside
    if file is None:
        return own.mask
    whole = read_mask_file(file, (own.image, training_image(model)))
    if request.fit == "crop":
        whole = Mask(fit_naive(whole.values, model.sizes[-1], "crop"), whole.notes)
    return fit_mask(whole, size)


def given_mask(given: Given, picture: Tensor, model: Any) -> Mask:
    """The mask that a program gives for a picture (1, 3, h, w), or "auto"; see `mask_from`."""
    if isinstance(given, str) and given == AUTO:
        return Mask(_differing(picture, model.real.cpu()))
    return mask_from(given, _photographs(picture, model))


def _photographs(picture: Tensor, model: Any) -> Iterator[Tensor]:
    """What strokes of a mask may be drawn on; files are read for masks that ask."""
    yield picture
    yield training_image(model)


def _differing(naive: Tensor, real: Tensor) -> Tensor:
    """The mask of a picture (1, 3, H, W) at its own size, from the training image (1, 3, h, w)."""
    own, size = ((x.shape[-2], x.shape[-1]) for x in (naive, real))
    found = mask_from_difference(as_trained(naive, size), real)
    factor = training_factor(own, size) if max(size) < max(own) else None
    if factor is None:
        return masks.resize_mask(found, own)
    # A training rounds up, so that its last row and column reach beyond the picture.
    whole = (round(size[0] / factor), round(size[1] / factor))
    return masks.resize_mask(found, whole)[..., : own[0], : own[1]]


def training_image(model: Any) -> Tensor:
    """The training image at its own size if its file is still there, else at the trained size."""
    real: Tensor = model.real.cpu()
    try:
        whole = read_picture(model.config.input_name, model.config.reading).image
    except UserError:
        return real
    return whole if was_trained(whole, model) else real


def was_trained(image: Tensor, model: Any) -> bool:
    """Whether `image`, (1, 3, H, W) in [-1, 1], is the training image at its own size."""
    real: Tensor = model.real.cpu()
    own, size = (image.shape[-2], image.shape[-1]), (real.shape[-2], real.shape[-1])
    longer = min(max(own), model.config.max_size)
    # Earlier releases round up more often than `training_scale`, and so do SinGAN's authors.
    if not (same_shape(own, size) and longer <= max(size) <= min(longer + 1, max(own))):
        return False
    again = image if own == size else as_trained(image, size)
    return again.shape == real.shape and float((again - real).abs().mean()) <= SAME_IMAGE
