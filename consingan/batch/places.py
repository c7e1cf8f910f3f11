"""Where a study is worked on: on this machine, or on a cluster by an engine of others."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from consingan.batch.here import run_here
from consingan.batch.ledger import FAILED, Ended, Ledger
from consingan.batch.plan import Plan
from consingan.batch.slots import Machine, machine_here, slots_of, taking_turns
from consingan.errors import UserError

Ending = Generator[list[Ended], None, None]


@dataclass(frozen=True)
class Work:
    """A study that is about to be worked on.

    Attributes:
        summary: where, and how much at a time.
        several: how many trainings at a time.
        begin: begins it; yields what has ended, perhaps nothing, at least each second. What failed
            has been noted down, as far as its folder can be written.
    """

    summary: str
    several: int
    begin: Callable[[], Ending]


def _here(plan: Plan, address: str, workers: int | None) -> Work:
    if address:
        raise UserError(f"--on here://{address}: this machine needs no address; use --on here.")
    machine = machine_here(plan.device)
    slots = slots_of(machine, plan.peak, plan.device, workers, plan.threads)
    notes = _without_gpus(machine, plan.device), taking_turns(slots[: len(plan.left)])
    summary = "\n".join(filter(None, (plan.here(slots), *notes)))
    return Work(
        summary, len(slots), lambda: _noting(run_here(plan.left, plan.folder, slots), plan.folder)
    )


def _without_gpus(machine: Machine, device: str) -> str:
    """Why there is no GPU where one could be expected, a sentence; else ""."""
    from consingan.machine.device import choose_device

    return "" if machine.gpus else choose_device(device).note


def _on_ray(plan: Plan, address: str, workers: int | None) -> Work:
    if workers is not None:
        raise UserError("--workers is for --on here; Ray knows how many its machines bear.")
    if plan.device.startswith("cuda:") and plan.device != "cuda:0":
        raise UserError(
            f"--device {plan.device}: Ray shows each training a GPU of its own, which is cuda; use "
            "--device cuda, and CUDA_VISIBLE_DEVICES before ray start for some GPUs alone."
        )
    from consingan.batch.on_ray import cluster

    found = cluster(address)
    return Work(found.summary, found.several(plan), lambda: _noting(found.run(plan), plan.folder))


def _noting(ending: Ending, study: Path) -> Ending:
    """The same, with failures noted down that no worker could note, as one that died."""
    with contextlib.closing(ending):
        for some in ending:
            for ended in some:
                if ended.status == FAILED:
                    with contextlib.suppress(OSError, UserError):  # as the worker could not
                        _note_failure(ended, Ledger(study / ended.name))
            yield some


def _note_failure(ended: Ended, book: Ledger) -> None:
    if (book.entry.get("status"), book.entry.get("error")) != (FAILED, ended.words):
        book.note(status=FAILED, error=ended.words, hopeless=None, traceback=None, left=None)


PLACES: Mapping[str, Callable[[Plan, str, int | None], Work]] = {"here": _here, "ray": _on_ray}


def work_on(plan: Plan, on: str, workers: int | None = None) -> Work:
    """Make ready to work on a study.

    Args:
        plan: of the study.
        on: "here", "ray" or "ray://ADDRESS".
        workers: how many trainings at a time at most.

    Raises:
        UserError: there is no such place, or it cannot be reached.
    """
    name, _, address = on.partition("://")
    if name not in PLACES:
        raise UserError(f"--on {on} is unknown; use here, ray or ray://ADDRESS.")
    return PLACES[name](plan, address, workers)
