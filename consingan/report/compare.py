"""Several runs side by side: what differs between them, and what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from consingan.errors import UserError
from consingan.machine.progress import in_words
from consingan.metrics.judge import METRICS, Judgement
from consingan.metrics.reconstruction import Reconstruction
from consingan.metrics.summary import Summary, lies_apart
from consingan.outputs.contract import Say
from consingan.outputs.finish import Degree, finish_of, flags
from consingan.report import figures, style
from consingan.report.gather import gather
from consingan.report.judging import (
    SIZES_DIFFER,
    at_several_sizes,
    given_back,
    judge_samples,
    samples_of,
)
from consingan.report.kinds import KINDS
from consingan.report.material import Material, of_one_image
from consingan.report.style import arrow, note, number, picture, section
from consingan.report.write import stored
from consingan.runs.load import LoadedRun
from consingan.settings.option import flag_name
from consingan.settings.reading import AUTO, FULL_8

SHOWN = 6
"""Samples of each run on the page; the same seed for all, so that noise is not what differs."""


@dataclass(frozen=True)
class Entry:
    """One run of a comparison.

    Attributes:
        label: a letter that stands for it in tables.
        material: what it knows of itself, with some samples.
        judgement: None where nothing was to be judged.
        finish: of the samples, see `finish.Finish`, where an evaluation was told of one.
        start: stage at which frames began that an evaluation judged.
        truth: how near an evaluation's result came to the picture of `--truth`.
    """

    label: str
    material: Material
    judgement: Judgement | None
    finish: Degree | None = None
    start: int = 0
    truth: Reconstruction | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        title: what it is about.
        cells: a text for each run.
        best: number of the run that is clearly best, if one is.
        section: settings, metrics or training.
    """

    title: str
    cells: tuple[str, ...]
    section: str
    best: int | None = None


def entry(number: int, run: LoadedRun, samples: int, seed: int, say: Say) -> Entry:
    """Collect one run: its figures are read from its evaluation, else computed.

    Films and what is made of pictures of the user's own are not made for it: where there is no
    evaluation, there are the figures of the reconstruction alone.

    Args:
        number: of the run in the comparison, from 0.
        run: a loaded run.
        samples: how many to judge where there is no evaluation; 0 judges nothing.
        seed: of the samples.
        say: told what is going on.
    """
    material = gather(run)
    label = label_of(number)
    judgement, degree, start, truth = stored(run, material)
    if not KINDS[material.kind].mapped:
        if judgement is None and samples and (quality := given_back(material)) is not None:
            judgement = Judgement(0, {}, {}, quality)
        return Entry(label, material, judgement, start=start, truth=truth)
    made = samples_of(run, SHOWN if judgement is not None else max(SHOWN, samples), seed, degree)
    if judgement is None and samples:
        say(f"{label}: no evaluation of it as it is now, judging {samples} samples")
        seen = made[:samples]
        judgement = judge_samples(material, seen, run.model.device, say)
    material = dataclasses.replace(material, samples=made[:SHOWN])
    usual = degree is None or degree.is_of(finish_of(run.model, None, seed))
    return Entry(label, material, judgement, None if usual else degree)


def label_of(number: int) -> str:
    """A, B, ... Z, then 27 and so on."""
    return chr(ord("A") + number) if number < 26 else str(number + 1)


def rows(entries: Sequence[Entry]) -> list[Row]:
    """Lay out everything that is compared."""
    return [*_setting_rows(entries), *_metric_rows(entries), *_training_rows(entries)]


def _setting_rows(entries: Sequence[Entry]) -> list[Row]:
    """Settings that are not the same in all runs, by their flags: methods share names of fields."""
    found = []
    configs = [e.material.config for e in entries]
    given = [{flag_name(f): getattr(c, f.name) for f in dataclasses.fields(c)} for c in configs]
    for flag in dict.fromkeys(flag for settings in given for flag in settings):
        values = [settings.get(flag, "") for settings in given]
        # Kept "auto" is of a picture with 8 bit, of which "full,8" is no other reading.
        if len({AUTO if value == FULL_8 else value for value in values}) > 1:
            cells = tuple("–" if value == "" else str(value) for value in values)
            found.append(Row(f"--{flag}", cells, "settings"))
    return found


def _metric_rows(entries: Sequence[Entry]) -> list[Row]:
    found, same = [], of_one_image([e.material for e in entries])
    for name, metric in METRICS.items():
        summaries = [e.judgement.metrics.get(name) if e.judgement else None for e in entries]
        if any(summaries):
            cells = tuple("–" if s is None else _with_interval(s) for s in summaries)
            best = clear_best(name, summaries) if same else None
            found.append(Row(f"{metric.title} {arrow(name)}", cells, "metrics", best))
    returned = [e.judgement.reconstruction if e.judgement else None for e in entries]
    held = {"reconstruction": returned, "against the truth": [e.truth for e in entries]}
    for what, qualities in held.items():
        for name, title in (("psnr", "PSNR dB"), ("ssim", "SSIM")) if any(qualities) else ():
            values = ("–" if q is None else number(getattr(q, name)) + q.where for q in qualities)
            found.append(Row(f"{what} {title} ↑", tuple(values), "metrics"))
    return found


def _with_interval(summary: Summary) -> str:
    if summary.low is None or summary.high is None:
        return number(summary.mean)
    return f"{number(summary.mean)} ({number(summary.low)} to {number(summary.high)})"


def clear_best(name: str, summaries: Sequence[Summary | None]) -> int | None:
    """Number of the run whose interval lies apart from all others on the better side."""
    return lies_apart(METRICS[name].better, summaries)


def _training_rows(entries: Sequence[Entry]) -> list[Row]:
    def each(title: str, cells: Sequence[str]) -> Row:
        return Row(title, tuple(cells), "training")

    materials = [e.material for e in entries]
    times = ["–" if m.seconds is None else in_words(m.seconds) for m in materials]
    return [
        each("size (px)", [f"{m.sizes[-1][1]} × {m.sizes[-1][0]}" for m in materials]),
        each("stages", [f"{len(m.sizes) if m.stages else 0} of {m.stages}" for m in materials]),
        each("time", times),
        each("device", [str(_execution(m).get("device", "–")) for m in materials]),
    ]


def _execution(material: Material) -> Mapping[str, Any]:
    execution: Mapping[str, Any] = material.manifest.get("execution", {})
    return execution


def warnings_of(entries: Sequence[Entry]) -> list[str]:
    """Sentences on what makes the figures hard to compare."""
    found = []
    if not of_one_image([e.material for e in entries]):
        found.append("The training images differ: compare figures only within one image.")
    if len({tuple(e.material.sizes[-1]) for e in entries}) > 1:
        found.append("The training sizes differ, and every metric depends on the size.")
    judged = [e for e in entries if e.judgement and e.judgement.metrics]
    if len({KINDS[e.material.kind].what for e in judged}) > 1:
        found.append("Samples and frames of films differ: compare figures only within one kind.")
    counts = {e.judgement.count for e in judged if e.judgement}
    if len(counts) > 1:
        found.append("The numbers of samples differ, so the intervals do as well.")
    if at_several_sizes(e.judgement for e in entries):
        found.append(SIZES_DIFFER)
    found += [
        f"Samples of {e.label} were evaluated with {flags(*e.finish)}, not as in its training."
        for e in entries
        if e.finish is not None
    ]
    found += [
        f"Frames of {e.label} begin at --start_stage {e.start}: what is coarser stands still."
        for e in judged
        if e.start
    ]
    figures_of_runs = _metric_rows(entries)
    if not figures_of_runs:
        found.append("Nothing was judged of what is compared here.")
    if any("–" in row.cells for row in figures_of_runs):
        found.append("– stands for what was not judged.")
    return found


def text_table(entries: Sequence[Entry]) -> str:
    """The comparison as lines of text."""
    lines = [f"{e.label}  {e.material.path}" for e in entries]
    found = rows(entries)
    head = Row("", tuple(e.label for e in entries), "")
    all_rows = [head, *found]
    first = max(len(row.title) for row in all_rows)
    widths = [max(len(row.cells[i]) for row in all_rows) for i in range(len(entries))]
    part = ""
    for row in all_rows:
        if row.section != part:
            lines.append("")
            part = row.section
        cells = (cell.ljust(width) for cell, width in zip(row.cells, widths, strict=True))
        lines.append("  ".join([row.title.ljust(first), *cells]).rstrip())
    return "\n".join([*lines, "", *warnings_of(entries)]).rstrip()


def page(entries: Sequence[Entry]) -> str:
    """The comparison as one page."""
    names = sorted({e.material.name for e in entries})
    title = f"{len(entries)} runs on {', '.join(names)}"
    body = [f"<header><h1>{escape(title)}</h1></header>", _legend(entries)]
    body.append(section("Side by side", _table(entries), *map(note, warnings_of(entries))))
    body.append(section("Pictures", *(_pictures(e) for e in entries)))
    return style.page(f"{title} – ConSinGAN", "\n".join(body))


def _legend(entries: Sequence[Entry]) -> str:
    lines = (
        f"<tr><td><b>{escape(e.label)}</b></td>"
        f'<td class="small" style="overflow-wrap:anywhere">{escape(str(e.material.path))}</td></tr>'
        for e in entries
    )
    return f"<table>{''.join(lines)}</table>"


def _table(entries: Sequence[Entry]) -> str:
    labels = "".join(f"<th>{escape(e.label)}</th>" for e in entries)
    lines = []
    part = ""
    compared = rows(entries)
    for row in compared:
        if row.section != part:
            part = row.section
            lines.append(f"<tr><th>{escape(part)}</th>{labels}</tr>")
        cells = "".join(
            f'<td class="best">{escape(cell)}</td>' if place == row.best
            else f"<td>{escape(cell)}</td>"
            for place, cell in enumerate(row.cells)
        )  # fmt: skip
        lines.append(f"<tr><td>{escape(row.title)}</td>{cells}</tr>")
    bold = ""
    if any(row.best is not None for row in compared):
        bold = note("Bold is clearly best: its 95 % interval lies apart from all others.")
    return f'<div class="scroll"><table>{"".join(lines)}</table></div>{bold}'


def _pictures(one: Entry) -> str:
    material = one.material
    shown = [("training image", material.real)]
    if material.reconstruction is not None:
        shown.append(("reconstruction", material.reconstruction))
    shown += [(f"sample {n}", sample) for n, sample in enumerate(material.samples)]
    images = [
        picture(figures.data_uri(material.seen(tensor), 400), f"{one.label}: {name}", name)
        for name, tensor in shown
    ]
    return (
        f'<p style="margin-top:24px"><b>{escape(one.label)}</b></p>'
        f'<div class="grid" style="--columns:4">{"".join(images)}</div>'
    )


def check_count(paths: Sequence[Path]) -> None:
    """Refuse what is no comparison.

    Raises:
        UserError: there are fewer than two runs, or one is named twice.
    """
    if len(paths) < 2:
        raise UserError("Name at least two run folders to compare.")
    if len({path.resolve() for path in paths}) < len(paths):
        raise UserError("One run folder is named twice; name each once.")
