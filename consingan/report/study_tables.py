"""A study's figures as papers and programs want them: Markdown, LaTeX, CSV, JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from consingan.metrics.summary import Summary
from consingan.report.study import (
    FIGURES,
    Trained,
    Variant,
    best,
    comparable,
    effects,
    figures_in,
    summaries,
    words_of,
)
from consingan.report.style import number

LATEX = str.maketrans({c: f"\\{c}" for c in "&%$#_{}"} | {"\\": r"\textbackslash{}"})


def mean_and_std(summary: Summary) -> str:
    """As "4.12 ± 0.31", over pictures and seeds; of one training its figure."""
    if summary.count < 2:
        return number(summary.mean)
    return f"{number(summary.mean)} ± {number(summary.std)}"


def _best_of(
    trained: Sequence[Trained], found: Mapping[Variant, Mapping[str, Summary]], name: str
) -> Variant | None:
    """The variant with the best mean, where one alone has it and all are over the same pictures."""
    if not comparable(trained, name):
        return None
    means = {variant: row[name].mean for variant, row in found.items() if name in row}
    if len(means) < 2:
        return None
    choose = min if FIGURES[name].better == "lower" else max
    winners = [v for v, mean in means.items() if mean == choose(means.values())]
    return winners[0] if len(winners) == 1 else None


def markdown(trained: Sequence[Trained]) -> str:
    """A line for each variant: mean and standard deviation over pictures and seeds."""
    found, names = summaries(trained), figures_in(trained)
    bests = {name: _best_of(trained, found, name) for name in names}
    head = ["setting", *(f"{FIGURES[n].title} {FIGURES[n].arrow}" for n in names), "trainings"]
    lines = [head, ["---"] * len(head)]
    for variant, row in found.items():
        cells = [mean_and_std(row[name]) if name in row else "–" for name in names]
        cells = [
            f"**{c}**" if bests[n] == variant else c for n, c in zip(names, cells, strict=True)
        ]
        lines.append([words_of(variant), *cells, str(_count(row))])
    rows = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _count(row: Mapping[str, Summary]) -> int:
    return max((summary.count for summary in row.values()), default=0)


def latex(trained: Sequence[Trained]) -> str:
    r"""The same as a tabular of the package booktabs, the best mean of each column in bold."""
    found, names = summaries(trained), figures_in(trained)
    bests = {name: _best_of(trained, found, name) for name in names}
    arrows = {"↓": r"$\downarrow$", "↑": r"$\uparrow$"}
    heads = [f"{_tex(FIGURES[n].title)} {arrows[FIGURES[n].arrow]}" for n in names]
    lines = [
        "% mean and standard deviation over pictures and seeds; \\usepackage{booktabs}",
        rf"\begin{{tabular}}{{l{'r' * len(names)}}}",
        r"\toprule",
        " & ".join(["setting", *heads]) + r" \\",
        r"\midrule",
    ]
    for variant, row in found.items():
        cells = [_tex_cell(row.get(name), bests[name] == variant) for name in names]
        lines.append(" & ".join([_tex(words_of(variant)), *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _tex(text: str) -> str:
    return text.translate(LATEX)


def _tex_cell(summary: Summary | None, bold: bool) -> str:
    if summary is None:
        return "--"
    mean = rf"\mathbf{{{number(summary.mean)}}}" if bold else number(summary.mean)
    return f"${mean}$" if summary.count < 2 else rf"${mean} \pm {number(summary.std)}$"


def table_csv(trained: Sequence[Trained]) -> str:
    """A line for each training, with all figures that it has."""
    settings = list(dict.fromkeys(name for one in trained for name, _ in one.variant))
    names = figures_in(trained)
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["picture", *settings, "seed", "status", *names, "run", "error"])
    for one in trained:
        values, figures = dict(one.variant), one.figures
        lines.writerow(
            [one.picture, *(values.get(name, "") for name in settings), one.seed, one.status]
            + [figures.get(name, "") for name in names]
            + [one.run.as_posix() if one.run else "", one.words]
        )
    return text.getvalue()


def record(trained: Sequence[Trained]) -> dict[str, Any]:
    """Everything as plain values, fit for JSON."""
    return {
        "format": 1,
        "settings": [
            {"setting": dict(variant), "figures": {name: asdict(s) for name, s in row.items()}}
            for variant, row in summaries(trained).items()
        ],
        "effects": [
            {
                "setting": effect.setting,
                "value": effect.value,
                "against": effect.first,
                "changes": {name: asdict(s) for name, s in effect.changes.items()},
            }
            for effect in effects(trained)
        ],
        "best": {
            name: {
                picture: {"setting": dict(variant), "mean": mean}
                for picture, (variant, mean) in best(trained, name).items()
            }
            for name in figures_in(trained)
        },
        "trainings": [
            {
                "picture": one.picture,
                "setting": dict(one.variant),
                "seed": one.seed,
                "status": one.status,
                "run": one.run.as_posix() if one.run else None,
                "figures": one.figures,
                **({"error": one.words} if one.words else {}),
            }
            for one in trained
        ],
    }
