"""Peak memory of a training step at the finest stage, measured and as the dry run estimates it.

python -m benchmarks.memory [--sizes 250,500,1000] [--device cpu|cuda]
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import torch

from benchmarks.stages import SHORTER_SIDE, make_task, new_draws, sizes_of
from benchmarks.tables import RESULTS, machine, markdown_table, write_results
from consingan.machine.execution import Execution
from consingan.machine.graphs import WARM_UP
from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.engine import StageTask, recipe_of
from consingan.methods.consingan.engines import choose_engine
from consingan.methods.consingan.memory import estimate_training_memory
from consingan.methods.consingan.tasks import TASKS
from consingan.nn.regions import Around

VARIANTS = (
    ("plain", "float32", False),
    ("fast", "float32", False),
    ("fast", "float32", True),
    ("fast", "bf16", False),
    ("fast", "bf16", True),
)


@dataclass(frozen=True)
class Step:
    """A training step whose memory is measured."""

    size: int
    engine: str
    precision: str
    checkpointing: bool
    stages: int = 6
    mode: str = "generation"
    iterations: int = 2
    device: str = "cpu"
    activation: str = "lrelu"
    norm: bool = False
    hole: bool = False

    @property
    def config(self) -> ConSinGANConfig:
        """The settings that a training would have."""
        return ConSinGANConfig(activation=self.activation, batch_norm=self.norm)

    @property
    def networks(self) -> str:
        """What is unusual of them, for the table."""
        words = {"normalized": self.norm, "around a hole": self.hole}
        return ", ".join([self.activation, *(word for word, holds in words.items() if holds)])

    def estimate(self) -> int:
        """Bytes that the dry run expects."""
        return estimate_training_memory(
            sizes_of(self.size, self.stages, self.mode),
            self.config.architecture,
            TASKS[self.mode].border,
            recipe_of(self.config),
            Execution(
                torch.device(self.device), Arithmetic(self.precision), self.engine,
                self.checkpointing,
            ),
            self.hole,
        )  # fmt: skip

    def task(self) -> StageTask:
        """What is trained; the hole is the middle ninth of the picture."""
        task = make_task(self.size, self.stages, self.mode, torch.device(self.device), self.config)
        if not self.hole:
            return task
        height, width = task.real.shape[-2:]
        hole = torch.zeros_like(task.real[:, :1])
        hole[..., height // 3 : -height // 3, width // 3 : -width // 3] = 1
        return replace(task, region=Around.of(hole, self.config.architecture))


def measure(step: Step) -> int:
    """Bytes by which a process of its own grows; no other step's memory is counted or reused."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_grow, args=(step, theirs))
    process.start()
    theirs.close()
    try:
        return int(ours.recv())
    finally:
        process.join()


def _grow(step: Step, answer: Any) -> None:
    torch.set_num_threads(1)
    device = torch.device(step.device)
    # What the first step of all loads and compiles belongs to the program, not to this step.
    _iterate(replace(step, size=40, stages=3, mode="generation", iterations=2))
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_reserved(device)
        _iterate(step)
        answer.send(torch.cuda.max_memory_reserved(device) - before)
        return
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # begin the peak anew
    _iterate(step)
    answer.send(_status("VmHWM") - before)


def _iterate(step: Step) -> None:
    task = step.task()
    engine = choose_engine(step.engine, Arithmetic(step.precision), step.checkpointing)(task)
    # A GPU's graph, recorded after the warm-up, has memory of its own.
    iterations = WARM_UP + 2 if step.device == "cuda" else step.iterations
    for iteration in range(iterations):
        engine.step(new_draws(task, iteration), iteration)


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


def rows_of(steps: list[Step]) -> Iterator[dict[str, Any]]:
    """Measure one step after the other."""
    for step in steps:
        measured, estimated = measure(step) / 2**20, step.estimate() / 2**20
        height, width = sizes_of(step.size, step.stages, step.mode)[-1]
        yield {
            "size": f"{width}x{height}",
            "mode": step.mode,
            "engine": step.engine,
            "precision": step.precision,
            "checkpointing": step.checkpointing,
            "networks": step.networks,
            "measured MiB": round(measured),
            "estimated MiB": round(estimated),
            "estimated / measured": round(estimated / measured, 2),
        }


@click.command()
@click.option("--sizes", default="250,500,1000", show_default=True, help="Longer sides in px.")
@click.option("--device", type=click.Choice(("cpu", "cuda")), default="cpu", show_default=True)
@click.option("--mode", default="generation", show_default=True)
@click.option("--stages", default=6, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=RESULTS, show_default="results/")
def main(sizes: str, device: str, mode: str, stages: int, output: Path) -> None:
    """Print the table and write it to `output`."""
    if device == "cpu" and platform.system() != "Linux":
        raise click.UsageError("the peak of a process can only be read on Linux")
    rows = []
    for row in rows_of(
        [
            Step(int(size), *variant, stages=stages, mode=mode, device=device)
            for size in sizes.split(",")
            for variant in VARIANTS
        ]
    ):
        click.echo(json.dumps(row))
        rows.append(row)
    title = f"Peak memory of a training step beside the program, shorter side {SHORTER_SIDE} of it"
    click.echo(markdown_table(rows))
    write_results(output / f"memory_{device}_{mode}", title, machine(device), {"": rows})


if __name__ == "__main__":
    main()
