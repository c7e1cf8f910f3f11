"""Exact nearest neighbors between the patches of two pictures, in both directions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .common import PATCH, checked

LONGEST = 256
"""Pictures are reduced until the real one's longer side has at most this many pixels."""

_HALVINGS = (1, 2)
_CHUNK = 2**20  # distances held at once: 4 MiB in float32, so that they stay in a CPU's cache


@dataclass(frozen=True)
class Match:
    """The nearest neighbors between the 7 x 7 patches of a real picture and of one sample.

    Distances are root mean squares over the 147 values of a patch, in [0, 1].

    Attributes:
        real: (1, 3, h, w), the real picture at the size at which it was compared.
        sample: (1, 3, h', w'), the sample at the same scale.
        index: (h' - 6, w' - 6), for each patch of the sample the number (row by row) of the
            nearest patch of the real picture.
        to_real: (h' - 6, w' - 6), the distance from each patch of the sample to that one.
        to_sample: (h - 6, w - 6), the distance from each patch of the real picture to the
            nearest patch of the sample.
    """

    real: Tensor
    sample: Tensor
    index: Tensor
    to_real: Tensor
    to_sample: Tensor


@torch.no_grad()
def match_scales(real: Tensor, sample: Tensor) -> list[Match]:
    """Match one sample with the real picture at half and at quarter size.

    The comparison is exhaustive, so its time grows with the fourth power of the side: a real
    picture over 256 px is first reduced to 256 px and the sample by the same factor. A scale at
    which a picture would be smaller than a patch is left out; if none is left, the pictures are
    compared at full size.

    Args:
        real: (1, 3, H, W) in [0, 1].
        sample: (1, 3, H', W') in [0, 1].

    Returns:
        One match for each scale, the finer first.
    """
    real, sample = checked(real, sample)
    short = min(*real.shape[2:], *sample.shape[2:])
    # A narrow picture is not made narrower than a patch; half a pixel more for the rounding.
    factor = max(LONGEST / max(real.shape[2:]), (PATCH + 0.5) / short)
    if factor < 1:
        real, sample, short = _reduce(real, factor), _reduce(sample, factor), int(short * factor)
    scales = []
    for _ in [n for n in _HALVINGS if short >> n >= PATCH]:
        real, sample = _reduce(real, 0.5), _reduce(sample, 0.5)
        scales.append(match(real, sample))
    return scales or [match(real, sample)]


@torch.no_grad()
def match(real: Tensor, sample: Tensor) -> Match:
    """Match one sample with the real picture as they are, both (1, 3, height, width).

    All pairs of patches are compared, a few rows of the distance matrix at a time.
    """
    patches, targets = _patches(sample), _patches(real)
    squares, columns = targets.square().sum(1), targets.T.contiguous()
    size = max(1, _CHUNK // len(targets))
    buffer = targets.new_empty(size, len(targets))
    best = torch.full_like(squares, torch.inf)
    back = torch.zeros_like(squares, dtype=torch.long)
    nearest = []
    for start in range(0, len(patches), size):
        rows = patches[start : start + size]
        # |a - b|^2 = |a|^2 + |b|^2 - 2 a b, where |a|^2 does not move a row's minimum.
        scores = torch.addmm(squares[None], rows, columns, alpha=-2, out=buffer[: len(rows)])
        nearest.append(scores.min(1).indices)  # quicker than argmin
        lowest, where = scores.add_(rows.square().sum(1, keepdim=True)).min(0)
        back = torch.where(lowest < best, where + start, back)
        best = torch.minimum(lowest, best)
    index = torch.cat(nearest)
    # Distances anew from the pairs found: the expansion above loses half of the digits.
    return Match(
        real=real,
        sample=sample,
        index=index.view(_grid(sample)),
        to_real=_distance(patches, targets[index]).view(_grid(sample)),
        to_sample=_distance(targets, patches[back]).view(_grid(real)),
    )


def _reduce(pictures: Tensor, factor: float) -> Tensor:
    return F.interpolate(pictures, scale_factor=factor, mode="bilinear", antialias=True)


def _patches(picture: Tensor) -> Tensor:
    """All patches of (1, 3, h, w) as rows, around zero for the sake of rounding."""
    return F.unfold(picture - 0.5, PATCH)[0].T.contiguous()


def _grid(picture: Tensor) -> tuple[int, int]:
    return picture.shape[2] - PATCH + 1, picture.shape[3] - PATCH + 1


def _distance(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).square().mean(1).sqrt()
