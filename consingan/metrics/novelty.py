"""Does a sample invent, or does it copy? Read from where its patches come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .common import GRAY_LEVEL, PATCH
from .patches import Match, match_scales

COPY_DISTANCE = 0.05
"""A patch is a copy up to this root mean square difference (13 gray levels)."""

COPY_AREA = 0.02
"""A verbatim copy is large from this share of a sample's patches on, but never under 7 x 7."""

NEW_DISTANCE = 0.7
"""Texture is new where patches are farther from the real ones than this times their contrast."""

_CANDIDATES = 16
_SLACK = 1.1
_FLAT = 2 * GRAY_LEVEL


@dataclass(frozen=True)
class Field:
    """Where each patch of one sample comes from, at the scale of the match.

    Attributes:
        offset: (rows, cols, 2), the way (down, right) from a patch's own place in the sample to
            that of its neighbor in the real picture, in pixels of that scale.
        distance: (rows, cols), root mean square difference of the two patches, in [0, 1].
        copied: (rows + 6, cols + 6), true at the pixels of large verbatim copies.
        new: (rows + 6, cols + 6), true at the pixels that no patch like a real one covers.
        textured: (rows + 6, cols + 6), true at the pixels of patches with some contrast.
        contrast: (rows, cols), standard deviation of each patch around its mean color.
    """

    offset: Tensor
    distance: Tensor
    copied: Tensor
    new: Tensor
    textured: Tensor
    contrast: Tensor


@dataclass(frozen=True)
class Novelty:
    """Four views of the nearest-neighbor field, one value in [0, 1] for each sample.

    Attributes:
        copied: (N,), lower is better: share of the textured area in large verbatim copies.
        piece: (N,), lower is more rearranged: share of the textured patches that are copies with
            one offset, the commonest. A copy of the picture that is shifted has 1, too.
        new_texture: (N,), lower is truer to the picture: share of the area whose texture the
            real picture does not have. Rearranging the picture is not new texture.
        entropy: (N,), higher is more rearranged: entropy of the offsets, 0 for a copy, 1 where
            every patch comes from another direction or distance.
    """

    copied: Tensor
    piece: Tensor
    new_texture: Tensor
    entropy: Tensor


def novelty(real: Tensor, samples: Tensor) -> Novelty:
    r"""Judge the nearest-neighbor field of 7 x 7 patches at half size (see `match_scales`).

    `copied` is the share of the sample's textured area inside regions of one constant offset of
    at least 2 % of the patches, within 13 gray levels; a copy may lie elsewhere than in the real
    picture. `piece` counts such patches of the commonest offset, wherever they lie: it is small
    where a sample is put together of many copies. `new_texture` is the share of pixels that no
    patch with a real neighbor covers, one closer than 0.7 times the patch's own standard
    deviation (or 13 gray levels), so that the seams of a mosaic do not count. `entropy` is
    :math:`-\sum_o p_o \log p_o / \log P` with :math:`p_o` the share of offset o among the P
    patches.

    Range: [0, 1] each; a copy has (1, 1, 0, 0). Not symmetric in the two pictures.

    Source: the field and its coherent regions, Barnes et al., PatchMatch (2009); constant
    offsets as the sign of copies, He and Sun, Statistics of Patch Offsets (2012). The shares
    are this program's own.

    Args:
        real: (1, 3, H, W) in [0, 1].
        samples: (N, 3, H', W') in [0, 1].
    """
    return novelty_from(
        [neighbor_field(match_scales(real, sample)[0]) for sample in torch.split(samples, 1)]
    )


def novelty_from(fields: Sequence[Field]) -> Novelty:
    """Do the same with the field of each sample."""
    return Novelty(
        copied=torch.stack([_share(field.copied, field.textured) for field in fields]),
        piece=torch.stack([_largest_piece(field) for field in fields]),
        new_texture=torch.stack([field.new.double().mean() for field in fields]),
        entropy=torch.stack([_entropy(field.offset) for field in fields]),
    )


@torch.no_grad()
def neighbor_field(match: Match) -> Field:
    """Turn the nearest neighbors of one sample into a field of offsets, and judge it."""
    rows, cols = match.index.shape
    width = match.to_sample.shape[1]
    y, x = torch.meshgrid(
        torch.arange(rows, device=match.index.device),
        torch.arange(cols, device=match.index.device),
        indexing="ij",
    )
    raw = torch.stack([match.index // width - y, match.index % width - x], 2)
    offset, distance = _settle_ties(match, raw)
    contrast = _contrast(match.sample)
    known = match.to_real <= (NEW_DISTANCE * contrast).clamp_min(COPY_DISTANCE)
    return Field(
        offset=offset,
        distance=distance,
        copied=_cover(_large_regions(offset, distance <= COPY_DISTANCE)),
        new=~_cover(known),
        textured=_cover(contrast > _FLAT),
        contrast=contrast,
    )


def _settle_ties(match: Match, raw: Tensor) -> tuple[Tensor, Tensor]:
    """Give a patch one of the common offsets where that is about as near as the nearest.

    In a smooth region, or under a little noise, many patches are equally near, and which of them
    is the very nearest says nothing. The patch's own place is asked first, then the offsets that
    most patches have.
    """
    offset, distance = raw.clone(), match.to_real.clone()
    allowed = _SLACK * match.to_real + GRAY_LEVEL / 2
    settled = torch.zeros_like(distance, dtype=torch.bool)
    offsets, counts = torch.unique(raw.flatten(0, 1), dim=0, return_counts=True)
    common = offsets[counts.argsort(descending=True, stable=True)[:_CANDIDATES]]
    for dy, dx in [(0, 0), *((int(dy), int(dx)) for dy, dx in common)]:
        shifted = _shifted_distance(match, dy, dx)
        # An offset may only explain what is a copy; elsewhere the nearest stays.
        agree = ~settled & (shifted <= allowed) & (shifted <= COPY_DISTANCE)
        offset[agree] = torch.tensor([dy, dx], device=offset.device)
        distance = torch.where(agree, shifted, distance)
        settled |= agree
    return offset, distance


def _shifted_distance(match: Match, dy: int, dx: int) -> Tensor:
    """Distance of each patch of the sample to the real patch at one offset; inf outside."""
    out = torch.full_like(match.to_real, math.inf)
    (h, w), (H, W) = match.sample.shape[2:], match.real.shape[2:]
    top, bottom, left, right = max(0, -dy), min(h, H - dy), max(0, -dx), min(w, W - dx)
    if bottom - top < PATCH or right - left < PATCH:
        return out
    there = match.real[:, :, top + dy : bottom + dy, left + dx : right + dx]
    error = (match.sample[:, :, top:bottom, left:right] - there).square().mean(1, keepdim=True)
    mean = F.avg_pool2d(error, PATCH, stride=1)[0, 0].clamp_min(0).sqrt()
    out[top : bottom - PATCH + 1, left : right - PATCH + 1] = mean
    return out


def _large_regions(offset: Tensor, eligible: Tensor) -> Tensor:
    """Mark the patches in connected regions of one offset that are large enough."""
    import numpy as np
    from skimage.measure import label

    # One number for each offset: a span over twice the largest offset keeps the pairs apart.
    span = 2 * int(offset.abs().max()) + 2
    codes = torch.where(eligible, offset[..., 0] * span + offset[..., 1], span * span)
    regions = label(codes.cpu().numpy(), background=span * span, connectivity=1)
    area = np.bincount(regions.ravel())
    large = area >= max(PATCH * PATCH, COPY_AREA * regions.size)
    large[0] = False  # label's background
    return torch.from_numpy(large[regions]).to(offset.device)


def _cover(patches: Tensor) -> Tensor:
    """Mark the pixels of the marked patches: (rows, cols) to (rows + 6, cols + 6)."""
    padded = F.pad(patches.float()[None, None], [PATCH - 1] * 4)
    return F.max_pool2d(padded, PATCH, stride=1)[0, 0] > 0


def _contrast(picture: Tensor) -> Tensor:
    """Return the standard deviation of each patch around its mean color."""
    # Float64: a variance as a difference of moments would drown in rounding where it is small.
    picture = picture.double()
    mean = F.avg_pool2d(picture, PATCH, stride=1)
    power = F.avg_pool2d(picture.square(), PATCH, stride=1)
    return (power - mean.square()).mean(1)[0].clamp_min(0).sqrt()


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """Share of the whole's area in a part; of all area where the whole is empty."""
    # Flat patches fit anywhere and so are no evidence, unless there is nothing else.
    whole = whole if whole.any() else torch.ones_like(whole)
    return (part & whole).double().sum() / whole.double().sum()


def _largest_piece(field: Field) -> Tensor:
    """Share of the textured patches, of all where none is, that one offset brings from the real."""
    counted = field.contrast > _FLAT
    counted = counted if counted.any() else torch.ones_like(counted)
    copies = field.offset[counted & (field.distance <= COPY_DISTANCE)]
    counts = torch.unique(copies, dim=0, return_counts=True)[1]
    return counts.max().double() / counted.sum() if len(copies) else copies.new_zeros(()).double()


def _entropy(offset: Tensor) -> Tensor:
    counts = torch.unique(offset.flatten(0, 1), dim=0, return_counts=True)[1].double()
    p = counts / counts.sum()
    most = math.log(max(2, offset.shape[0] * offset.shape[1]))
    entropy: Tensor = (p * p.log()).sum().abs()
    return entropy / most
