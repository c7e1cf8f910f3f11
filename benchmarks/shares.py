"""What a change of the finish brought: the same samples as they were finished before, and now.

python -m benchmarks.shares RUN ... --output FILE --what shares|patches

RUN is the folder of a training of `--preset fast` (or of another that finishes its samples).
`shares`: contents have theirs by balance alone, as until 1.7, and beside transport. `patches`: all
have the usual size, as until 1.17, and the one that the model has chosen. Nothing is trained.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from benchmarks.tables import Row, machine, write_results
from consingan.images.io import unit
from consingan.methods.registry import METHODS, UNTRAINED
from consingan.metrics.judge import judge
from consingan.outputs import finisher
from consingan.outputs.finish import finish_of
from consingan.outputs.samples import random_samples
from consingan.runs.load import load_run

BEFORE: Mapping[str, Any] = {"patch": 9, "balance": 3, "sw_steps": 0}
"""What a finish was until version 1.7."""
TITLES = {
    "shares": "Shares of contents in finished samples",
    "patches": "The size of the patches of finished samples",
}
FIGURES = ("swd", "coherence", "completeness", "diversity", "piece")


@contextmanager
def as_before(what: str) -> Iterator[None]:
    """Finishes are what they were before that change."""
    method, larger = METHODS[UNTRAINED], finisher.LARGER
    if what == "shares":
        METHODS[UNTRAINED] = replace(method, finishing=BEFORE)
    else:
        finisher.LARGER = ()
    try:
        yield
    finally:
        METHODS[UNTRAINED], finisher.LARGER = method, larger


def finished(run: Path, made: Tensor) -> tuple[float, int, Tensor]:
    """CPU seconds a sample, side of the patches in px, and the samples (n, 3, h, w) finished."""
    finish = finish_of(load_run(run).model, None, 0)
    assert finish is not None, "this run finishes nothing"
    patch, begun = finish.patch, time.process_time()
    done = torch.cat([finish(sample, index) for index, sample in enumerate(made.split(1))])
    return (time.process_time() - begun) / len(made), patch, done


def row_of(run: Path, samples: int, what: str) -> Row:
    """Figures of the run's samples, finished both ways."""
    model: Any = load_run(run).model
    made = torch.cat(list(random_samples(model, samples)))
    row: Row = {"picture": Path(model.config.input_name).stem, "seed": model.config.manual_seed}
    for name, way in {"before": as_before(what), "now": nullcontext()}.items():
        with way:
            seconds, row["patch"], done = finished(run, made)
        metrics = judge(unit(model.real), unit(done)).to_dict()["metrics"]
        row |= {f"{figure}, {name}": metrics[figure]["mean"] for figure in FIGURES}
        row[f"CPU s, {name}"] = seconds
    order = (
        "picture",
        "seed",
        "patch",
        *(f"{f}, {n}" for f in (*FIGURES, "CPU s") for n in ("before", "now")),
    )
    return {name: row[name] for name in order}


def ratios(rows: list[Row]) -> Row:
    """Geometric means over the runs of now to before, of what neither is 0 of."""
    found: Row = {"runs": len(rows)}
    for name in (*FIGURES, "CPU s"):
        pairs = [(float(row[f"{name}, before"]), float(row[f"{name}, now"])) for row in rows]
        each = [now / before for before, now in pairs if now and before]
        found[name] = statistics.geometric_mean(each) if each else None
    return found


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--samples", type=click.IntRange(2), default=30, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), required=True)
@click.option("--what", type=click.Choice(tuple(TITLES)), default="shares", show_default=True)
def main(runs: tuple[Path, ...], samples: int, output: Path, what: str) -> None:
    """Judge samples of RUNS finished as before a change, and as now."""
    torch.set_num_threads(1)
    rows: list[Row] = []
    for run in runs:
        rows.append(row_of(run, samples, what))
        click.echo(rows[-1])
        tables = {"By run": rows, "Now to before": [ratios(rows)]}
        write_results(output, TITLES[what], machine("cpu"), tables)


if __name__ == "__main__":
    main()
