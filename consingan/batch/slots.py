"""How many trainings a machine does at once, and on what: shared out so that nothing starves."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consingan.errors import UserError
from consingan.machine.progress import in_gigabytes

# Bytes that a worker takes beside its training: resident memory of a process with torch loaded,
# measured on Linux, and of a CUDA context with what libraries keep there: of a training of 250 px
# whose steps are estimated at 252 MiB torch had reserved 822 (benchmarks/results/speed_cuda_*).
PROGRAM, CONTEXT = 450 * 2**20, (600 + 570) * 2**20
# Threads of a training where nobody says. On two cores two trainings one after the other with two
# threads took 1.8 times as long as two at once with one thread each, and up to ten times where
# other programs were busy, too: benchmarks/results/batch_throughput.md.
THREADS = 1


@dataclass(frozen=True)
class Slot:
    """A place for one training at a time: a device as `--device` names it, and CPU threads."""

    device: str
    threads: int


@dataclass(frozen=True)
class Gpu:
    """A GPU as `--device` names it, with its free bytes."""

    name: str
    free: int


@dataclass(frozen=True)
class Machine:
    """What there is to share out; `free` bytes of memory are None where nobody can say."""

    cores: int
    free: int | None
    gpus: Sequence[Gpu] = ()


def machine_here(device: str) -> Machine:
    """What there is here, as far as `device` ("auto", "cpu", "cuda", ...) lets it be used."""
    import torch

    from consingan.machine.device import working_gpus
    from consingan.machine.memory import free_memory

    free = free_memory(torch.device("cpu"))
    names: list[str] = []
    if device == "auto":
        names = working_gpus()
    elif device.startswith("cuda"):
        names = [device]
    if names:
        torch.cuda.empty_cache()  # what planning left: other processes cannot have it
    gpus = [Gpu(name, free_memory(torch.device(name)) or 0) for name in names]
    return Machine(usable_cores(), free, gpus)


def taking_turns(slots: Sequence[Slot]) -> str:
    """What to do where trainings share a GPU without NVIDIA's MPS, a sentence; else "".

    The server's pipe is looked for, by default where its manual says.
    """
    shared = [slot.device for slot in slots if slot.device.startswith("cuda")]
    pipe = Path(os.environ.get("CUDA_MPS_PIPE_DIRECTORY") or "/tmp/nvidia-mps") / "control"
    if len(shared) == len(set(shared)) or pipe.exists():
        return ""
    return (
        "Trainings on one GPU take turns; after nvidia-cuda-mps-control -d, where there is one, "
        "they compute at the same time."
    )


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def slots_of(
    machine: Machine, peak: int, device: str, workers: int | None = None, threads: int | None = None
) -> list[Slot]:
    """Places for trainings that each take `peak` bytes at most.

    Args:
        machine: what there is.
        peak: bytes of the largest training beside the program itself.
        device: where nothing is a GPU.
        workers: how many at most; by default as many as there are cores for.
        threads: of each.

    Raises:
        UserError: not even one fits.
    """
    each = threads or THREADS
    most = workers or max(1, machine.cores // each)
    here = 0 if machine.gpus else peak
    if machine.free is not None:
        most = min(most, machine.free // (here + PROGRAM))
    if not most:
        raise UserError(
            f"A training takes about {in_gigabytes(here + PROGRAM)} of memory and "
            f"{in_gigabytes(machine.free or 0)} are free; use a smaller max_size, or close other "
            "programs."
        )
    if not machine.gpus:
        return [Slot(device, each)] * most
    fits = [(gpu.free // (peak + CONTEXT), gpu.name) for gpu in machine.gpus]
    rounds = range(max(count for count, _ in fits))
    places = [Slot(name, each) for turn in rounds for count, name in fits if turn < count]
    if not places:
        free = max(gpu.free for gpu in machine.gpus)
        raise UserError(
            f"A training takes about {in_gigabytes(peak + CONTEXT)} of a GPU's memory and "
            f"{in_gigabytes(free)} are free; use a smaller max_size, checkpointing, or --device cpu"
        )
    return places[:most]
