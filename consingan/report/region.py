"""Judge the changed part of a user's picture, before and after."""

from __future__ import annotations

import torch
from torch import Tensor

from consingan.images.io import unit
from consingan.metrics.bidirectional import bidirectional
from consingan.metrics.common import PATCH
from consingan.metrics.swd import sliced_wasserstein
from consingan.outputs.composite import Composite
from consingan.report.material import Region

GRID = 8  # px; a level of the pyramids is halved three times at most


def judge_region(real: Tensor, made: Composite | None) -> Region | None:
    """Compare the changed part of a picture with the training image, before and after.

    The part is the smallest rectangle around the mask, a patch wider on every side, because a
    distance of patches needs a rectangle; the whole picture where the mask is empty or missing.

    Args:
        real: (1, 3, h, w) in [0, 1].
        made: the composite; None where no picture was given.
    """
    if made is None:
        return None
    rows, columns = _rectangle(made.mask)
    both = torch.cat([unit(made.small), unit(made.blended)])[..., rows, columns]
    figures = {
        "swd": sliced_wasserstein(real, both),
        "coherence": bidirectional(real, both).coherence,
    }
    before, after = ({name: float(v[i]) for name, v in figures.items()} for i in (0, 1))
    return Region(before, after, whole=rows == slice(None))


def _rectangle(mask: Tensor | None) -> tuple[slice, slice]:
    if mask is None or not (mask > 0.5).any():
        return slice(None), slice(None)
    inside = mask[0, 0] > 0.5
    return _span(inside.any(1)), _span(inside.any(0))


def _span(marked: Tensor) -> slice:
    places = marked.nonzero().flatten()
    first, last = int(places[0]) - PATCH, int(places[-1]) + PATCH
    # In whole steps of the metrics' coarsest reduction: a part of the training image itself would
    # else be reduced on another grid than the image, and be found nowhere in it.
    return slice(max(0, first // GRID * GRID), (last // GRID + 1) * GRID)
