"""What finishing samples with the image's own patches changes, by how much is made anew.

python -m benchmarks.finishing FOLDER ... --levels 0.5,0.55,0.6 --beside STORED --output DIR

A level of 0.625:0.3 is `--finish 0.625 --finish_within 0.3`.

FOLDER is what `python -m benchmarks.front train` left: its trained models make their samples
again, which are finished (`--finish`) and judged. Nothing is trained, and what DIR has is not done
again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import torch

from benchmarks.front import stored
from benchmarks.front_table import average_rows, picture_rows, ratio_rows
from benchmarks.quality_table import Record
from benchmarks.tables import machine, write_results
from consingan.images.io import unit
from consingan.machine.files import make_folder, write_json
from consingan.metrics.judge import judge
from consingan.outputs.finish import Degree, finish_of
from consingan.outputs.samples import random_samples
from consingan.runs.load import load_run

JUDGED = "judged.json"


def trained(folders: Sequence[Path], recipes: Sequence[str]) -> Iterator[tuple[Path, Record]]:
    """Runs of these recipes with what is known of them; of all recipes where none is named."""
    for folder in folders:
        kept = json.loads((folder / "trainings.json").read_text("utf-8"))["trainings"]
        for record in kept:
            run = folder / record.get("run", "failed")
            if run.is_dir() and (not recipes or record["preset"] in recipes):
                yield run, record  # stored figures are of models that are not here


def kept_in(output: Path) -> dict[tuple[str, str, int], Record]:
    """What was judged before, by recipe with its level, picture and seed."""
    path = output / JUDGED
    records = json.loads(path.read_text("utf-8"))["judged"] if path.is_file() else []
    return {key_of(record): record for record in records}


def key_of(record: Record) -> tuple[str, str, int]:
    """What tells a record from all others."""
    return record["preset"], record["image"], record["seed"]


def degrees_of(words: str) -> list[Degree]:
    """Level and limit of X,X:W,..."""
    parts = [part.partition(":") for part in words.split(",")]
    return [(float(level), float(within or 0)) for level, _, within in parts]


def named(record: Record, degree: Degree) -> str:
    """A recipe with its level and limit."""
    level, within = degree
    return f"{record['preset']}, {level:g}" + (f" within {within:g}" if within else "")


def judged(run: Path, record: Record, degree: Degree, samples: int) -> Record:
    """The record of the same model's samples, finished."""
    model: Any = load_run(run).model
    finish = finish_of(model, degree[0], 0, within=degree[1])
    made = [unit(s) for s in random_samples(model, samples, finish=finish)]
    metrics = judge(unit(model.real), torch.cat(made)).to_dict()["metrics"]
    kept = ("image", "seed", "cpu", "reconstruction")
    about = {key: record[key] for key in kept}
    return about | {"preset": named(record, degree), "metrics": metrics}


@click.command()
@click.argument("folders", nargs=-1, required=True,
                type=click.Path(path_type=Path, exists=True))  # fmt: skip
@click.option("--recipes", default="", help="Only of these, A,B,...")
@click.option("--levels", default="0.5,0.55,0.6", show_default=True, metavar="X,Y:W,...")
@click.option("--samples", type=click.IntRange(2), default=30, show_default=True)
@click.option("--beside", type=click.Path(path_type=Path, exists=True), required=True,
              multiple=True,
              help="Stored figures of presets; the others are held against paper.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), required=True)
def main(
    folders: tuple[Path, ...],
    recipes: str,
    levels: str,
    samples: int,
    beside: tuple[Path, ...],
    output: Path,
) -> None:
    """Judge finished samples of the models that FOLDERS hold."""
    torch.set_num_threads(1)
    runs = list(trained(folders, recipes.split(",") if recipes else ()))
    pictures = [Path(name) for name in dict.fromkeys(record["image"] for _, record in runs)]
    found = {"paper": [r for kept in beside for r in stored(kept, pictures).get("paper", ())]}
    for _, record in runs:
        found.setdefault(record["preset"], []).append(record)
    before = kept_in(output)
    for run, record in runs:
        for degree in degrees_of(levels):
            key = key_of({**record, "preset": named(record, degree)})
            made = before.get(key) or judged(run, record, degree, samples)
            found.setdefault(made["preset"], []).append(made)
            click.echo(f"{made['preset']}: {record['image']}, seed {record['seed']}")
    tables = {"On average": average_rows(found), "Ratios to paper": ratio_rows(found),
              "By picture": picture_rows(found)}  # fmt: skip
    write_results(make_folder(output) / "finish", "Finish", machine("cpu"), tables)
    kept = [{k: v for k, v in r.items() if k != "values"} for some in found.values() for r in some]
    write_json(output / JUDGED, {"judged": kept})
    click.echo((output / "finish.md").read_text("utf-8"))


if __name__ == "__main__":
    main()
