"""Judge the changed part of a user's picture, before and after."""

from __future__ import annotations

from html import escape

import torch
from torch import Tensor

from consingan.images.io import unit
from consingan.images.resize import as_trained
from consingan.metrics.bidirectional import bidirectional
from consingan.metrics.common import GRAY_LEVEL, PATCH
from consingan.metrics.judge import METRICS
from consingan.metrics.swd import sliced_wasserstein
from consingan.outputs.composed import Composite
from consingan.report.material import Material, Region
from consingan.report.style import arrow, note, number, section

REGION_METRICS = {
    "swd": "distance of the patch distributions to the training image's",
    "coherence": "nothing in the region that is alien to the training image",
}

ALIKE = 16 / 255  # mean difference of colors up to which a pixel is the same one
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
    # Beside the image pixel on pixel; `small` lies on the grid of the result that it surrounds.
    same = made.small.shape[-2:] == real.shape[-2:]
    own = as_trained(made.naive, (real.shape[-2], real.shape[-1])) if same else made.small
    naive = unit(own).to(real.device)
    distance = float(sliced_wasserstein(real, naive)[0]) / max(flat_distance(real), GRAY_LEVEL)
    kept = 0.0  # of a picture of another shape, which is no changed training image
    if same:
        kept = float(((naive - real).abs().mean(1) <= ALIKE).float().mean())
    return Region(before, after, rows == slice(None), kept, distance)


def flat_distance(real: Tensor) -> float:
    """Sliced Wasserstein distance of one flat color, the mean of `real` (1, 3, h, w), to it."""
    flat = real.mean((-2, -1), keepdim=True).expand_as(real).contiguous()
    return float(sliced_wasserstein(real, flat)[0])


def _rectangle(mask: Tensor | None) -> tuple[slice, slice]:
    if mask is None or not (mask > 0).any():
        return slice(None), slice(None)
    inside = mask[0, 0] > mask.max() / 2
    return _span(inside.any(1)), _span(inside.any(0))


def _span(marked: Tensor) -> slice:
    places = marked.nonzero().flatten()
    first, last = int(places[0]) - PATCH, int(places[-1]) + PATCH
    # In whole steps of the metrics' coarsest reduction: a part of the training image itself would
    # else be reduced on another grid than the image, and be found nowhere in it.
    return slice(max(0, first // GRID * GRID), (last // GRID + 1) * GRID)


def region_section(material: Material) -> str:
    """Figures of the changed region, before and after; nothing without one."""
    region = material.region
    if region is None:
        return ""
    rows = [
        f"<tr><td>{escape(METRICS[name].title)}<small>{escape(meaning)}</small></td>"
        f'<td class="number">{number(region.before[name])}</td>'
        f'<td class="number">{number(region.after[name])}</td>'
        f'<td class="arrow">{arrow(name)} {METRICS[name].better}</td></tr>'
        for name, meaning in REGION_METRICS.items()
        if name in region.before
    ]
    head = (
        '<tr><th>metric</th><th class="number">naive image</th><th class="number">result</th>'
        "<th>better</th></tr>"
    )
    where = "The whole picture" if region.whole else "The smallest rectangle around the mask"
    lead = note(f"{where}, against the training image.")
    table = f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>'
    return section("Before and after", lead, table)
