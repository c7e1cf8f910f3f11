"""Large pictures: memory of a training on windows and of samples in strips, time by size.

python -m benchmarks.megapixels [--megapixels 1,4,16] [--channels 64] [--only training|sampling]

Every row is measured in a process of its own. *GB* is the most that the process had, the program
and its libraries with it. CPU seconds, not the clock: they hold on a busy machine, too.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import torch

from benchmarks.tables import RESULTS, machine, markdown_table, write_results
from consingan.images.deep import write_as
from consingan.images.unrolled import Sheet, write_strips
from consingan.machine.execution import Execution, Wanted, choose_execution
from consingan.methods.consingan import foresight
from consingan.methods.consingan.anchors import Anchor
from consingan.methods.consingan.config import WINDOW, ConSinGANConfig
from consingan.methods.consingan.setup import training_on
from consingan.methods.consingan.training import ConSinGANTraining
from consingan.nn.noise import gaussian, stream

SHAPE = 3 / 4  # height over width
ITERATIONS = 5  # timed, after one that is not
AMPLITUDE = 0.1

Size = tuple[int, int]


def size_of(megapixels: float) -> Size:
    """(h, w) px of a picture with so many."""
    width = round(math.sqrt(1e6 * megapixels / SHAPE))
    return round(SHAPE * width), width


def begun(size: Size, channels: int) -> ConSinGANTraining:
    """A training whose stages are all there, with first weights and noise for a picture."""
    width, usual = max(size), ConSinGANConfig(nfc=channels, max_size=max(size))
    config = foresight.config_at(usual, (188, 250), size)
    sizes = foresight.stage_sizes(config, size)
    reals = [torch.tanh(gaussian((1, 3, *s), stream("real", *s))).contiguous() for s in sizes]
    training = training_on(config, reals, execution())
    model, shapes = training.model, training.shapes(len(sizes) - 1)
    while model.generator.stages < len(sizes):
        model.generator.grow()
    for stage, real in enumerate(reals):
        crops, shape = training.crops_of(stage), shapes[stage]
        fixed = (
            crops.fixed_noise(shape, real.device)
            if crops
            else gaussian(shape, stream("fixed", stage))  # type: ignore[arg-type]
        )
        model.anchors.append(Anchor(real, fixed, AMPLITUDE if stage else 1.0))
    assert width == sizes[-1][1]
    return training


def execution() -> Execution:
    """In float32 on one thread of the CPU."""
    return choose_execution(Wanted(device="cpu", precision="float32", threads=1))


def train(size: Size, channels: int) -> dict[str, Any]:
    """Iterations of the finest stage."""
    training = begun(size, channels)
    training.begin(training.stages - 1, 0)
    training.step(0)
    started = time.process_time()
    for iteration in range(1, ITERATIONS + 1):
        training.step(iteration)
    seconds = (time.process_time() - started) / ITERATIONS
    estimated = training.peak_memory()
    assert estimated is not None
    return {"CPU s an iteration": seconds, "estimated GB": estimated / 1e9}


def sample(size: Size, channels: int) -> dict[str, Any]:
    """One picture of a model of a megapixel, made and written as an evaluation does it."""
    model = begun(size_of(1), channels).model
    in_strips = model.unrolls(size)
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample"
        if in_strips:
            write_strips(path, model.unroll(0, size, 0), Sheet(size, "png"))
        else:
            write_as(path, model.sample([0], size), "png")
    seconds = time.process_time() - started
    estimated = model.strip_memory(size) if in_strips else model.picture_memory(size, 1)
    megapixels = math.prod(size) / 1e6
    return {"CPU s a megapixel": seconds / megapixels, "estimated GB": estimated / 1e9}


WORKS: dict[str, Callable[[Size, int], dict[str, Any]]] = {"training": train, "sampling": sample}


def measured(work: str, size: Size, channels: int) -> dict[str, Any]:
    """A row, measured in a new process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_alone, args=(work, size, channels, theirs))
    process.start()
    theirs.close()
    try:
        return dict(ours.recv())
    finally:
        process.join()


def _alone(work: str, size: Size, channels: int, answer: Any) -> None:
    torch.set_num_threads(1)
    found = WORKS[work](size, channels)
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    answer.send({"GB": int(line.split()[1]) * 1024 / 1e9, **found})


def rows_of(work: str, megapixels: list[float], channels: int) -> Iterator[dict[str, Any]]:
    """Measure one size after the other."""
    for count in megapixels:
        size = size_of(count)
        named = {"megapixels": count, "size": f"{size[1]}x{size[0]}", "channels": channels}
        yield named | measured(work, size, channels)


@click.command()
@click.option("--megapixels", default="1,4,16", show_default=True)
@click.option("--channels", default=64, show_default=True)
@click.option("--only", type=click.Choice(tuple(WORKS)), help="One of the two tables.")
@click.option("--output", type=click.Path(path_type=Path), default=RESULTS, show_default="results/")
def main(megapixels: str, channels: int, only: str | None, output: Path) -> None:
    """Print the tables and write them to `output`."""
    if platform.system() != "Linux":
        raise click.UsageError("the peak of a process can only be read on Linux")
    counts, tables = [float(word) for word in megapixels.split(",")], dict[str, Any]()
    for work in [only] if only else WORKS:
        tables[work] = []
        for row in rows_of(work, counts, channels):
            click.echo(json.dumps(row))
            tables[work].append(row)
        click.echo(markdown_table(tables[work]))
    name = f"megapixels_{'_'.join(tables)}_{channels}"
    title = f"Large pictures on one thread, windows of {WINDOW} px"
    write_results(output / name, title, machine("cpu"), tables)


if __name__ == "__main__":
    main()
