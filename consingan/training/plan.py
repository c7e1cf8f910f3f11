"""What is printed before a training, and what it would take: the dry run."""

from __future__ import annotations

import dataclasses
import math
import time
from bisect import bisect_right
from collections.abc import Iterator

import torch

from consingan.errors import UserError
from consingan.images.raster import PIXEL_LIMIT
from consingan.machine.device import describe, synchronize, working_gpus
from consingan.machine.execution import Execution
from consingan.machine.memory import free_memory
from consingan.machine.progress import in_words, tracked
from consingan.methods.choose import choose_settings
from consingan.methods.contract import Method, Rehearsal, Resizes
from consingan.runs.about import versions
from consingan.settings.option import flag_name
from consingan.training.prepare import Job

TIMED_SECONDS = 1.0  # for each stage; what others do on the machine evens out
LEAST_TIMED, MOST_TURNS = 3, 100
MEBI = 2**20


def introduction(job: Job) -> Iterator[str]:
    """Lines that say what will be trained: versions, device, sizes, settings and their origin."""
    yield from surroundings(job.execution, job.method)
    yield from about_picture(job)


def surroundings(execution: Execution, method: Method) -> Iterator[str]:
    """Lines that hold for any training by a method: versions and device."""
    named = versions()
    yield ", ".join(f"{name} {named[name]}" for name in ("consingan", "python", "torch"))
    yield execution_line(execution, method)
    yield from execution.notes


def about_picture(job: Job) -> Iterator[str]:
    """Lines on one training: sizes, settings and their origin."""
    config, training = job.chosen.config, job.training
    height, width = job.input_size
    trained_h, trained_w = training.sizes[-1]
    yield f"input {width}x{height} -> training {trained_w}x{trained_h} (WxH)"
    yield from job.notes
    yield f"{job.method.title}, {config.train_mode}, seed {config.manual_seed}"
    yield from settings_by_origin(job)
    yield from training.facts()


def execution_line(execution: Execution, method: Method) -> str:
    """Device, precision, engine and whether memory is saved, in words."""
    # A method that learns nothing has no network that could compute in another precision.
    precision = f"precision {execution.arithmetic.reason}, " if method.losses else ""
    return (
        f"device {describe(execution.device)}, {precision}"
        f"engine {execution.engine}{', checkpointing' if execution.checkpointing else ''}"
    )


def settings_by_origin(job: Job) -> Iterator[str]:
    """Settings that are not defaults, a line for each place that they came from.

    Of a preset those are left out that change nothing beside the others, of a run that is
    fine-tuned those that are as usual.
    """
    config = job.chosen.config
    usual = type(config)()
    idle = {name for name, _ in job.method.idle(config)}
    words = {
        "task": f"recommended for {config.train_mode}",
        "preset": f"preset {config.preset}",
        "run": "from the run",
        "fine-tuning": "recommended for fine-tuning",
        "picture": "fitted to the picture",
        "typed": "typed",
    }
    flags = {field.name: flag_name(field) for field in dataclasses.fields(config)}
    for origin, title in words.items():
        names = [name for name, place in job.chosen.origin.items() if place == origin]
        if "manual_seed" in names:
            names.remove("manual_seed")  # it has been said, and may have been drawn
        if origin == "run":
            names = [name for name in names if getattr(config, name) != getattr(usual, name)]
        if origin == "preset":
            names = [name for name in names if name not in idle]
        if names:
            yield f"{title}: " + ", ".join(f"{flags[n]} {getattr(config, n)}" for n in names)


def estimate(job: Job) -> Iterator[str]:
    """Lines with the memory and time that the training will take, by timing a few iterations.

    Trains throw-away networks; the job is left as it is.
    """
    training = job.training
    if (peak := training.peak_memory()) is not None:
        yield f"memory of the largest step: about {peak / MEBI:.0f} MiB beside the program itself"
        yield from memory_advice(job, peak)
        yield from _largest(job, peak)
    if not training.stages:
        yield "nothing is trained: pictures can be made at once"
        return
    if not fits(job):
        yield "time: not timed, for it does not fit into memory"
        return
    total = 0.0
    stages = range(training.first, training.stages)
    for stage in stages:
        rehearsal = training.rehearse(stage)
        seconds = _timed(job, rehearsal, stage)
        total += seconds * training.iterations(stage)
        height, width = rehearsal.size or training.sizes[stage]
        yield f"stage {stage + 1} ({width}x{height}): {1000 * seconds:.0f} ms an iteration"
    iterations = sum(training.iterations(stage) for stage in stages)
    yield f"time for {iterations} iterations: about {in_words(total)}"


def _largest(job: Job, peak: int) -> Iterator[str]:
    """A line with the largest size that fits, if that is known; no picture is enlarged for it."""
    free = free_memory(job.execution.device)
    if job.base is not None or not isinstance(job.training, Resizes):
        return  # a trained model keeps its size
    if free is not None and peak <= free:
        longest = _longest(job, free, peak)
        if not _allowed(job, longest):
            return
        yield (
            f"the largest size that fits into the {free / MEBI:.0f} MiB that are free: --max_size "
            f"{longest}" + (", the image's own" if longest == max(job.input_size) else "")
        )


def fits(job: Job) -> bool:
    """Whether memory is large enough as far as is known; what is not must not even be timed."""
    peak, free = job.training.peak_memory(), free_memory(job.execution.device)
    return peak is None or free is None or peak <= free


def refuse_too_large(job: Job) -> None:
    """Refuse a training that the system would end by killing it.

    Raises:
        UserError: it takes more memory than is free; the sentence says what would fit.
    """
    peak = job.training.peak_memory()
    if peak is None:
        return
    for line in memory_advice(job, peak):
        needed = f"The largest step takes about {peak / MEBI:.0f} MiB beside the program itself"
        raise UserError(f"{needed}; {line}")


def memory_advice(job: Job, peak: int) -> Iterator[str]:
    """A line with what would fit, if `peak` bytes are more than what is free."""
    free = free_memory(job.execution.device)
    if free is None or peak <= free:
        return
    line = f"that is more than the {free / MEBI:.0f} MiB that are free; "
    less = None if job.execution.checkpointing else job.training.peak_memory(checkpointing=True)
    if less is None or less >= peak:
        ways = _smaller(job, free, peak)
    else:
        enough, saving = less <= free, f"--checkpointing (about {less / MEBI:.0f} MiB)"
        smaller = _smaller(job, free, peak if enough else less)
        ways = f"{saving} {'or' if enough else 'and'} {smaller}" if smaller else saving * enough
    ways = " or ".join(filter(None, (_roomier(job, peak), ways)))
    yield line + (f"use {ways}." if ways else "close other programs, or take a larger machine.")


def _roomier(job: Job, peak: int) -> str:
    """Another GPU of this machine with so many bytes free, where a GPU computes; else nothing."""
    names = working_gpus() if job.execution.device.type == "cuda" else []
    there = (name for name in names if (free_memory(torch.device(name)) or 0) >= peak)
    return f"--device {other}" if (other := next(there, "")) else ""


def _smaller(job: Job, free: int, peak: int) -> str:
    """What to train instead that takes less than `peak` bytes; nothing where no size would fit."""
    if job.base is not None:
        return "a run that was trained with a smaller --max_size"
    longest = _longest(job, free, peak)
    return f"--max_size {longest}" if _allowed(job, longest) else ""


def _allowed(job: Job, longer: int) -> bool:
    """Whether the other settings, fitted to the picture, go with a longer side of `longer` px."""
    config, origin, size = job.chosen.config, job.chosen.origin, job.training.sizes[-1]
    typed = {name: getattr(config, name) for name, place in origin.items() if place == "typed"}
    try:
        chosen = choose_settings({**typed, "method": config.method, "max_size": longer})
        chosen, _ = job.method.load().fitted(chosen, job.input_size)
    except UserError:
        return False
    return longer * min(size) >= getattr(chosen.config, "min_size", 1) * max(size)


def _longest(job: Job, free: int, peak: int) -> int:
    """The longer side in px with which a training fits into `free` bytes; it takes `peak` now.

    That of the picture at most, which is never enlarged.
    """
    training, side = job.training, max(job.training.sizes[-1])
    if not isinstance(training, Resizes):
        # Memory grows with the number of pixels; the coarse stages keep their sizes: hence 5 %.
        return math.floor(0.95 * side * math.sqrt(free / peak))
    own = max(job.input_size)
    most = math.floor(side * math.sqrt(PIXEL_LIMIT / math.prod(training.sizes[-1])))
    above = min(own, most) + 1

    def needed(longer: int) -> int:
        return training.peak_memory_at(longer, job.chosen.origin)

    if needed(above - 1) <= free:
        return above - 1
    # Not all that is larger takes more: small pictures go in batches, larger ones one by one.
    while above > 1:
        below = max(above * 9 // 10, 1)
        if needed(below) <= free:
            return below + bisect_right(range(below + 1, above), free, key=needed)
        above = below
    return 0


def time_iteration(job: Job, stage: int) -> float:
    """Seconds of an iteration of `stage`."""
    return _timed(job, job.training.rehearse(stage), stage)


def _timed(job: Job, rehearsal: Rehearsal, stage: int) -> float:
    """Mean seconds of an iteration, over whole turns that take some time."""
    for iteration in range(rehearsal.untimed):
        rehearsal.step(iteration)
    synchronize(job.execution.device)
    begun, most = time.perf_counter(), rehearsal.turn * MOST_TURNS
    count = 0
    for count in tracked(range(1, most + 1), most, f"timing stage {stage + 1}"):
        rehearsal.step(rehearsal.untimed + count - 1)
        if count % rehearsal.turn or count < LEAST_TIMED:
            continue
        synchronize(job.execution.device)
        if time.perf_counter() - begun > TIMED_SECONDS:
            break
    return (time.perf_counter() - begun) / count
