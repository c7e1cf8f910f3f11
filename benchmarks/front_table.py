"""The tables and the drawing of `benchmarks.front`: means and intervals over pictures and seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.quality_table import COLUMNS, Record, figure
from benchmarks.tables import cell
from consingan.metrics.summary import Summary, summarize_groups

Row = dict[str, Any]
Trainings = Mapping[str, Sequence[Record]]  # by recipe

SHOWN = ("swd", "coherence", "completeness", "diversity", "psnr")
COMPARED = ("swd", "coherence", "completeness", "diversity")
DRAWN = ("swd", "coherence", "completeness")
FLAT, ALIKE = 15.0, 0.01  # dB of the reconstruction, diversity: below, a training collapsed
DRAWS = 4000  # of the bootstrap


def collapsed(record: Record) -> bool:
    """Whether a training failed, or does not give the image back, or samples do not differ.

    A figure that was not taken says nothing.
    """
    limits = {"psnr": FLAT, "diversity": ALIKE}
    taken = {name: figure(record, name) for name in limits}
    return "error" in record or any(
        value is not None and value < limits[name] for name, value in taken.items()
    )


def by_picture(records: Sequence[Record], name: str) -> dict[str, list[float]]:
    """Values of a figure, one for each seed."""
    found: dict[str, list[float]] = {}
    for record in records:
        value = record.get("cpu") if name == "cpu" else figure(record, name)
        if value is not None:
            found.setdefault(record["image"], []).append(value)
    return found


def summary_of(groups: Mapping[str, Sequence[float]]) -> Summary | None:
    """Mean over pictures of the means over seeds, and its interval."""
    if not groups:
        return None
    return summarize_groups(list(groups.values()), DRAWS, torch.Generator().manual_seed(0))


def ratios(records: Sequence[Record], first: Sequence[Record], name: str) -> dict[str, list[float]]:
    """Each training's figure over the first recipe's mean on the same picture."""
    base = {p: statistics.mean(values) for p, values in by_picture(first, name).items()}
    found = by_picture(records, name)
    return {p: [v / base[p] for v in values] for p, values in found.items() if p in base}


def average_rows(found: Trainings) -> list[Row]:
    """A row for each recipe: means with intervals over pictures and seeds."""
    rows = []
    for name, records in found.items():
        good = [r for r in records if "error" not in r]
        row: Row = {"recipe": name, "pictures": len({r["image"] for r in good}),
                    "trainings": len(good), "collapsed": sum(collapsed(r) for r in good),
                    "failed": len(records) - len(good)}  # fmt: skip
        for key in SHOWN:
            row[COLUMNS[key]] = _cell(summary_of(by_picture(good, key)))
        row["CPU s"] = _cell(summary_of(by_picture(good, "cpu")))
        rows.append(row)
    return rows


def ratio_rows(found: Trainings) -> list[Row]:
    """A row for each recipe but the first: ratios on the pictures that both have."""
    first = next(iter(found.values()))
    rows = []
    for name, records in list(found.items())[1:]:
        row: Row = {"recipe": name}
        for key in COMPARED:
            own = ratios(records, first, key)
            row[COLUMNS[key]] = _cell(summary_of(own))
            if key == "swd":
                row["pictures"] = len(own)
                row["worst SWD"] = max((statistics.mean(v) for v in own.values()), default=None)
        rows.append(row)
    return rows


def picture_rows(found: Trainings) -> list[Row]:
    """A row for each picture and recipe: means over seeds."""
    keys = {(r["image"], name) for name, records in found.items() for r in records}
    names = list(found)
    return [
        {"picture": picture, "recipe": name}
        | {COLUMNS[key]: _mean(by_picture(found[name], key).get(picture)) for key in SHOWN}
        | {"CPU s": _mean(by_picture(found[name], "cpu").get(picture))}
        for picture, name in sorted(keys, key=lambda k: (k[0], names.index(k[1])))
    ]


def _mean(values: Sequence[float] | None) -> float | None:
    return statistics.mean(values) if values else None


def _cell(summary: Summary | None) -> str | None:
    if summary is None:
        return None
    if summary.low is None or summary.high is None:
        return cell(summary.mean)
    return f"{cell(summary.mean)} ({cell(summary.low)} to {cell(summary.high)})"


def draw(found: Trainings, seconds: Mapping[str, float], path: Path) -> None:
    """A front: figures that are better low, above diversity and above the time of a training.

    Args:
        found: records by recipe.
        seconds: of a training, by recipe; none: no right column.
        path: of the PNG.
    """
    from matplotlib.figure import Figure

    sheet = Figure(figsize=(10, 3.2 * len(DRAWN)), layout="constrained")
    columns = 2 if seconds else 1
    for line, name in zip(sheet.subplots(len(DRAWN), columns, squeeze=False), DRAWN, strict=True):
        for number, (recipe, records) in enumerate(found.items()):
            value, variety = (summary_of(by_picture(records, key)) for key in (name, "diversity"))
            if value is None or variety is None:
                continue
            reach = [[abs(value.mean - end)] for end in (value.low, value.high) if end is not None]
            bars = {"yerr": reach or None, "fmt": "o", "label": recipe, "capsize": 3,
                    "color": f"C{number}"}  # fmt: skip
            line[0].errorbar([variety.mean], [value.mean], **bars)
            if recipe in seconds:
                line[1].errorbar([seconds[recipe]], [value.mean], **bars)
        line[0].set(xlabel="diversity", ylabel=COLUMNS[name])
        if seconds:
            line[1].set(xlabel="seconds of a training", xscale="log")
        if line[0].containers:
            line[0].legend(fontsize="small")
    sheet.savefig(path, dpi=100)
