"""What gives the contents their shares of finished samples: balance alone, and beside transport.

python -m benchmarks.shares RUN ... --output FILE

RUN is the folder of a training of `--preset fast` (or of another that finishes its samples). The
same samples are finished both ways and judged; nothing is trained.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
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
from consingan.outputs.finish import finish_of
from consingan.outputs.samples import random_samples
from consingan.runs.load import load_run

BEFORE: Mapping[str, Any] = {"patch": 9, "balance": 3, "sw_steps": 0}
"""What a finish was until version 1.7."""
NOW: Mapping[str, Any] = METHODS[UNTRAINED].finishing
FIGURES = ("swd", "coherence", "completeness", "diversity")


def finished(model: Any, made: Tensor, finishing: Mapping[str, Any]) -> tuple[float, Tensor]:
    """CPU seconds a sample, and the samples (n, 3, h, w) finished."""
    method = METHODS[UNTRAINED]
    METHODS[UNTRAINED] = replace(method, finishing=finishing)
    try:
        finish = finish_of(model, None, 0)
    finally:
        METHODS[UNTRAINED] = method
    assert finish is not None, "this run finishes nothing"
    begun = time.process_time()
    done = torch.cat([finish(sample, index) for index, sample in enumerate(made.split(1))])
    return (time.process_time() - begun) / len(made), done


def row_of(run: Path, samples: int) -> Row:
    """Figures of the run's samples, finished both ways."""
    model: Any = load_run(run).model
    made = torch.cat(list(random_samples(model, samples)))
    row: Row = {"picture": Path(model.config.input_name).stem, "seed": model.config.manual_seed}
    for name, finishing in {"before": BEFORE, "now": NOW}.items():
        seconds, done = finished(model, made, finishing)
        metrics = judge(unit(model.real), unit(done)).to_dict()["metrics"]
        row |= {f"{figure}, {name}": metrics[figure]["mean"] for figure in FIGURES}
        row[f"CPU s, {name}"] = seconds
    order = (
        "picture",
        "seed",
        *(f"{f}, {n}" for f in (*FIGURES, "CPU s") for n in ("before", "now")),
    )
    return {name: row[name] for name in order}


def ratios(rows: list[Row]) -> Row:
    """Geometric means over the runs of now to before."""
    found: Row = {"runs": len(rows)}
    for name in (*FIGURES, "CPU s"):
        each = [float(row[f"{name}, now"]) / float(row[f"{name}, before"]) for row in rows]
        found[name] = statistics.geometric_mean(each)
    return found


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--samples", type=click.IntRange(2), default=30, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), required=True)
def main(runs: tuple[Path, ...], samples: int, output: Path) -> None:
    """Judge finished samples of RUNS with balance alone and with transport."""
    torch.set_num_threads(1)
    rows: list[Row] = []
    for run in runs:
        rows.append(row_of(run, samples))
        click.echo(rows[-1])
        tables = {"By run": rows, "Now to before": [ratios(rows)]}
        write_results(output, "Shares of contents in finished samples", machine("cpu"), tables)


if __name__ == "__main__":
    main()
