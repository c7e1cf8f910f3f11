"""How long a training will take, told before it begins: one iteration is timed, the rest reckoned.

The dry run times every stage; this takes no longer than a few iterations of the costliest one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from consingan.machine.device import synchronize
from consingan.machine.progress import in_words
from consingan.methods.contract import Training
from consingan.training.plan import fits
from consingan.training.prepare import Job, prepare

SHORT = 60.0  # seconds; less is not worth a line, nor a closer look
LONG = 15 * 60.0  # seconds from which on it is said what would take less


def outlook(job: Job, typed: Mapping[str, Any] | None) -> Iterator[str]:
    """A line on the time that a new training takes; none of one that is short.

    Trains throw-away networks; the job is left as it is.

    Args:
        job: ready to begin.
        typed: what the user gave, by which presets are tried; None where there is no choosing one.
    """
    work = work_of(job.training)
    seconds = seconds_of(job)
    if seconds is None or seconds < SHORT:
        return
    line = f"time: about {in_words(seconds)} at these settings here"
    if seconds >= LONG and typed is not None and not typed.get("fine_tune"):
        shares = ((name, work_of(other.training) / work) for name, other in _presets(job, typed))
        less = [f"--preset {name} about {in_words(s * seconds)}" for name, s in shares if s < 0.9]
        line = "; ".join([line, *less])
    goes_on = "says how to go on" if typed is None else "--resume goes on"
    yield f"{line}. Ctrl+C stops it, {goes_on}."


def seconds_of(job: Job) -> float | None:
    """What a new training takes, by timing an iteration or two; None: it does not fit into memory.

    Nothing of that is tried out: the system may end the process that takes too much.
    """
    if not fits(job):
        return None
    work = work_of(job.training)
    return work * _pace(job, work) if work else 0.0


def work_of(training: Training) -> float:
    """All that is to be done, in the units of `contract.Training.cost`."""
    stages = range(training.first, training.stages)
    return sum(training.cost(stage) * training.iterations(stage) for stage in stages)


def _pace(job: Job, work: float) -> float:
    """Seconds of a unit of work: by the coarsest stage, or where that is much by the costliest."""
    training, first = job.training, job.training.first
    pace = _seconds(job, first) / training.cost(first)
    stages = range(training.stages - 1, first - 1, -1)
    costliest = max(stages, key=lambda n: training.cost(n) * training.iterations(n))
    if first == costliest or work * pace < SHORT:
        return pace
    return _seconds(job, costliest) / training.cost(costliest)


def _seconds(job: Job, stage: int) -> float:
    """Of one iteration."""
    rehearsal = job.training.rehearse(stage)
    for iteration in range(rehearsal.untimed):
        rehearsal.step(iteration)
    synchronize(job.execution.device)
    begun = time.perf_counter()
    for iteration in range(rehearsal.untimed, rehearsal.untimed + rehearsal.turn):
        rehearsal.step(iteration)
    synchronize(job.execution.device)
    return (time.perf_counter() - begun) / rehearsal.turn


def _presets(job: Job, typed: Mapping[str, Any]) -> Iterator[tuple[str, Job]]:
    """The same training with each other preset of its method."""
    for name in job.method.presets:
        if name != job.chosen.config.preset:
            yield name, prepare({**typed, "preset": name}, job.execution)
