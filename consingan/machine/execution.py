"""How a training or an evaluation is executed: chosen anew, or as a run was begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from consingan.errors import UserError
from consingan.machine.device import choose_device, settle_threads
from consingan.machine.precision import Arithmetic, choose_arithmetic
from consingan.machine.usual import forked


@dataclass(frozen=True)
class Wanted:
    """What the user said about where and how to compute; None and False: nothing.

    Attributes:
        device: auto, cpu, cuda, cuda:N or mps.
        gpu: number of a CUDA device, else the CPU; -1 is the CPU.
        not_cuda: the CPU.
        precision: auto, float32, tf32 or bf16.
        engine: a name of the method's engines.
        checkpointing: less memory, more time.
        threads: of the CPU.
    """

    device: str | None = None
    gpu: int | None = None
    not_cuda: bool = False
    precision: str | None = None
    engine: str | None = None
    checkpointing: bool | None = None
    threads: int | None = None

    @property
    def placed(self) -> dict[str, str]:
        """The flags that say where, each with the device that it names."""
        given = {
            "--device": self.device,
            "--gpu": None if self.gpu is None else "cpu" if self.gpu < 0 else f"cuda:{self.gpu}",
            "--not_cuda": "cpu" if self.not_cuda else None,
        }
        return {flag: name for flag, name in given.items() if name}


@dataclass(frozen=True)
class Execution:
    """How a run is executed, apart from what it computes.

    Attributes:
        device: where.
        arithmetic: in which number format.
        engine: which way of carrying out a step, "auto" or a name of the method's.
        checkpointing: whether activations are computed again instead of kept.
        notes: sentences for the user.
    """

    device: torch.device
    arithmetic: Arithmetic = field(default_factory=Arithmetic)
    engine: str = "auto"
    checkpointing: bool = False
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What a resumed run needs to be executed alike."""
        return {
            "device": str(self.device),
            "precision": self.arithmetic.name,
            "engine": self.engine,
            "checkpointing": self.checkpointing,
            "threads": torch.get_num_threads(),
        }


def choose_execution(wanted: Wanted) -> Execution:
    """Pick device and arithmetic and set the number of CPU threads.

    Raises:
        UserError: what is asked for is not there, or two flags contradict one another.
    """
    if len(set(wanted.placed.values())) > 1:
        flags = " and ".join(wanted.placed)
        raise UserError(f"{flags} both say where to compute; give one of them.")
    if wanted.threads not in (None, torch.get_num_threads()) and not forked():
        torch.set_num_threads(wanted.threads)
    chosen = choose_device(wanted.device or "auto", wanted.gpu, wanted.not_cuda)
    return Execution(
        chosen.device,
        choose_arithmetic(wanted.precision or "auto", chosen.device),
        wanted.engine or "auto",
        bool(wanted.checkpointing),
        (chosen.note,) if chosen.note else (),
    )


def settled(execution: Execution, wanted: Wanted) -> Execution:
    """The same for work that begins, with the number of threads that is faster at this moment."""
    note = "" if wanted.threads else settle_threads(execution.device)
    return replace(execution, notes=(*execution.notes, f"Note: {note}")) if note else execution


def as_before(wanted: Wanted, before: Mapping[str, Any]) -> Execution:
    """What was asked for, else as a run was executed before, as far as this machine can.

    Args:
        wanted: what the user said now.
        before: what `Execution.to_json` gave when the run was begun; {} where that is not known.

    Raises:
        UserError: what is asked for is not there.
    """
    notes: list[str] = []
    if not wanted.placed and before:
        wanted = replace(wanted, device=_still_there(str(before.get("device", "auto")), notes))
    wanted = replace(
        wanted,
        engine=wanted.engine or before.get("engine"),
        checkpointing=wanted.checkpointing or bool(before.get("checkpointing", False)),
        threads=wanted.threads or before.get("threads"),
    )
    if wanted.precision or "precision" not in before:
        execution = choose_execution(wanted)
    else:
        execution = _as_exact(wanted, before, notes)
    return replace(execution, notes=(*notes, *execution.notes))


def _still_there(device: str, notes: list[str]) -> str:
    """The device that a run was begun on, or auto where this machine lacks it."""
    try:
        choose_device(device)
    except UserError:
        notes.append(f"Note: the run was begun on {device}, which is not here.")
        return "auto"
    return device


def _as_exact(wanted: Wanted, before: Mapping[str, Any], notes: list[str]) -> Execution:
    """With the precision that the run was begun in, unless that was another device's best."""
    precision = str(before["precision"])
    best = choose_execution(wanted)
    elsewhere = str(best.device) != before.get("device")
    if precision != "float32" and elsewhere and best.arithmetic.name != precision:
        notes.append(
            f"Note: the run was begun in {precision} on {before.get('device')}; it goes on in "
            f"{best.arithmetic.name} on {best.device}."
        )
        return best
    try:
        return choose_execution(replace(wanted, precision=precision))
    except UserError:  # another card of the same name
        notes.append(
            f"Note: the run was begun in {precision}, which {best.device} lacks; it goes on in "
            f"{best.arithmetic.name}."
        )
        return best
