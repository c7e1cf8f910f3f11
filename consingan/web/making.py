"""Make pictures with a run: what was filled in as a request, and the files that came of it."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from consingan.api.evaluate import Judging, prepare_evaluation
from consingan.machine.execution import Wanted, choose_execution, settled
from consingan.machine.files import read_json
from consingan.outputs.contract import Output
from consingan.outputs.ownership import RECORD
from consingan.outputs.registry import OUTPUTS
from consingan.outputs.requests import SizedRequest
from consingan.runs.load import load_run
from consingan.web.cards import Card
from consingan.web.fields import Row, row_of, value_of
from consingan.web.orders import as_typed, evaluate_words

FIRST = ("num_samples", "sizes", "frames", "naive_img", "mask", "seed")
"""Options that stand at the top; the rest is under "More"."""
BEGIN_WITH = {"num_samples": 8, "frames": 40, "betas": (0.9,)}
"""What a page begins with where a command makes more."""
ALONE = ("one_size",)  # follows from whether a size was asked for
SHOWN = (".png", ".jpg", ".gif", ".webp", ".mp4")
MOST_SHOWN = 60


def output_of_card(card: Card) -> Output:
    """What an evaluation of a run makes."""
    return OUTPUTS[card.method.task_of(card.config).output]


def rows_of(card: Card) -> tuple[list[Row], list[Row]]:
    """Options of its output: those at the top, and the rest."""
    table: Any = output_of_card(card).request
    rows = {row.name: row for row in dataclasses.fields(table) if row.name not in ALONE}
    first = [rows[name] for name in FIRST if name in rows]
    return first, [row for row in rows.values() if row not in first]


def first_value(row: Row) -> Any:
    """What the page shows before anything is filled in."""
    return BEGIN_WITH.get(row.name, row.default)


def is_file(row: Row) -> bool:
    """Whether a picture is brought for it."""
    return bool(row.metadata["kind"] == "path")


def make_with(
    card: Card, filled: Mapping[str, Any], judged: bool, say: Callable[[str], None]
) -> list[Path]:
    """Make what was asked for; returns all files that were made.

    Args:
        card: the run.
        filled: what was filled in, by option; paths as text.
        judged: whether metrics and a report are made too.
        say: takes a line for the visitor.

    Raises:
        UserError: it cannot be made.
    """
    table: Any = output_of_card(card).request
    given = {name: value_of(row_of(table, name), v) for name, v in filled.items()}
    given = {name: value for name, value in given.items() if value is not None}
    if issubclass(table, SizedRequest) and "one_size" in table.__dataclass_fields__:
        given["one_size"] = not (given.get("sizes") or given.get("scale_w"))
    wanted = Wanted()
    execution = settled(choose_execution(wanted), wanted)
    for note in execution.notes:
        say(note)
    run = load_run(card.path, execution)
    for note in run.notes:
        say(f"Note: {note}")
    typed = {name: value for name, value in given.items() if value != row_of(table, name).default}
    command = as_typed(evaluate_words(card.path, table, typed, judged), execution)
    evaluation = prepare_evaluation(run, table(**given), Judging(judged, command=command), say)
    return made_files(evaluation.write())


def made_files(folder: Path) -> list[Path]:
    """What an evaluation left, in order."""
    names = read_json(folder / RECORD)["files"] or []
    return [path for name in names if (path := folder / name).is_file()]


def shown_files(files: list[Path]) -> list[Path]:
    """Of these, pictures and films that a browser shows, and no more than it can bear."""
    return [file for file in files if file.suffix in SHOWN][:MOST_SHOWN]


def zipped(files: list[Path], path: Path) -> Path:
    """All of them in one file."""
    top = Path(*_common(files))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            archive.write(file, file.relative_to(top))
    return path


def _common(files: list[Path]) -> tuple[str, ...]:
    parents = [file.parent.parts for file in files]
    shared = [place[0] for place in zip(*parents, strict=False) if len(set(place)) == 1]
    return tuple(shared)
