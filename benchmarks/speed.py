"""The plain engine against the fast one, stage by stage and for a whole training; sampling.

python -m benchmarks.speed [--device cpu|cuda] [--threads N] [--size 250] [--stages 6]

Everything that is compared runs in one process, in turns, so that what else the machine does meets
all alike; times are medians, and what counts is their ratios.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from benchmarks.stages import new_draws, sizes_of, task_of
from benchmarks.tables import RESULTS, machine, markdown_table, write_results
from benchmarks.work import convolution, iteration_flop
from consingan.machine.device import synchronize
from consingan.machine.execution import Execution
from consingan.machine.graphs import WARM_UP
from consingan.machine.precision import Arithmetic, choose_arithmetic
from consingan.machine.progress import in_words
from consingan.methods.consingan.anchors import Anchor
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.engines import choose_engine
from consingan.methods.consingan.model import ConSinGAN
from consingan.methods.consingan.sampling import random_noises
from consingan.methods.consingan.setup import training_on
from consingan.methods.consingan.tasks import TASKS
from consingan.outputs.samples import random_samples
from consingan.training.loop import Trainer

Row = dict[str, Any]
Times = tuple[float, float]  # seconds by the clock, seconds of the processor

PLAIN = "plain float32"
PEAK = "convolution, "
SAMPLES = 32


def settings(mode: str, stages: int) -> ConSinGANConfig:
    """The mode's recommended settings, with `stages` stages."""
    return ConSinGANConfig(train_mode=mode, **{**TASKS[mode].overrides, "train_stages": stages})


def contestants(device: torch.device) -> dict[str, tuple[str, Arithmetic]]:
    """Engine and arithmetic by name, the yardstick first."""
    precisions = ["float32"]
    if choose_arithmetic("auto", device).name == "bf16":
        precisions += ["tf32", "bf16"] if device.type == "cuda" else ["bf16"]
    fast = {f"fast {p}": ("fast", choose_arithmetic(p, device)) for p in precisions}
    return {PLAIN: ("plain", Arithmetic()), **fast}


def in_turns(
    runs: Mapping[str, Callable[[int], object]], device: torch.device, rounds: int, untimed: int
) -> dict[str, Times]:
    """Median times of each of `runs`, which are called one after the other, `rounds` times."""
    taken: dict[str, list[Times]] = {name: [] for name in runs}
    for number in range(untimed + rounds):
        for name, run in runs.items():
            synchronize(device)
            begun, used = time.perf_counter(), time.process_time()
            run(number)
            synchronize(device)
            taken[name].append((time.perf_counter() - begun, time.process_time() - used))
    return {
        name: (
            statistics.median(t[0] for t in times[untimed:]),
            statistics.median(t[1] for t in times[untimed:]),
        )
        for name, times in taken.items()
    }


def time_stage(
    stage: int, config: ConSinGANConfig, size: int, device: torch.device, iterations: int
) -> tuple[dict[str, Times], dict[str, float]]:
    """By contestant: times of an iteration of `stage`; GFLOP/s of one convolution between them."""
    every = sizes_of(size, config.train_stages, config.train_mode)
    sizes = every[: stage + 1]
    runs: dict[str, Callable[[int], object]] = {}
    work: dict[str, float] = {}
    for name, (engine, arithmetic) in contestants(device).items():
        peak, work[name] = convolution(
            engine == "plain", arithmetic, every[-1], config.architecture, device
        )
        runs[PEAK + name] = peak
        task = task_of(sizes, config.train_mode, device, config)
        made = choose_engine(engine, arithmetic)(task)
        runs[name] = lambda k, made=made, task=task: made.step(new_draws(task, k), k)
    # With a lazy penalty a graph is recorded for each kind of iteration.
    untimed = config.penalty_every * (WARM_UP + 1) if device.type == "cuda" else 1
    times = in_turns(runs, device, iterations, untimed)
    runs.clear()
    gc.collect()
    peaks = {name: flop / times.pop(PEAK + name)[0] / 1e9 for name, flop in work.items()}
    return times, peaks


def stage_rows(
    config: ConSinGANConfig, size: int, device: torch.device, iterations: int
) -> Iterator[tuple[Row, dict[str, Times]]]:
    """A row for each stage, and what it was made from."""
    sizes = sizes_of(size, config.train_stages, config.train_mode)
    for stage, (height, width) in enumerate(sizes):
        times, peaks = time_stage(stage, config, size, device, iterations)
        work = {
            engine: iteration_flop(sizes[: stage + 1], config, engine)
            for engine in ("plain", "fast")
        }
        row: Row = {"stage": f"{stage + 1} ({width}x{height})"}
        row |= _columns(times, device)
        for name, (seconds, _) in times.items():
            achieved = work[name.split()[0]] / seconds / 1e9
            row[f"{name}: GFLOP/s"] = round(achieved)
            row[f"{name}: share of peak"] = round(achieved / peaks[name], 2)
        yield row, times


def _columns(times: Mapping[str, Times], device: torch.device) -> Row:
    row: Row = {f"{name}: ms": round(1000 * wall, 2) for name, (wall, _) in times.items()}
    plain = times[PLAIN]
    for name, (wall, used) in times.items():
        if name == PLAIN:
            continue
        row[f"{name}: times as fast"] = round(plain[0] / wall, 2)
        if device.type == "cpu":
            row[f"{name}: by CPU time"] = round(plain[1] / used, 2)
    return row


def whole(all_times: list[dict[str, Times]], config: ConSinGANConfig, device: torch.device) -> Row:
    """The row of a whole training: the sum over the stages, `niter` iterations each."""
    total = {
        name: (sum(t[name][0] for t in all_times), sum(t[name][1] for t in all_times))
        for name in all_times[0]
    }
    row: Row = {"all stages": f"{config.niter} iterations each"}
    for name, (wall, _) in total.items():
        row[f"{name}: time"] = in_words(config.niter * wall)
    return row | _columns(total, device)


def new_model(config: ConSinGANConfig, size: int, device: torch.device) -> ConSinGAN:
    """A generator with random weights in the place of a trained one."""
    sizes = sizes_of(size, config.train_stages, config.train_mode)
    task = task_of(sizes, config.train_mode, device, config)
    reals = [task.real.new_zeros(1, 3, *s) for s in sizes]
    anchors = [
        Anchor(real, z, a)
        for real, z, a in zip(reals, task.fixed_noises, task.amplitudes, strict=True)
    ]
    return ConSinGAN(config, task.generator, anchors, choose_arithmetic("auto", device))


def sampling_rows(
    config: ConSinGANConfig, size: int, device: torch.device, rounds: int
) -> list[Row]:
    """Images per second: one by one as the textbook has it, and as the program does it."""
    model = new_model(config, size, device)
    count = SAMPLES if device.type == "cpu" else 16 * SAMPLES
    arithmetic = choose_arithmetic("auto", device)

    @torch.no_grad()
    def one_by_one(_: int) -> list[Tensor]:
        drawn = (random_noises(model, None, 0, index) for index in range(count))
        return [
            model.generator([z.contiguous() for z in zs], model.amplitudes).cpu() for zs in drawn
        ]

    def batched(_: int) -> list[Tensor]:
        return list(random_samples(model, count))

    name = f"random_samples, {arithmetic.name}"
    times = in_turns({"one by one, float32": one_by_one, name: batched}, device, rounds, 1)
    yardstick = times["one by one, float32"]
    return [
        {
            "sampling": key,
            "images/s": round(count / wall, 2),
            "times as fast": round(yardstick[0] / wall, 2),
            "by CPU time": round(yardstick[1] / used, 2),
        }
        for key, (wall, used) in times.items()
    ]


def full_training(config: ConSinGANConfig, size: int, device: torch.device) -> Row:
    """Time one complete training with the recommended settings."""
    sizes = sizes_of(size, config.train_stages, config.train_mode)
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 12, 18, generator=rng) * 2 - 1
    reals = [
        torch.nn.functional.interpolate(coarse, s, mode="bicubic").clamp(-1, 1).to(device)
        for s in sizes
    ]
    arithmetic = choose_arithmetic("auto", device)
    if device.type == "cuda":
        gc.collect()
        torch.cuda.synchronize(device)
        torch.cuda.empty_cache()  # what the other tables left
        torch.cuda.reset_peak_memory_stats(device)
    begun = time.perf_counter()
    for _ in Trainer(training_on(config, reals, Execution(device, arithmetic))).run():
        pass
    synchronize(device)
    row: Row = {
        "complete training": f"{config.train_mode}, {size} px, {config.niter} iterations a stage",
        "precision": arithmetic.name,
        "seconds": round(time.perf_counter() - begun, 1),
    }
    if device.type == "cuda":
        row["peak MiB"] = torch.cuda.max_memory_reserved(device) // 2**20
    return row


@click.command()
@click.option("--device", type=click.Choice(("cpu", "cuda")), default="cpu", show_default=True)
@click.option("--threads", type=click.IntRange(1), help="CPU threads.")
@click.option("--size", default=250, show_default=True, help="Longer side in px.")
@click.option("--stages", default=None, type=click.IntRange(1), help="By default the mode's.")
@click.option("--iterations", default=3, show_default=True, help="Timed, of each stage.")
@click.option("--full", is_flag=True, help="Time a complete training too.")
@click.option("--mode", type=click.Choice(("generation", "harmonization")), default="generation")
@click.option("--output", type=click.Path(path_type=Path), default=RESULTS, show_default="results/")
def main(
    device: str, threads: int | None, size: int, stages: int | None, iterations: int,
    full: bool, mode: str, output: Path,
) -> None:  # fmt: skip
    """Print the tables and write them to `output`."""
    if threads:
        torch.set_num_threads(threads)
    where = torch.device(device)
    default = TASKS[mode].overrides.get("train_stages", ConSinGANConfig().train_stages)
    config = settings(mode, stages or int(default))
    rows, all_times = [], []
    for row, times in stage_rows(config, size, where, iterations):
        click.echo(row)
        rows.append(row)
        all_times.append(times)
    tables = {"Stages": rows, "Whole training": [whole(all_times, config, where)]}
    tables["Sampling"] = sampling_rows(config, size, where, iterations)
    if full:
        tables["Complete training, timed whole"] = [full_training(config, size, where)]
    for heading, table in tables.items():
        click.echo(f"\n{heading}\n{markdown_table(table)}")
    name = f"speed_{device}_{mode}_{size}px_{torch.get_num_threads()}threads"
    write_results(output / name, f"Speed, {mode}, {size} px", machine(device), tables)


if __name__ == "__main__":
    main()
