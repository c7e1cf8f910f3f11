"""Did the training beat no training? The same number of samples from the picture's own patches."""

from __future__ import annotations

import time
from collections.abc import Callable
from html import escape

from torch import Tensor

from consingan.errors import UserError
from consingan.images.io import unit
from consingan.machine.progress import counted, tracked
from consingan.methods.registry import METHODS, UNTRAINED
from consingan.metrics.judge import METRICS, Judgement, judge
from consingan.metrics.sifid import Inception
from consingan.outputs import finisher
from consingan.report import figures
from consingan.report.material import Baseline, Material
from consingan.report.style import arrow, note, number, picture, section

SHOWN = 4

Say = Callable[[str], None]


def untrained(
    real: Tensor, count: int, seed: int, inception: Inception | None, say: Say
) -> Baseline | None:
    """Samples of a picture (1, 3, h, w) in [-1, 1] without training, judged like any others.

    None where the picture is smaller than a patch.
    """
    model = finisher.untrained(real)
    making = f"making {counted(count, 'sample')} without training"
    say(f"{making}, to compare with (--no_baseline skips it)")
    begun = time.perf_counter()
    try:
        made = [model.sample([i], None, seed) for i in tracked(range(count), count, "no training")]
    except UserError:
        return None
    spent = time.perf_counter() - begun
    judgement = judge(unit(real), [unit(sample) for sample in made], None, inception)
    return Baseline(METHODS[UNTRAINED].title, made[:SHOWN], judgement, spent / count)


def baseline_section(material: Material) -> str:
    """The figures of both beside each other; nothing without a baseline."""
    baseline, own = material.baseline, material.judgement
    if baseline is None or own is None:
        return ""
    rows = "".join(
        _row(name, own, baseline.judgement)
        for name in own.metrics
        if name in baseline.judgement.metrics
    )
    head = (
        '<tr><th>metric</th><th class="number">this run</th><th class="number">no training</th>'
        "<th>better</th></tr>"
    )
    lead = note(
        f"{counted(baseline.judgement.count, 'sample')} of {baseline.title.lower()}, "
        f"{baseline.seconds:.1f} s each: it rearranges verbatim parts of the image, so its "
        "coherence is low and its copied area large; a training must win on what you need."
    )
    shown = "".join(
        picture(figures.data_uri(sample, 400), f"sample without training {n}")
        for n, sample in enumerate(baseline.samples)
    )
    table = f'<div class="scroll"><table>{head}{rows}</table></div>'
    return section("Against no training", lead, table, f'<div class="row">{shown}</div>')


def _row(name: str, own: Judgement, other: Judgement) -> str:
    metric = METRICS[name]
    return (
        f"<tr><td>{escape(metric.title)}</td>"
        f'<td class="number">{number(own.metrics[name].mean)}</td>'
        f'<td class="number">{number(other.metrics[name].mean)}</td>'
        f'<td class="arrow">{arrow(name)} {metric.better}</td></tr>'
    )
