"""Masks: where the user changed a picture, and so where the generated picture is to be seen.

A mask is a float tensor (1, 1, H, W) in [0, 1]: 1 (white) = changed, 0 (black) = untouched,
between (gray) = a soft transition.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy import ndimage
from skimage import color, filters, morphology
from torch import Tensor

from consingan.errors import UserError
from consingan.images.io import EXTENSIONS, FloatPixels, read_pixels

Region = npt.NDArray[np.bool_]

DEFAULT_FEATHER = 5.0
"""Standard deviation of the authors' soft transition, in pixels of the trained size."""

DEFAULT_THRESHOLD = 10.0
"""CIE76 color distance; JPEG of quality 50 and above stays below it almost everywhere."""

# Of the largest difference nearby: where a blurred edge is crossed. A little below a half, because
# a mask slightly too large does less harm than a rim of the pasted object that stays.
EDGE_FRACTION = 0.45
# Lengths below are pixels of a picture with this shorter side and grow with larger ones.
REFERENCE_SIDE = 250
NOISE_SIGMA = 1.5
EDGE_NEIGHBORHOOD = 3
SMALLEST_OBJECT = 0.0005  # fraction of the picture's area
LARGEST_HOLE = 0.05  # likewise: a larger hole is one that the user sees through

# A Gaussian narrower than this (px) is cut before it reaches the next pixel.
SMALLEST_SIGMA = 0.125
# What a feather far wider than the picture leaves of a mask is rounding, not a transition.
FAINTEST_SPAN = 1e-6

# Lossy formats scatter a uniform color by a few of 256 levels.
UNIFORM_SPREAD = 8 / 255


def read_mask(path: Path | str, size: tuple[int, int] | None = None) -> Tensor:
    """Read a mask from any picture file.

    Gray is the mean of the channels. In a file with transparency, transparent means untouched:
    one drawn in a single color is its own opacity, whatever the color; others are laid over
    black.

    Args:
        path: the picture.
        size: (height, width) in pixels to bring the mask to, bilinear with antialiasing; None
            keeps the file's.

    Returns:
        (1, 1, H, W), float32, in [0, 1].

    Raises:
        UserError: the file is missing or is no picture that can be read.
    """
    gray = _gray(read_pixels(path))
    mask = torch.from_numpy(gray)[None, None].float().clamp(0, 1)
    return mask if size is None else resize_mask(mask, size)


def resize_mask(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Bring a mask (1, 1, H, W) to `size` (height, width), bilinear with antialiasing."""
    if tuple(mask.shape[-2:]) == tuple(size):
        return mask
    mask = F.interpolate(mask, size=size, mode="bilinear", antialias=True, align_corners=False)
    # The filter's weights add up to 1 only nearly, and white must stay exactly white.
    return mask.round(decimals=4).clamp(0, 1)


def find_mask(naive_path: Path) -> Path | None:
    """Find the mask that lies beside a naive image, or None.

    Its name is the naive image's without the last suffix, then `_mask` and one of
    `images.EXTENSIONS` in upper or lower case: `my-photo.v2_mask.PNG` for `my-photo.v2.jpeg`. Of
    several, the one whose extension stands first there (PNG before all others) is taken.
    """
    folder = naive_path.parent
    if not folder.is_dir():
        return None
    wanted = _composed(f"{naive_path.stem}_mask")
    found = [
        path
        for path in folder.iterdir()
        if _composed(path.stem) == wanted and path.suffix.lower() in EXTENSIONS and path.is_file()
    ]
    return min(found, key=_preference, default=None)


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


def mask_from_difference(
    naive: Tensor, real: Tensor, threshold: float = DEFAULT_THRESHOLD
) -> Tensor:
    """Find where the naive image differs from the training image.

    The color distance is that of CIE L*a*b* (CIE76: 2 is just visible, black to white is 100),
    averaged over a small neighborhood to even out JPEG noise. Small specks are dropped, small
    gaps closed and small holes filled.

    Args:
        naive: (1, 3, H, W) in [-1, 1].
        real: the training image, the same.
        threshold: color distance above which a place counts as changed; lower it where a faint
            object is missed, raise it where noise is taken for one.

    Returns:
        (1, 1, H, W), 0 or 1; all 0 where nothing differs.

    Raises:
        UserError: the images differ in size, or the threshold is not a positive number.
    """
    _check_same_size("naive image", naive, "training image", real)
    if not 0 < threshold < np.inf:
        raise UserError(f"The mask's threshold is {threshold:g}: give a color distance above 0.")
    unit = max(1.0, min(naive.shape[-2:]) / REFERENCE_SIDE)
    difference = _color_distance(naive, real, sigma=NOISE_SIGMA * unit)
    # Half-way up a blurred edge is where the edge was; a bare threshold would lie outside it.
    around = ndimage.maximum_filter(difference, size=2 * round(EDGE_NEIGHBORHOOD * unit) + 1)
    changed = difference > np.maximum(threshold, EDGE_FRACTION * around)
    return torch.from_numpy(_clean(changed, round(unit)))[None, None].to(naive)


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
    _check_same_size("generated picture", generated, "background", background)
    _check_same_size("mask", mask, "background", background)
    generated, mask = generated.to(background), mask.to(background)
    blend = (1 - mask) * background + mask * generated
    return torch.where(mask <= 0, background, torch.where(mask >= 1, generated, blend))


def _gray(pixels: FloatPixels) -> FloatPixels:
    """Mask (H, W) of a picture (H, W, 3) or, with transparency, (H, W, 4); all in [0, 1]."""
    color_mean: FloatPixels = pixels[:, :, :3].mean(axis=2)
    if pixels.shape[2] == 3:
        return color_mean
    opacity = pixels[:, :, 3]
    if opacity.min() < opacity.max() and _is_uniform(pixels[opacity > 0, :3]):
        return opacity
    return np.asarray(color_mean * opacity)


def _is_uniform(colors: FloatPixels) -> bool:
    """Whether the colors (N, 3), N > 0, are one color but for the noise of lossy formats."""
    return bool(np.ptp(colors, axis=0).max() <= UNIFORM_SPREAD)


def _composed(name: str) -> str:
    """Bring accents to one form: macOS may store a letter and its accent as two characters."""
    return unicodedata.normalize("NFC", name)


def _preference(path: Path) -> tuple[int, str]:
    return EXTENSIONS.index(path.suffix.lower()), path.name


def _dilate(mask: FloatPixels, radius: int) -> FloatPixels:
    """Take the maximum over a disk around every pixel.

    The disk is cut into its rows, whose maximum costs the same at any width: ten times as fast as
    `skimage.morphology.dilation` on a large picture, with the same result.
    """
    height = mask.shape[0]
    radius = min(radius, sum(mask.shape))  # wider than the picture: the same result
    padded = np.pad(mask, ((radius, radius), (0, 0)))
    wide = mask
    for offset, width in enumerate(_disk(radius).sum(axis=1)):
        row_maximum = ndimage.maximum_filter1d(padded, int(width), axis=1, mode="nearest")
        wide = np.maximum(wide, row_maximum[offset : offset + height])
    return wide


def _feather(mask: FloatPixels, sigma: float) -> FloatPixels:
    """Blur, then rescale to the range of values that the mask had."""
    low, high = mask.min(), mask.max()
    if sigma < SMALLEST_SIGMA or low == high:
        return mask
    soft = _blur(mask, sigma)
    span = soft.max() - soft.min()
    if span < FAINTEST_SPAN * (high - low):
        return mask
    fraction = (soft - soft.min()) / span
    return np.asarray(low + fraction * (high - low), dtype=np.float64)


def _color_distance(first: Tensor, second: Tensor, sigma: float) -> FloatPixels:
    """Return the CIE76 distance of two images (1, 3, H, W), blurred, as (H, W)."""
    first_lab, second_lab = (
        color.rgb2lab((image[0].double().cpu().permute(1, 2, 0).numpy() + 1) / 2)
        for image in (first, second)
    )
    # Blurred before its length is taken: noise of both signs cancels, the object's does not.
    difference = _blur(first_lab - second_lab, sigma)
    return np.asarray(np.linalg.norm(difference, axis=-1), dtype=np.float64)


def _blur(pixels: FloatPixels, sigma: float) -> FloatPixels:
    """Blur (H, W) or each channel of (H, W, C) as scikit-image does unless told otherwise."""
    blurred = filters.gaussian(  # type: ignore[no-untyped-call, unused-ignore]
        pixels,
        sigma=sigma,
        mode="nearest",
        truncate=4.0,
        channel_axis=-1 if pixels.ndim == 3 else None,
    )
    return np.asarray(blurred, dtype=np.float64)


def _disk(radius: int) -> npt.NDArray[np.uint8]:
    """Return the pixels within `radius` of the middle one as 1 in a square of 0."""
    disk = morphology.disk(radius)  # type: ignore[no-untyped-call, unused-ignore]
    return np.asarray(disk, dtype=np.uint8)


def _clean(changed: Region, radius: int) -> Region:
    """Drop specks, close gaps, fill holes; `radius` in pixels is about that of a speck."""
    opened = morphology.opening(changed.astype(np.uint8), _disk(radius))
    closed = morphology.closing(opened, _disk(2 * radius)) > 0
    objects = _drop_small(closed, SMALLEST_OBJECT * changed.size)
    return ~_drop_small(~objects, LARGEST_HOLE * changed.size)


def _drop_small(region: Region, area: float) -> Region:
    """Keep the connected parts of a region that have more than `area` pixels."""
    labels, _ = ndimage.label(region)
    kept = np.bincount(labels.ravel()) > area
    kept[0] = False
    return np.asarray(kept[labels], dtype=np.bool_)


def _check_same_size(name: str, picture: Tensor, other_name: str, other: Tensor) -> None:
    (height, width), (other_height, other_width) = picture.shape[-2:], other.shape[-2:]
    if (height, width) != (other_height, other_width):
        raise UserError(
            f"The {name} has {width}x{height} pixels but the {other_name} has "
            f"{other_width}x{other_height}: bring them to the same size first."
        )
