"""What each kind of output shows in a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

import torch
from torch import Tensor

from consingan.images.io import unit
from consingan.methods.consingan import sampling
from consingan.metrics.bidirectional import bidirectional
from consingan.metrics.common import PATCH
from consingan.metrics.fieldmap import novelty_maps
from consingan.metrics.judge import METRICS
from consingan.metrics.swd import sliced_wasserstein
from consingan.outputs.composite import Composite
from consingan.outputs.samples import Options
from consingan.report import figures
from consingan.report.material import Facts, Made, Material, Region, Verdict
from consingan.report.style import arrow, note, number, picture, section
from consingan.report.verdicts import (
    _LEVELS,
    ALIKE,
    LARGE_COPIES,
    NEARLY_COPIES,
    SAME,
    STILL,
    _mean,
    _on_texture,
    _on_training,
    more_iterations,
    more_variety,
)
from consingan.runs.load import LoadedRun

SHOWN = 9
"""Samples on the page: three rows beside the real image and the reconstruction."""

MAPS = 4
"""Novelty maps on the page."""


REGION_METRICS = {
    "swd": "distance of the patch distributions to the training image's",
    "coherence": "nothing in the region that is alien to the training image",
}


def _samples(material: Material) -> str:
    if material.kind == "animation":
        uri = figures.moving_uri(material.samples, material.fps)
        return picture(uri, "animation", f"animation, {len(material.samples)} frames")
    shown = material.samples[:SHOWN]
    images = [
        picture(figures.data_uri(sample, 400), f"sample {n}") for n, sample in enumerate(shown)
    ]
    count = len(material.samples)
    caption = f"{len(shown)} of {count} random samples" if count > len(shown) else "random samples"
    return f'<div class="grid">{"".join(images)}</div><figcaption>{caption}</figcaption>'


def _composite(material: Material, made: Composite) -> str:
    """Training image, naive image, mask and result."""
    pictures = [
        ("training image", material.real),
        ("naive image", made.small),
        (f"result of {material.config.train_mode}", made.blended),
        ("reconstruction of the training image", material.reconstruction),
    ]
    if made.mask is not None:
        pictures.append(("mask", (made.mask * 2 - 1).expand(-1, 3, -1, -1)))
    images = [picture(figures.data_uri(tensor), name, name) for name, tensor in pictures]
    return f'<div class="grid roomy">{"".join(images)}</div>'


def _region(material: Material) -> str:
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


def facts_of(material: Material) -> Facts:
    """What the verdicts on a run are made from."""
    return Facts(
        config=material.config,
        kind=material.kind,
        judgement=material.judgement,
        quality=material.quality,
        short_side=min(material.real.shape[-2:]),
        contrast=float(material.real.std()) / 2,
        curves=material.curves,
        finished=len(material.sizes),
        status=material.manifest.get("status", "finished"),
        region=material.region,
    )


def verdicts(facts: Facts) -> list[Verdict]:
    """Say what the figures mean, the worst news first."""
    makers = {"samples": _on_samples, "animation": _on_frames, "composite": _on_region}
    found = [*_on_training(facts), *makers[facts.kind](facts)]
    return sorted(found, key=lambda verdict: _LEVELS.index(verdict.level))


def _on_samples(facts: Facts) -> Iterator[Verdict]:
    if facts.judgement is None:
        return
    copied = _mean(facts.judgement, "copied") or 0.0
    diversity = _mean(facts.judgement, "diversity")
    if copied >= NEARLY_COPIES:
        text = f"Samples are nearly copies of the image ({copied:.0%} of their area)."
        yield Verdict("bad", text, more_variety(facts.config))
        return  # a copy has the image's texture: no news
    texture = list(_on_texture(facts, facts.judgement, "Samples"))
    yield from texture
    if diversity is not None and diversity < ALIKE:
        text = f"Samples are all alike (diversity {diversity:.2f})."
        yield Verdict("bad", text, more_variety(facts.config))
    elif copied >= LARGE_COPIES:
        text = f"Samples repeat large parts of the image ({copied:.0%} of their area)."
        yield Verdict("fair", text, more_variety(facts.config))
    elif all(
        verdict.level == "good" for verdict in texture
    ):  # noise differs as well, and is no success
        others = "" if diversity is None else " and from each other"
        yield Verdict("good", f"Samples differ from the image{others}.")


def _on_frames(facts: Facts) -> Iterator[Verdict]:
    if facts.judgement is None:
        return
    moved = _mean(facts.judgement, "diversity")
    if moved is not None and moved < STILL:
        yield Verdict("fair", "The frames hardly move.", "Lower --alpha, --beta or --start_stage.")
    elif moved is not None:
        yield Verdict("good", "The frames move.")
    yield from _on_texture(facts, facts.judgement, "Frames")


def _on_region(facts: Facts) -> Iterator[Verdict]:
    if facts.region is None:
        return
    before, after = facts.region.before["swd"], facts.region.after["swd"]
    what = "picture" if facts.region.whole else "changed region"
    figures = f"(SWD {before:.1f} → {after:.1f})"
    if after < (1 - SAME) * before:
        yield Verdict("good", f"The {what} fits the training image better than before {figures}.")
    elif after <= (1 + SAME) * before:
        yield Verdict(
            "fair",
            f"The {what} fits the training image as before {figures}.",
            "Try --fine_tune, or a lower --start_stage.",
        )
    else:
        yield Verdict(
            "bad",
            f"The {what} fits the training image less than before {figures}.",
            f"Raise {more_iterations(facts.config)}, or --start_stage.",
        )


FRAMES = 40  # of the animation on the page: four seconds
FRAME_STEP = 4  # frames between two that are judged; neighbors tell the same
BETA = 0.9  # the smoothness in the middle of the authors' set
GRID = 8  # px; a level of the pyramids is halved three times at most


def _to_judge(
    run: LoadedRun, made: Made, options: Options
) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
    """Pictures for the page, and those of them that are judged."""
    if run.model.mode.report != "animation":
        return made.samples, made.samples
    frames = list(
        sampling.animation_frames(
            run.model,
            min(options.frames, FRAMES),
            options.alpha,
            options.betas[0] if options.betas else BETA,
            options.start_stages[0] if options.start_stages else 0,
            seed=options.seed,
            arithmetic=options.arithmetic,
        )
    )
    return frames, frames[::FRAME_STEP]


def _maps(real: Tensor, samples: Sequence[Tensor]) -> Sequence[Tensor]:
    if not samples:
        return ()
    shown = torch.cat([unit(sample) for sample in samples[:MAPS]])
    return list(torch.split(novelty_maps(real, shown) * 2 - 1, 1))


def judge_region(real: Tensor, made: Composite) -> Region:
    """Compare the changed part of a picture with the training image, before and after.

    The part is the smallest rectangle around the mask, a patch wider on every side, because a
    distance of patches needs a rectangle; the whole picture where the mask is empty or missing.

    Args:
        real: (1, 3, h, w) in [0, 1].
        made: the composite.
    """
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
