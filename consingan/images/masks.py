"""Masks: where the user changed a picture, and so where the generated picture is to be seen.

A mask is a float tensor (1, 1, H, W) in [0, 1]: 1 (white) = changed, 0 (black) = untouched,
between (gray) = a soft transition.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy
import skimage
import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.errors import UserError
from consingan.images.raster import FloatPixels

DEFAULT_FEATHER = 5.0
"""Standard deviation of the authors' soft transition, in pixels of the trained size."""

# A Gaussian narrower than this (px) is cut before it reaches the next pixel.
SMALLEST_SIGMA = 0.125
# What a feather far wider than the picture leaves of a mask is rounding, not a transition.
FAINTEST_SPAN = 1e-6
# A wider Gaussian (px) is computed as products of matrices, of no more rows than this.
LARGEST_SIGMA = 24.0
LARGEST_BLURRED = 1024
# Of the longer side: a wider Gaussian leaves the same slope from end to end.
WIDEST = 4


def resize_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring a mask (1, 1, H, W) to `size` (height, width), bilinear with antialiasing."""
    if tuple(mask.shape[-2:]) == tuple(size):
        return mask
    mask = F.interpolate(mask, size=size, mode="bilinear", antialias=True, align_corners=False)
    # The filter's weights add up to 1 only nearly, and white must stay exactly white.
    return mask.round(decimals=4).clamp(0, 1)


def shrunk_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """As `resize_mask`, but that parts too thin for the other size have a pixel as strong there."""
    solid = (mask > mask.max() / 2).to(mask)
    kept = (resize_mask(solid, size) >= 0.5).to(mask)
    lost, places = _lost(kept, solid)
    found = resize_mask(mask, size).flatten()
    found = found.scatter_reduce(0, places, mask[0, 0][lost], "amax")
    return found.reshape(1, 1, *size)


def with_lost(small: Tensor, mask: Tensor) -> Tensor:
    """A mask brought to another size, with every part of it that found no pixel there.

    Args:
        small: (1, 1, h, w), 0 or 1.
        mask: (1, 1, H, W) that it was made of, above 0 inside.

    Returns:
        (1, 1, h, w): `small`, and white where white lies that has none in the pixels around it.
    """
    found = small.clone()
    found.view(-1)[_lost(small, mask)[1]] = 1
    return found


def _lost(small: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Where in `mask` (H, W) its white has none around it in `small`, and the pixels' places there.

    The places are numbers of pixels, counted by rows, in the order of the white ones.
    """
    sides = zip(small.shape[-2:], mask.shape[-2:], strict=True)
    row, column = (torch.arange(old, device=mask.device) * new // old for new, old in sides)
    near = F.max_pool2d(small, 3, 1, 1)[0, 0] > 0
    lost = (mask[0, 0] > 0) & ~near[row][:, column]
    at = lost.nonzero()
    return lost, row[at[:, 0]] * small.shape[-1] + column[at[:, 1]]


def soften(
    mask: Tensor, dilation: float, feather: float = DEFAULT_FEATHER, scale: float = 1.0
) -> Tensor:
    """Widen a mask with a disk and blur its edge, as the authors do before compositing.

    The disk and the Gaussian (cut at 4 sigma, the border's pixels repeated) are scikit-image's.
    The blurred mask is then rescaled so that it spans the same values as before the blur: [0, 1]
    for every mask with black and white, while one that is all black, all white or at most gray
    stays so.

    Args:
        mask: (1, 1, H, W) in [0, 1].
        dilation: radius of the disk in pixels, rounded after scaling; 7 for harmonization and 20
            for editing (Hinz et al. 2021); 0 leaves the step out.
        feather: sigma of the Gaussian in pixels; 0 leaves the step out.
        scale: multiplies both, for a mask larger than the trained image.

    Returns:
        (1, 1, H, W) in [0, 1], of the mask's type and device.

    Raises:
        UserError: dilation or feather is negative or not a number, or scale is not positive.
    """
    if not (0 <= dilation < np.inf and 0 <= feather < np.inf):
        raise UserError(
            f"The mask's dilation ({dilation:g}) and feather ({feather:g}) are lengths in pixels: "
            "give 0 or more."
        )
    if not 0 < scale < np.inf:
        raise UserError(f"The mask's scale is {scale:g}: give a number above 0.")
    wide = _dilate(mask[0, 0].double().cpu().numpy(), round(dilation * scale))
    soft = _feather(wide, feather * scale)
    return torch.from_numpy(soft)[None, None].to(mask)


def invert(mask: Tensor) -> Tensor:
    """Swap changed and untouched: (1, 1, H, W) in [0, 1] to the same."""
    return 1 - mask


def composite(background: Tensor, generated: Tensor, mask: Tensor) -> Tensor:
    """Lay the generated picture over the background where the mask is white.

    (1 - m) * background + m * generated (Hinz et al. 2021, supplementary); the result is bit for
    bit the background where m = 0 and bit for bit the generated picture where m = 1.

    Args:
        background: (1, 3, H, W) in [-1, 1].
        generated: the same.
        mask: (1, 1, H, W) in [0, 1].

    Returns:
        (1, 3, H, W) in [-1, 1], of the background's type and device.

    Raises:
        UserError: the three differ in size.
    """
    check_same_size("generated picture", generated, "background", background)
    check_same_size("mask", mask, "background", background)
    generated, mask = generated.to(background), mask.to(background)
    blend = (1 - mask) * background + mask * generated
    return torch.where(mask <= 0, background, torch.where(mask >= 1, generated, blend))


def _dilate(mask: FloatPixels, radius: int) -> FloatPixels:
    """Take the maximum over a disk around every pixel.

    Of a mask of black and white alone it is a distance that counts, at any radius in the same time.
    Of others the disk is cut into its rows, whose maximum costs the same at any width: ten times as
    fast as `skimage.morphology.dilation` on a large picture. The result is the same.
    """
    height = mask.shape[0]
    radius = min(radius, sum(mask.shape))  # wider than the picture: the same result
    if radius and np.isin(mask, (0, 1)).all() and mask.any():
        return np.asarray(_squared_distance(mask) <= radius**2, dtype=np.float64)
    padded = np.pad(mask, ((radius, radius), (0, 0)))
    wide = mask
    for offset, width in enumerate(disk(radius).sum(axis=1)):
        row_maximum = scipy.ndimage.maximum_filter1d(padded, int(width), axis=1, mode="nearest")
        wide = np.maximum(wide, row_maximum[offset : offset + height])
    return wide


def _squared_distance(mask: FloatPixels) -> npt.NDArray[np.int64]:
    """From each pixel to the nearest one of the mask, in whole numbers."""
    nearest = scipy.ndimage.distance_transform_edt(
        mask == 0, return_distances=False, return_indices=True
    ).astype(np.int64)
    nearest -= np.indices(mask.shape)
    return np.asarray((nearest**2).sum(axis=0))


def _feather(mask: FloatPixels, sigma: float) -> FloatPixels:
    """Blur, then rescale to the range of values that the mask had."""
    low, high = mask.min(), mask.max()
    if sigma < SMALLEST_SIGMA or low == high:
        return mask
    soft = _wide_blur(mask, min(sigma, WIDEST * max(mask.shape)))
    span = soft.max() - soft.min()
    if span < FAINTEST_SPAN * (high - low):
        return mask
    fraction = (soft - soft.min()) / span
    return np.asarray(low + fraction * (high - low), dtype=np.float64)


def _wide_blur(mask: FloatPixels, sigma: float) -> FloatPixels:
    """Blur by any sigma in bounded time: a wide one leaves what a smaller picture can hold.

    Blocks of pixels are averaged and the result is interpolated, both narrow beside sigma.
    """
    if sigma <= LARGEST_SIGMA:
        return gaussian(mask, sigma)
    factor = max(1, min(int(sigma / 8), -(-max(mask.shape) // LARGEST_BLURRED)))
    height, width = mask.shape
    padding = [(0, -side % factor) for side in (height, width)]
    whole = np.pad(mask, padding, mode="edge")
    rows, columns = (side // factor for side in whole.shape)
    small = whole.reshape(rows, factor, columns, factor).mean(axis=(1, 3))
    soft = _gaussian_matrix(rows, sigma / factor) @ small
    soft = soft @ _gaussian_matrix(columns, sigma / factor).T
    if factor == 1:
        return np.asarray(soft)
    size = (rows * factor, columns * factor)
    large = F.interpolate(
        torch.from_numpy(soft)[None, None], size=size, mode="bilinear", align_corners=False
    )
    return np.asarray(large[0, 0, :height, :width].numpy())


def _gaussian_matrix(length: int, sigma: float) -> FloatPixels:
    """(length, length): the weights of `gaussian` along a line, in each row those of one pixel.

    What would lie beyond an end counts as the pixel there.
    """
    radius = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights /= weights.sum()
    below = np.concatenate([[0.0], np.cumsum(weights)])  # sums of the first weights
    place = np.arange(length)
    tap = place[None] - place[:, None] + radius
    first, after = (np.clip(tap + more, 0, len(weights)) for more in (0, 1))
    matrix: FloatPixels = below[after] - below[first]
    matrix[:, 0] = below[after[:, 0]]
    matrix[:, -1] = 1 - below[first[:, -1]]
    return matrix if length > 1 else np.ones((1, 1))


def gaussian(pixels: FloatPixels, sigma: float) -> FloatPixels:
    """Blur (H, W) or each channel of (H, W, C) as scikit-image does unless told otherwise."""
    blurred = skimage.filters.gaussian(  # type: ignore[no-untyped-call, unused-ignore]
        pixels,
        sigma=sigma,
        mode="nearest",
        truncate=4.0,
        channel_axis=-1 if pixels.ndim == 3 else None,
    )
    return np.asarray(blurred, dtype=np.float64)


def disk(radius: int) -> npt.NDArray[np.uint8]:
    """Return the pixels within `radius` of the middle one as 1 in a square of 0."""
    disk = skimage.morphology.disk(radius)  # type: ignore[no-untyped-call, unused-ignore]
    return np.asarray(disk, dtype=np.uint8)


def check_same_size(name: str, picture: Tensor, other_name: str, other: Tensor) -> None:
    """Refuse two pictures (..., H, W) of different sizes; the names are for the sentence."""
    (height, width), (other_height, other_width) = picture.shape[-2:], other.shape[-2:]
    if (height, width) != (other_height, other_width):
        raise UserError(
            f"The {name} has {width}x{height} pixels but the {other_name} has "
            f"{other_width}x{other_height}: bring them to the same size first."
        )
