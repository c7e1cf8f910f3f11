"""The report of one run as a page, from top to bottom in the order in which one asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from torch import Tensor

from consingan.machine.program import command_line, started_as
from consingan.machine.progress import counted, in_words
from consingan.methods.command import training_commands
from consingan.metrics.judge import METRICS
from consingan.metrics.summary import Summary
from consingan.outputs.finish import flags
from consingan.report import figures, style
from consingan.report.baseline import baseline_section
from consingan.report.gather import evaluation_command, settings
from consingan.report.glossary import glossary_section
from consingan.report.kinds import KINDS, facts_of, verdicts
from consingan.report.large import how_judged, windows_section
from consingan.report.material import Material, Setting
from consingan.report.region import region_section
from consingan.report.style import arrow, note, number, picture, section
from consingan.runs.about import went_on
from consingan.runs.curves import length


def report(material: Material) -> str:
    """Return the whole page."""
    parts = (
        _header(material),
        _verdicts(material),
        KINDS[material.kind].look(material),
        _metrics(material),
        windows_section(material),
        baseline_section(material),
        region_section(material),
        _novelty(material),
        _curves(material),
        _settings(material),
        _commands(material),
        glossary_section(),
    )
    return style.page(f"{material.name} – ConSinGAN", "\n".join(part for part in parts if part))


def _header(material: Material) -> str:
    height, width = material.sizes[-1]
    config = material.config
    facts = [material.method.title, config.train_mode, f"{width} × {height} px"]
    if material.stages:
        counts = {length(curve) for curve in material.curves.values()} or {config.niter}
        span = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else f"{max(counts)}"
        trained = len(material.curves) or material.stages
        part = f"{trained} of " if trained < material.stages else ""
        facts.append(f"{part}{counted(material.stages, 'stage')} × {span} iterations")
    if material.seconds is not None:
        facts.append(f"trained in {in_words(material.seconds)}")
    facts.append(f"seed {config.manual_seed}")
    line = escape(" · ".join(facts))
    return (
        f'<header><h1>{escape(material.name)}</h1><p class="soft">{line} · '
        '<a href="#words">words on this page</a></p></header>'
    )


def _verdicts(material: Material) -> str:
    lines = []
    for verdict in verdicts(facts_of(material)):
        advice = f'<span class="advice">{escape(verdict.advice)}</span>' if verdict.advice else ""
        lines.append(f'<li class="{verdict.level}">{escape(verdict.text)}{advice}</li>')
    return f'<ul class="verdicts">\n{"".join(lines)}\n</ul>' if lines else ""


def _metrics(material: Material) -> str:
    judgement = material.judgement
    if judgement is None:
        return ""
    what = KINDS[material.kind].what.removesuffix("s")
    rows = [_metric_row(name, summary) for name, summary in judgement.metrics.items()]
    head = (
        '<tr><th>metric</th><th class="number">mean</th><th class="number">95 % interval</th>'
        "<th>better</th></tr>"
    )
    count = counted(judgement.count, what)
    said = f"Over {count}, against the one training image. {how_judged(material)}"
    lead = note(said.rstrip())
    table = f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>'
    return section("Metrics", lead, table, *(note(text) for text in judgement.notes))


def _metric_row(name: str, summary: Summary) -> str:
    metric = METRICS[name]
    interval = "–"
    if summary.low is not None and summary.high is not None:
        interval = f"{number(summary.low)} to {number(summary.high)}"
    return (
        f"<tr><td>{escape(metric.title)}<small>{escape(metric.meaning)}</small></td>"
        f'<td class="number">{number(summary.mean)}</td><td class="number">{interval}</td>'
        f'<td class="arrow">{arrow(name)} {metric.better}</td></tr>'
    )


def _novelty(material: Material) -> str:
    if not material.maps:
        return ""
    text = note(
        "Where each part of a sample comes from. White lies at the same place in the training "
        "image; a color is a direction, deeper from farther away; one even patch of color is one "
        "piece copied whole. Dark gray is texture that the image does not have."
    )
    if finish := getattr(material.made, "finish", 0.0):
        made = material.made
        text += note(
            f"These samples were finished ({flags(finish, made.finish_within)}): what the model "
            f"laid out was put together anew from patches of the image, {made.finish_patch} px "
            "wide, so that nearly all of it is copied."
        )
    pairs = zip(material.samples, material.maps, strict=False)
    columns = [
        '<div class="pair">'
        + picture(figures.data_uri(material.seen(sample), 400), f"sample {n}")
        + picture(figures.data_uri(field, 400, lossless=True), f"novelty map {n}")
        + "</div>"
        for n, (sample, field) in enumerate(pairs)
    ]
    return section("Copied or new", text, f'<div class="row">{"".join(columns)}</div>')


def _curves(material: Material) -> str:
    if not material.curves:
        return ""
    known = set(next(iter(material.curves.values())))
    panels = [
        panel for panel in material.method.panels
        if {name.lstrip("-") for names in panel.lines.values() for name in names} <= known
    ]  # fmt: skip
    inside = "".join(
        f"<figure>{figures.panel_svg(material.curves, panel)}"
        f"<figcaption>{escape(panel.caption)}</figcaption></figure>"
        for panel in panels
    )
    return section("Training", f'<div class="curves">{inside}</div>', _stage_table(material))


def _stage_table(material: Material) -> str:
    times = material.manifest.get("seconds_per_stage") or []
    if material.config.fine_tune:  # in the last stage alone, however often it went on
        times = [*[None] * (material.stages - 1), material.seconds]
    each = ["–" if seconds is None else in_words(seconds) for seconds in times]
    rows = "".join(
        f'<tr><td>{stage + 1}</td><td class="number">{w} × {h}</td>'
        f'<td class="number">{each[stage] if stage < len(each) else "–"}</td></tr>'
        for stage, (h, w) in enumerate(material.sizes)
    )
    head = '<tr><th>stage</th><th class="number">px</th><th class="number">time</th></tr>'
    return (
        "<details><summary>Sizes and times of the stages</summary>"
        f'<table class="narrow">{head}{rows}</table></details>'
    )


def _settings(material: Material) -> str:
    found = settings(material.config)
    changed = [setting for setting in found if setting.changed]
    rest = [setting for setting in found if not setting.changed]
    return section(
        "Settings",
        note("What differs from the defaults."),
        _setting_table(changed, "default"),
        "<details><summary>All other settings, at their defaults</summary>"
        f"{_setting_table(rest, '')}</details>",
    )


def _setting_table(found: Sequence[Setting], last: str) -> str:
    rows = []
    for setting in found:
        default = f'<td class="soft">{escape(_plain(setting.default))}</td>' if last else ""
        value = escape(_plain(setting.value))
        rows.append(f"<tr><td>{escape(setting.flag)}</td><td>{value}</td>{default}</tr>")
    head = f"<th>{last}</th>" if last else ""
    return (
        f'<div class="scroll"><table class="narrow"><tr><th>setting</th><th>value</th>{head}</tr>'
        f"{''.join(rows)}</table></div>"
    )


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "–" if value == "" else str(value)


def _commands(material: Material) -> str:
    commands = (*_training(material), evaluation_command(material))
    lines = "".join(f"<pre>{escape(command)}</pre>" for command in commands)
    otherwise = map(note, went_on(material.manifest))
    return section("To repeat it", lines, *otherwise, note(" · ".join(_machine(material))))


def _training(material: Material) -> Iterator[str]:
    """The commands that train it again."""
    if material.replayed:
        yield command_line((*started_as("replay"), str(material.path)))
        return
    config, manifest = material.config, material.manifest
    yield from training_commands(config, manifest, material.path, _finest(material))


def _finest(material: Material) -> Tensor | None:
    """The image at the size that it is trained at, if the training has come that far."""
    return material.real if len(material.sizes) >= material.stages else None


def _machine(material: Material) -> Iterator[str]:
    execution = material.manifest.get("execution", {})
    for name in ("device", "precision", "engine"):
        if name in execution:
            yield f"{name} {execution[name]}"
    for name, version in material.manifest.get("versions", {}).items():
        yield f"{name} {version}"
