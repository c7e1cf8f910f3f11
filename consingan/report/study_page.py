"""A study as one page: tables of settings and their effects, pictures side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from consingan.errors import UserError
from consingan.images.io import read_image
from consingan.machine.progress import counted
from consingan.metrics.summary import Summary, lies_apart
from consingan.report import figures, style
from consingan.report.judging import SIZES_DIFFER, at_several_sizes
from consingan.report.study import (
    FIGURES,
    Effect,
    Trained,
    Variant,
    best,
    comparable,
    effects,
    figures_in,
    summaries,
    variants_in,
    words_of,
)
from consingan.report.study_tables import mean_and_std
from consingan.report.style import note, number, picture, section

SHOWN = 24  # pictures of which grids are on the page
ACROSS = 3  # grids beside one another
LONGEST = 560  # px of a grid


def page(title: str, trained: Sequence[Trained], folder: Path) -> str:
    """The whole page.

    Args:
        title: of the study.
        trained: all of its trainings, those that are not finished too.
        folder: of the study, where runs lie.
    """
    parts = (
        f"<header><h1>{escape(title)}</h1>{note(state_of(trained))}</header>",
        section("Settings", *_settings(trained)),
        section("Effect of each setting", *_effects(effects(trained))),
        section("Best setting of each picture", *_bests(trained)),
        section("Pictures", *_pictures(trained, folder)),
        section("Not finished", *_failures(trained)),
    )
    return style.page(f"{title} – ConSinGAN", "\n".join(part for part in parts if part))


def state_of(trained: Sequence[Trained]) -> str:
    """How many trainings there are, and in which state."""
    counts = Counter(one.status for one in trained)
    each = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    pictures, seeds = len({o.picture for o in trained}), len({o.seed for o in trained})
    return (
        f"{counted(len(trained), 'training')} of {counted(pictures, 'picture')}, "
        f"{counted(len(variants_in(trained)), 'setting')}, {counted(seeds, 'seed')}: {each}."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells that are HTML, the first of each a name, the others numbers."""
    titles = "".join(f'<th class="number">{escape(t)}</th>' for t in head[1:])
    lines = [f"<tr><th>{escape(head[0])}</th>{titles}</tr>"]
    lines += [f"<tr><td>{row[0]}</td>{''.join(row[1:])}</tr>" for row in rows]
    return f'<div class="scroll"><table>{"".join(lines)}</table></div>'


def _heads(names: Sequence[str]) -> list[str]:
    return [f"{FIGURES[name].title} {FIGURES[name].arrow}" for name in names]


def _settings(trained: Sequence[Trained]) -> Iterator[str]:
    found, names = summaries(trained), figures_in(trained)
    if not names:
        return
    yield note(
        "Mean ± standard deviation over pictures and seeds, below it the 95 % interval of the mean "
        "(bootstrap over pictures and, in each, seeds). Bold lies apart from all others."
    )
    fair = {name for name in names if comparable(trained, name)}
    if len(fair) < len(names):
        yield note(
            "Where means of settings are over different pictures, none is bold: pictures differ "
            "more than settings do."
        )
    clear = {name: _clear_best(found, name) if name in fair else None for name in names}
    rows = [
        [
            escape(words_of(variant)),
            *(_cell(row.get(name), clear[name] == variant) for name in names),
        ]
        for variant, row in found.items()
    ]
    yield _table(["setting", *_heads(names)], rows)
    pictures = {one.picture for one in trained}
    if any(at_several_sizes(o.judgement for o in trained if o.picture == p) for p in pictures):
        yield note(SIZES_DIFFER)


def _clear_best(found: Mapping[Variant, Mapping[str, Summary]], name: str) -> Variant | None:
    place = lies_apart(FIGURES[name].better, [row.get(name) for row in found.values()])
    return None if place is None else list(found)[place]


def _cell(summary: Summary | None, bold: bool = False) -> str:
    if summary is None:
        return '<td class="number">–</td>'
    below = ""
    if summary.low is not None and summary.high is not None:
        below = f"<small>{number(summary.low)} to {number(summary.high)}</small>"
    kind = "number best" if bold else "number"
    return f'<td class="{kind}">{mean_and_std(summary)}{below}</td>'


def _effects(found: Sequence[Effect]) -> Iterator[str]:
    names = [name for name in FIGURES if any(name in e.changes for e in found)]
    if not names:
        return
    yield note(
        "Mean difference between trainings that are alike but for this one setting (same picture, "
        "same seed), below it the 95 % interval. ✓ clearly better, ✕ clearly worse."
    )
    rows = []
    for effect in found:
        title = escape(f"{effect.setting} {effect.value}")
        title += f"<small>against {escape(str(effect.first))}</small>"
        rows.append([title, *(_change(effect, name) for name in names)])
    yield _table(["setting", *_heads(names)], rows)


def _change(effect: Effect, name: str) -> str:
    summary = effect.changes.get(name)
    if summary is None:
        return '<td class="number">–</td>'
    level = {"better": ' <b class="good"></b>', "worse": ' <b class="bad"></b>', "": ""}
    below = ""
    if summary.low is not None and summary.high is not None:
        below = f"<small>{signed(summary.low)} to {signed(summary.high)}</small>"
    mark = level[effect.clear(name)]
    return f'<td class="number">{signed(summary.mean)}{mark}{below}</td>'


def signed(value: float) -> str:
    """A number with its sign."""
    return f"{'−' if value < 0 else '+'}{number(abs(value))}"


def _bests(trained: Sequence[Trained]) -> Iterator[str]:
    names = figures_in(trained)
    if not names or len(variants_in(trained)) < 2:
        return
    found = {name: best(trained, name) for name in names}
    pictures = list(dict.fromkeys(one.picture for one in trained))
    rows = []
    for label in pictures[:SHOWN]:
        cells = [
            f'<td class="number">{escape(words_of(found[name][label][0]))}'
            f"<small>{number(found[name][label][1])}</small></td>"
            if label in found[name]
            else '<td class="number">–</td>'
            for name in names
        ]
        rows.append([escape(label), *cells])
    yield _table(["picture", *_heads(names)], rows)
    yield note("By the mean over seeds; " + _left_out(len(pictures)))


def _left_out(count: int) -> str:
    if count <= SHOWN:
        return "all figures are in study.csv and study.json."
    return f"the first {SHOWN} pictures of {count}; all figures are in study.csv and study.json."


def _pictures(trained: Sequence[Trained], folder: Path) -> Iterator[str]:
    labels = list(dict.fromkeys(one.picture for one in trained))
    found = [(label, list(_grids(trained, label, folder))) for label in labels[:SHOWN]]
    if not any(grids for _, grids in found):
        return
    yield note(
        "Real image, reconstruction, then samples, after the last stage; of the first seed. "
        + (f"The first {SHOWN} pictures of {len(labels)}." if len(labels) > SHOWN else "")
    )
    for label, grids in found:
        if grids:
            columns = min(ACROSS, max(2, len(grids)))
            yield f'<p style="margin-top:24px"><b>{escape(label)}</b></p>'
            yield f'<div class="grid roomy" style="--columns:{columns}">{"".join(grids)}</div>'


def _grids(trained: Sequence[Trained], label: str, folder: Path) -> Iterator[str]:
    seen = set()
    for one in trained:
        if one.picture != label or one.variant in seen or one.run is None:
            continue
        sheets = sorted(
            (folder / one.run).glob("*/samples.png"), key=lambda path: path.parent.name.zfill(4)
        )
        if not sheets:
            continue
        try:
            uri = figures.data_uri(read_image(sheets[-1]), LONGEST)
        except UserError:
            continue  # half copied, say; the figures are there all the same
        seen.add(one.variant)
        words = words_of(one.variant)
        swd = one.figures.get("swd")
        caption = words if swd is None else f"{words}: SWD {number(swd)}"
        yield picture(uri, f"{label}, {words}", caption)


def _failures(trained: Sequence[Trained]) -> Iterator[str]:
    lines = [
        f'<li class="bad">{escape(one.picture)}, {escape(words_of(one.variant))}, seed '
        f'{one.seed}<span class="advice">{escape(one.words)}</span></li>'
        for one in trained
        if one.words
    ]
    if lines:
        yield f'<ul class="verdicts">{"".join(lines)}</ul>'
