"""Judge what an evaluation made and leave metrics.json and report.html beside it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan import sampling
from consingan.compositing import Composite
from consingan.evaluation import Options
from consingan.files import write_json, write_text
from consingan.metrics.bidirectional import bidirectional
from consingan.metrics.common import PATCH
from consingan.metrics.fieldmap import novelty_maps
from consingan.metrics.judge import Judgement, Progress, judge
from consingan.metrics.reconstruction import reconstruction_quality
from consingan.metrics.sifid import Inception
from consingan.metrics.swd import sliced_wasserstein
from consingan.plan import in_words
from consingan.precision import Arithmetic
from consingan.progress import tracked
from consingan.report.gather import Material, gather
from consingan.report.page import MAPS, report
from consingan.report.verdicts import Region
from consingan.runs import LoadedRun

METRICS_FILE = "metrics.json"
REPORT_FILE = "report.html"
FORMAT = 1
FRAMES = 40  # of the animation on the page: four seconds
FRAME_STEP = 4  # frames between two that are judged; neighbors tell the same
BETA = 0.9  # the smoothness in the middle of the authors' set
GRID = 8  # px; a level of the pyramids is halved three times at most
WORTH_SAYING = 5.0  # seconds of judging that the user wants to know of

Say = Callable[[str], None]


@dataclass(frozen=True)
class Made:
    """What the evaluation has made already.

    Attributes:
        samples: random samples at the training size, (1, 3, h, w) in [-1, 1] on the CPU.
        composite: the user's own picture and its result.
    """

    samples: Sequence[Tensor] = ()
    composite: Composite | None = None


@dataclass(frozen=True)
class Extras:
    """How to judge: the weights for SIFID, whom to tell what is going on, the command typed."""

    inception: Inception | None = None
    say: Say = field(default=lambda _: None)
    command: str = ""


def write_report(
    run: LoadedRun, folder: Path, made: Made, options: Options, extras: Extras
) -> Material:
    """Judge, and write `metrics.json` and `report.html` into `folder`."""
    with Arithmetic().scope(run.model.device):  # in full precision, as on a CPU
        material = judged(run, made, options, extras)
    write_json(folder / METRICS_FILE, metrics_record(material, options.seed))
    write_text(folder / REPORT_FILE, report(material))
    for verdict in material.verdicts:
        extras.say(f"{verdict.level}: {verdict.text} {verdict.advice}".rstrip())
    extras.say(f"report: {folder / REPORT_FILE}")
    return material


def judged(run: LoadedRun, made: Made, options: Options, extras: Extras) -> Material:
    """Collect everything that the page shows."""
    material = gather(run)
    real = unit(material.real).to(run.model.device)  # metrics are computed where it lies
    quality = reconstruction_quality(real, unit(material.reconstruction))
    samples, seen = _to_judge(run, made, options)
    judgement = None
    if seen:
        judgement = judge(
            real, [unit(s) for s in seen], unit(material.reconstruction), extras.inception,
            progress=announced(extras.say),
        )  # fmt: skip
    return dataclasses.replace(
        material,
        samples=samples,
        fps=options.fps,
        maps=_maps(real, samples) if material.kind == "samples" else (),
        composite=made.composite,
        judgement=judgement,
        quality=quality,
        region=None if made.composite is None else judge_region(real, made.composite),
        evaluation=extras.command,
    )


def unit(picture: Tensor) -> Tensor:
    """From [-1, 1] to the [0, 1] of the metrics, on the CPU."""
    return ((picture.float().cpu() + 1) / 2).clamp(0, 1)


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


def announced(say: Say) -> Progress:
    """Return a progress that says how long judging will take, once it knows, and shows a bar."""

    def progress(numbers: Sequence[int]) -> Iterable[int]:
        begun = time.perf_counter()
        yield from numbers[:1]
        left = (time.perf_counter() - begun) * (len(numbers) - 1)
        if left > WORTH_SAYING:
            say(
                f"judging {len(numbers)} samples takes about {in_words(left)} "
                "(--no_metrics skips it)"
            )
        yield from tracked(numbers[1:], len(numbers) - 1, "judging")

    return progress


def metrics_record(material: Material, seed: int) -> dict[str, Any]:
    """What metrics.json holds; `Judgement.from_dict` reads the judgement back from it."""
    judgement = material.judgement or Judgement(0, {}, {}, material.quality)
    height, width = material.sizes[-1]
    record = {
        "format": FORMAT,
        "train_mode": material.config.train_mode,
        "stages": len(material.sizes),
        "width": width,
        "height": height,
        "seed": seed,
        **judgement.to_dict(),
        "verdicts": [asdict(verdict) for verdict in material.verdicts],
    }
    return record if material.region is None else record | {"region": asdict(material.region)}
