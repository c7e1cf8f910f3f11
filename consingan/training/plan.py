"""What a training will be: the words printed at its start, and the dry run's measured estimate."""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
from collections.abc import Iterator

from consingan.machine.device import describe, synchronize
from consingan.machine.execution import Execution
from consingan.machine.graphs import WARM_UP
from consingan.machine.memory import free_memory
from consingan.machine.progress import in_words
from consingan.methods.consingan.draws import SeededRandomness
from consingan.methods.consingan.engine import StageTask
from consingan.methods.consingan.engines import choose_engine
from consingan.methods.consingan.memory import estimate_training_memory
from consingan.methods.consingan.model import Anchor
from consingan.methods.consingan.training import recipe_of
from consingan.nn.discriminator import Discriminator
from consingan.runs.about import versions
from consingan.settings.config import Config
from consingan.settings.option import flag_name
from consingan.training.loop import Trainer
from consingan.training.prepare import Job

TIMED_ITERATIONS = 3
LONGEST_TURN = 12  # iterations; a penalty that comes more seldom costs next to nothing


def introduction(job: Job) -> Iterator[str]:
    """Lines that say what will be trained: versions, device, sizes, settings and their origin."""
    yield from surroundings(job.execution)
    yield from about_picture(job)


def surroundings(execution: Execution) -> Iterator[str]:
    """Lines that hold for any training: versions and device."""
    named = versions()
    yield ", ".join(f"{name} {named[name]}" for name in ("consingan", "python", "torch"))
    yield execution_line(execution)
    yield from execution.notes


def about_picture(job: Job) -> Iterator[str]:
    """Lines on one training: sizes, settings and their origin."""
    config = job.chosen.config
    height, width = job.input_size
    real = job.trainer.reals[-1]
    yield f"input {width}x{height} -> training {real.shape[-1]}x{real.shape[-2]} (WxH)"
    yield from job.notes
    yield f"{config.train_mode}, seed {config.manual_seed}"
    yield from settings_by_origin(job)
    yield "pyramid: " + ", ".join(f"{r.shape[-1]}x{r.shape[-2]}" for r in job.trainer.reals)
    generator, discriminator = parameter_counts(job.trainer)
    yield f"parameters: generator {generator:,} (all stages), discriminator {discriminator:,}"


def execution_line(execution: Execution) -> str:
    """Device, precision and engine in words."""
    return (
        f"device {describe(execution.device)}, precision {execution.arithmetic.reason}, "
        f"engine {execution.engine}"
    )


def settings_by_origin(job: Job) -> Iterator[str]:
    """Settings that are not defaults, a line for each place that they came from."""
    words = {
        "mode": f"recommended for {job.chosen.config.train_mode}",
        "preset": f"preset {job.chosen.config.preset}",
        "run": "from the run",
        "fine-tuning": "recommended for fine-tuning",
        "picture": "fitted to the picture",
        "typed": "typed",
    }
    for origin, title in words.items():
        names = [name for name, place in job.chosen.origin.items() if place == origin]
        if "manual_seed" in names:
            names.remove("manual_seed")  # it has been said, and may have been drawn
        if names:
            flags = {field.name: flag_name(field) for field in dataclasses.fields(Config)}
            pairs = (f"{flags[name]} {getattr(job.chosen.config, name)}" for name in names)
            yield f"{title}: " + ", ".join(pairs)


def parameter_counts(trainer: Trainer) -> tuple[int, int]:
    """Weights of the generator with all its stages, and of the discriminator."""
    generator = trainer.model.generator
    stage = sum(p.numel() for p in generator.body[0].parameters())
    shared = sum(p.numel() for p in [*generator.head.parameters(), *generator.tail.parameters()])
    critic = sum(p.numel() for p in trainer.discriminator.parameters())
    return shared + stage * trainer.config.train_stages, critic


def estimate(job: Job) -> Iterator[str]:
    """Lines with the memory and time that the training will take, by timing a few iterations.

    Trains throw-away networks; the job is left as it is.
    """
    trainer, config = job.trainer, job.chosen.config
    sizes = sizes_of(job)
    peak = peak_memory(job)
    yield f"memory at the finest stage: about {peak / 2**20:.0f} MiB beside the program itself"
    yield from memory_advice(job, peak)
    total = 0.0
    for stage in range(trainer.stage, config.train_stages):
        seconds = time_iteration(job, stage)
        total += seconds * trainer.iterations_of(stage)
        height, width = sizes[stage]
        yield f"stage {stage + 1} ({width}x{height}): {1000 * seconds:.0f} ms an iteration"
    iterations = sum(trainer.iterations_of(k) for k in range(trainer.stage, config.train_stages))
    yield f"time for {iterations} iterations: about {in_words(total)}"


def sizes_of(job: Job) -> list[tuple[int, int]]:
    """(h, w) in px of every stage."""
    return [(real.shape[-2], real.shape[-1]) for real in job.trainer.reals]


def peak_memory(job: Job, checkpointing: bool | None = None) -> int:
    """Bytes that the finest stage takes beside the program; None is checkpointing as planned."""
    execution = job.execution
    config = job.trainer.config_of(job.trainer.config.train_stages - 1)
    if checkpointing is None:
        checkpointing = execution.checkpointing
    return estimate_training_memory(
        sizes_of(job),
        config.shape,
        job.trainer.model.mode.border,
        recipe_of(config),
        execution.arithmetic,
        execution.engine,
        checkpointing,
    )


def memory_advice(job: Job, peak: int) -> Iterator[str]:
    """A line with what would fit, if `peak` bytes are more than what is free."""
    free = free_memory(job.execution.device)
    if free is None or peak <= free:
        return
    mebi = 2**20
    line = f"that is more than the {free / mebi:.0f} MiB that are free; use "
    can_checkpoint = job.execution.engine != "plain" and not job.execution.checkpointing
    if can_checkpoint and (less := peak_memory(job, checkpointing=True)) < peak:
        line += f"--checkpointing (about {less / mebi:.0f} MiB) "
        line += "or " if less <= free else "and "
        peak = peak if less <= free else less
    # Memory grows with the number of pixels; the coarse stages keep their sizes, hence the slack.
    longer = math.floor(0.95 * max(sizes_of(job)[-1]) * math.sqrt(free / peak))
    yield f"{line}--max_size {longer}."


def time_iteration(job: Job, stage: int) -> float:
    """Seconds of an iteration of `stage`, with fresh networks: the median.

    With a lazy penalty iterations differ; then it is the mean over those after which they repeat.
    """
    config, execution = job.trainer.config_of(stage), job.execution
    reals = job.trainer.reals[: stage + 1]
    mode = job.trainer.model.mode
    fresh = Trainer(config.replace(fine_tune=False), reals)
    generator = fresh.model.generator
    while generator.stages <= stage:
        generator.grow()
    shapes, source = fresh.shapes(stage), reals[0].cpu()
    randomness = SeededRandomness(0, mode, execution.device)
    anchors = [
        Anchor(reals[k], randomness.fixed_noise(k, shapes[k], reals[0]), 0.1)
        for k in range(stage + 1)
    ]
    task = StageTask(
        generator,
        Discriminator(config.shape).to(execution.device),
        reals[-1],
        [a.noise for a in anchors],
        [a.amplitude for a in anchors],
        recipe_of(config),
    )
    randomness.initialize(task.discriminator, "discriminator")
    engine = choose_engine(execution.engine, execution.arithmetic, execution.checkpointing)(task)
    times = []
    turn = min(math.lcm(config.penalty_every, config.d_steps) // config.d_steps, LONGEST_TURN)
    # A graph is recorded for each kind of iteration.
    untimed = turn * (WARM_UP + 1) if execution.device.type == "cuda" else turn
    for iteration in range(untimed + turn * math.ceil(TIMED_ITERATIONS / turn)):
        begun = time.perf_counter()
        draws = randomness.draws(stage, iteration, shapes, source, config.d_steps)
        engine.step(draws, iteration)
        synchronize(execution.device)
        times.append(time.perf_counter() - begun)
    return (statistics.median if turn == 1 else statistics.mean)(times[untimed:])
