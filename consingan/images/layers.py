"""A picture of the user's own that is transparent in part: what it shows, and where it was changed.

Two things are meant by transparency. Something drawn or cut out on a layer of its own: it is laid
over the training image, and what it covers is the mask. Or the training image with a piece erased:
what is missing is the mask, and its place takes the colors of its rim.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
import torch
from torch import Tensor

from consingan.images.levels import percent
from consingan.images.mask_files import Mask
from consingan.images.picture import Picture
from consingan.images.resize import reduced, resize_to, same_shape

SAME = 12 / 255  # in [-1, 1], of the color of a pixel that was not changed, but for JPEG
MOST_KEPT = 0.5  # of what is opaque: as much is the training image's own where a piece was erased
OPAQUE = 0.5


@dataclass(frozen=True)
class Own:
    """The user's own picture as the program works on it.

    Attributes:
        image: (1, 3, H, W) in [-1, 1], opaque.
        mask: where it was changed, if its transparency says so.
        notes: whole sentences.
    """

    image: Tensor
    mask: Mask | None = None
    notes: tuple[str, ...] = ()


def own_picture(picture: Picture, real: Tensor, name: str) -> Own:
    """Make a picture opaque.

    Args:
        picture: the user's own.
        real: the training image, (1, 3, h, w) in [-1, 1] of any size.
        name: of the picture, for sentences.
    """
    if picture.alpha is None or bool((picture.alpha == picture.alpha.min()).all()):
        return Own(picture.image, None, picture.notes)  # the same everywhere tells nothing
    notes = tuple(note for note in picture.notes if "transparent parts" not in note)
    if not same_shape(picture.size, (real.shape[-2], real.shape[-1])):
        return Own(picture.image, None, picture.notes)
    below = real if tuple(real.shape[-2:]) == picture.size else resize_to(real, picture.size)
    below = below.clamp(-1, 1).to(picture.image)
    alpha = picture.alpha
    if _is_the_same(picture, real.clamp(-1, 1).to(picture.image)):
        share = percent(float((1 - alpha).mean()))
        said = f"{name}: {share} of it is erased and filled with the colors of its rim."
        mask = Mask(1 - alpha, ("The mask is what is erased in the picture.",))
        return Own(_filled(picture), mask, (*notes, said))
    share = percent(float(alpha.mean()))
    said = f"{name}: a layer that covers {share}; it is laid over the training image."
    mask = Mask(alpha, ("The mask is what the layer covers.",))
    return Own(_over(picture, below), mask, (*notes, said))


def _is_the_same(picture: Picture, real: Tensor) -> bool:
    """Whether what is opaque is mostly the training image's own.

    At the smaller one's size: a training image that was enlarged has lost its grain.
    """
    assert picture.alpha is not None
    size = (real.shape[-2], real.shape[-1])
    shrunk = max(size) < max(picture.size)
    image = reduced(picture.image, size).clamp(-1, 1) if shrunk else picture.image
    alpha = reduced(picture.alpha, size) if shrunk else picture.alpha
    opaque = (alpha[0, 0] - 1).abs() < 1 / 255  # shrinking overshoots at edges
    if not opaque.any():
        return False
    below = real if shrunk or size == picture.size else resize_to(real, picture.size).clamp(-1, 1)
    apart = (image - below).abs().amax(1)[0]
    return float((apart[opaque] <= SAME).float().mean()) >= MOST_KEPT


def _over(picture: Picture, below: Tensor) -> Tensor:
    """The layer over another picture; where nothing covers it, that picture bit for bit."""
    assert picture.alpha is not None
    laid = picture.image + (1 - picture.alpha) * (below - picture.background)
    return torch.where(picture.alpha <= 0, below, laid).clamp(-1, 1)


def _filled(picture: Picture) -> Tensor:
    """The picture with the nearest opaque pixel's color where it is erased."""
    assert picture.alpha is not None
    erased = (picture.alpha[0, 0] <= OPAQUE).numpy()
    rows, columns = scipy.ndimage.distance_transform_edt(
        erased, return_distances=False, return_indices=True
    )
    share = picture.alpha.clamp(min=1 / 255)
    straight = (picture.image - (1 - share) * picture.background) / share  # its own color
    straight = straight.clamp(-1, 1)
    nearest = straight[:, :, torch.from_numpy(rows), torch.from_numpy(columns)]
    kept = torch.where(picture.alpha > OPAQUE, straight, nearest)
    return kept if np.any(~erased) else picture.image
