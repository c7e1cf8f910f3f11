"""The mask that two pictures of one scene have between them: where they differ."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy
import skimage
import torch
from torch import Tensor

from consingan.images.masks import check_same_size, disk, gaussian
from consingan.images.raster import FloatPixels

Region = npt.NDArray[np.bool_]

THRESHOLD = 10.0
"""CIE76 color distance above which a place counts as changed; JPEG of quality 50 and above stays
below it almost everywhere."""

# Of the largest difference nearby: where a blurred edge is crossed. A little below a half, because
# a mask slightly too large does less harm than a rim of the pasted object that stays.
EDGE_FRACTION = 0.45
# Lengths below are pixels of a picture with this shorter side and grow with larger ones.
REFERENCE_SIDE = 250
NOISE_SIGMA = 1.5
EDGE_NEIGHBORHOOD = 3
SMALLEST_OBJECT = 0.0005  # fraction of the picture's area
LARGEST_HOLE = 0.05  # likewise: a larger hole is one that the user sees through


def mask_from_difference(naive: Tensor, real: Tensor) -> Tensor:
    """Find where the naive image differs from the training image.

    The color distance is that of CIE L*a*b* (CIE76: 2 is just visible, black to white is 100),
    averaged over a small neighborhood to even out JPEG noise. Small specks are dropped, small
    gaps closed and small holes filled.

    Args:
        naive: (1, 3, H, W) in [-1, 1].
        real: the training image, the same.

    Returns:
        (1, 1, H, W), 0 or 1; all 0 where nothing differs.

    Raises:
        UserError: the images differ in size.
    """
    check_same_size("naive image", naive, "training image", real)
    unit = max(1.0, min(naive.shape[-2:]) / REFERENCE_SIDE)
    difference = _color_distance(naive, real, sigma=NOISE_SIGMA * unit)
    # Half-way up a blurred edge is where the edge was; a bare threshold would lie outside it.
    around = scipy.ndimage.maximum_filter(difference, size=2 * round(EDGE_NEIGHBORHOOD * unit) + 1)
    changed = difference > np.maximum(THRESHOLD, EDGE_FRACTION * around)
    return torch.from_numpy(_clean(changed, round(unit)))[None, None].to(naive)


def _color_distance(first: Tensor, second: Tensor, sigma: float) -> FloatPixels:
    """Return the CIE76 distance of two images (1, 3, H, W), blurred, as (H, W)."""
    first_lab, second_lab = (
        skimage.color.rgb2lab((image[0].double().cpu().permute(1, 2, 0).numpy() + 1) / 2)
        for image in (first, second)
    )
    # Blurred before its length is taken: noise of both signs cancels, the object's does not.
    difference = gaussian(first_lab - second_lab, sigma)
    return np.asarray(np.linalg.norm(difference, axis=-1), dtype=np.float64)


def _clean(changed: Region, radius: int) -> Region:
    """Drop specks, close gaps, fill holes; `radius` in pixels is about that of a speck."""
    opened = skimage.morphology.opening(changed.astype(np.uint8), disk(radius))
    closed = skimage.morphology.closing(opened, disk(2 * radius)) > 0
    objects = _drop_small(closed, SMALLEST_OBJECT * changed.size)
    return ~_drop_small(~objects, LARGEST_HOLE * changed.size)


def _drop_small(region: Region, area: float) -> Region:
    """Keep the connected parts of a region that have more than `area` pixels."""
    labels, _ = scipy.ndimage.label(region)
    kept = np.bincount(labels.ravel()) > area
    kept[0] = False
    return np.asarray(kept[labels], dtype=np.bool_)
