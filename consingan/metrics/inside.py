"""How near a fill is to the truth: inside a hole alone, and as texture around it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .reconstruction import MAX_PSNR
from .swd import sliced_wasserstein

AROUND = 8  # px
_WINDOW = 7


@dataclass(frozen=True)
class Inside:
    """Agreement with the truth.

    Attributes:
        psnr: of the missing pixels, dB, at most 100; higher is better.
        ssim: structural similarity at them, in [-1, 1]; higher is better.
        swd: distance of the patch distributions of the rectangle around the hole, and 8 px;
            lower is better.
    """

    psnr: float
    ssim: float
    swd: float


def inside(truth: Tensor, filled: Tensor, hole: Tensor) -> Inside:
    """Compare two pictures in a hole.

    SSIM is scikit-image's with its uniform window of 7 px, its map averaged over the missing
    pixels and the channels.

    Args:
        truth: (1, 3, h, w) in [0, 1].
        filled: the same, equal to it outside of the hole.
        hole: (1, 1, h, w), 1 inside.
    """
    from skimage.metrics import structural_similarity

    missing = hole[0, 0].cpu().numpy() > 0
    a, b = (x[0].permute(1, 2, 0).double().cpu().numpy() for x in (truth, filled))
    error = float(np.square(a - b)[missing].mean())
    psnr = min(MAX_PSNR, -10 * math.log10(max(error, 1e-30)))
    short = min(missing.shape)
    window = min(_WINDOW, short - 1 + short % 2)
    _, similar = structural_similarity(
        a, b, win_size=window, data_range=1.0, channel_axis=2, full=True
    )
    rows, columns = box(hole, AROUND)
    swd = sliced_wasserstein(truth[..., rows, columns], filled[..., rows, columns])
    return Inside(psnr, float(similar[missing].mean()), float(swd))


def box(hole: Tensor, around: int = 0) -> tuple[slice, slice]:
    """The rectangle of a hole (1, 1, h, w) and some px around it."""
    spans = []
    for axis in (3, 2):
        places = (hole.amax(axis).flatten() > 0).nonzero().flatten()
        spans.append(slice(max(0, int(places[0]) - around), int(places[-1]) + 1 + around))
    return spans[0], spans[1]


def seam(image: Tensor, hole: Tensor) -> float:
    """How much stronger neighbors differ across the hole's edge than beside it: 1 is not seen.

    Beside it are pairs of known pixels up to 8 px away.

    Args:
        image: (1, 3, h, w).
        hole: (1, 1, h, w), 1 inside.
    """
    near = torch.nn.functional.max_pool2d(hole, 2 * AROUND + 1, 1, AROUND)
    across: list[Tensor] = []
    beside: list[Tensor] = []
    for axis in (2, 3):
        length = image.shape[axis] - 1
        one, other = (image.narrow(axis, start, length) for start in (0, 1))
        first, second = (hole.narrow(axis, start, length) for start in (0, 1))
        step = (one - other).abs().mean(1, keepdim=True)
        both = near.narrow(axis, 0, length) * near.narrow(axis, 1, length)
        across.append(step[first != second])
        beside.append(step[(first + second == 0) & (both > 0)])
    edge, usual = torch.cat(across), torch.cat(beside)
    if not len(edge) or not len(usual):
        return 1.0
    return float(edge.mean() / usual.mean().clamp_min(1 / 510))
