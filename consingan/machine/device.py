"""Which device to compute on, and what it is called in words."""

from __future__ import annotations

import math
import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

from consingan.errors import UserError
from consingan.machine.groups import processors
from consingan.machine.progress import counted
from consingan.machine.usual import forked


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def complete(device: torch.device) -> torch.device:
    """`device`, or the CPU for an Apple GPU, which has no float64 and lacks linear algebra."""
    return torch.device("cpu") if device.type == "mps" else device


CROWDED = 1.5  # times slower with all threads than with one: then something is wrong
_given_up: int | None = None  # the number of CPU threads before one was settled for


@dataclass(frozen=True)
class DeviceChoice:
    """A device and, where it is not the one asked for, a sentence that says why."""

    device: torch.device
    note: str = ""


def choose_device(
    device: str = "auto", gpu: int | None = None, not_cuda: bool = False
) -> DeviceChoice:
    """The device that the options mean.

    Args:
        device: auto (the first CUDA device that computes, else MPS, else CPU), cpu, cuda, cuda:N or
            mps; errors if it is missing.
        gpu: N of the authors' `--gpu N`; without CUDA it goes on with the CPU and says so. -1 is
            the CPU.
        not_cuda: the authors' `--not_cuda`: the CPU.

    Raises:
        UserError: the device is unknown or not there.
    """
    if not_cuda or gpu == -1:
        return DeviceChoice(torch.device("cpu"))
    if device != "auto":
        return DeviceChoice(_named(device))
    if torch.cuda.is_available():
        return _first_working(range(torch.cuda.device_count()) if gpu is None else [gpu])
    if gpu is not None:
        return _instead(f"--gpu {gpu}: there is no CUDA device here")
    return _without_cuda()


def working_gpus() -> list[str]:
    """The CUDA devices that compute, as `--device` names them."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [
        name for name in (f"cuda:{n}" for n in range(count)) if not _unusable(torch.device(name))
    ]


def _first_working(numbers: Sequence[int]) -> DeviceChoice:
    """The first of these CUDA devices that computes, else what there is beside them."""
    why = ""
    for number in numbers:
        found = _named(f"cuda:{number}", tried=False)
        if not (wrong := _unusable(found)):
            return DeviceChoice(found, f"{why}, going on with {found}." if why else "")
        why = why or f"{found} does not work ({wrong})"
    return _instead(why)


def _instead(why: str) -> DeviceChoice:
    found = _without_cuda()
    name = "CPU" if found.device.type == "cpu" else "Apple GPU"
    return DeviceChoice(found.device, f"{why}, going on with the {name}.")


def _without_cuda() -> DeviceChoice:
    apple = torch.device("mps")
    if not torch.backends.mps.is_available():
        return DeviceChoice(torch.device("cpu"))
    if not (why := _unusable(apple)):
        return DeviceChoice(apple)
    note = f"The Apple GPU does not work ({why}), going on with the CPU."
    return DeviceChoice(torch.device("cpu"), note)


def _unusable(device: torch.device) -> str:
    """Why a GPU does not compute, in torch's words; "" if it does.

    A build of torch has kernels for some generations of cards and none for older ones, and for
    Apple's, of early versions, not all that are needed.
    """
    try:
        F.interpolate(torch.ones(1, 1, 2, 2, device=device), scale_factor=2, mode="bicubic").cpu()
    except torch.cuda.OutOfMemoryError:
        return ""  # it would work; what to do about memory is said where the work begins
    except RuntimeError as error:
        return str(error).partition("\n")[0]
    return ""


def _named(name: str, tried: bool = True) -> torch.device:
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", name):
        raise UserError(f"--device {name} is unknown; use auto, cpu, cuda, cuda:N or mps.")
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise UserError("--device mps: there is no Apple GPU here; use --device cpu.")
        if why := _unusable(torch.device(name)):
            raise UserError(
                f"--device mps does not work ({why}); install a newer torch, or use --device cpu."
            )
    if name.startswith("cuda"):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        index = int(name.partition(":")[2] or 0)
        if index >= count:
            few = {0: "there is no CUDA device", 1: "there is only one CUDA device"}
            there = few.get(count, f"there are only {count} CUDA devices")
            raise UserError(f"--device {name}: {there} here; use --device auto.")
        found = torch.device("cuda", index)
        if tried and (why := _unusable(found)):
            raise UserError(f"--device {name} does not work ({why}); {_remedy(why)}")
        return found
    return torch.device(name)


def _remedy(why: str) -> str:
    """What to do about a CUDA device that does not compute."""
    if "busy" in why:  # perhaps with this program: a study's own planning
        return (
            "end what else computes on it, or use --device cpu. Where the card's mode lets one "
            "program in at a time, start nvidia-cuda-mps-control -d before, or have the mode set "
            "by nvidia-smi -c DEFAULT."
        )
    return (
        "end what else computes on it, install a build of torch that is made for this card, or "
        "use --device cpu."
    )


def settle_threads(device: torch.device) -> str:
    """Compute with fewer CPU threads where that is clearly faster now; says so, or "".

    No more than a container may take processors, and one where other programs keep them busy. For
    work that begins: what goes on keeps its number, which decides the last digits of a result.
    Where a process begins several, each is asked anew, from the number there was before any.
    A number that the user chose (--threads, OMP_NUM_THREADS) is not to be settled.
    """
    global _given_up
    now = torch.get_num_threads()
    threads = _given_up if _given_up and now == 1 else now
    chosen = bool(os.environ.get("OMP_NUM_THREADS"))
    if device.type != "cpu" or threads == 1 or chosen or forked():
        return ""
    there, threads = threads, min(threads, math.ceil(processors() or threads))
    torch.set_num_threads(threads)
    times = _slower_together(threads) if threads > 1 else 0.0
    if times < CROWDED:
        return _in_a_container(threads, there) if threads < there else ""
    _given_up = threads
    torch.set_num_threads(1)
    return (
        f"One thread is {times:.0f} times as fast as {threads} now, as other programs keep the "
        f"cores busy: going on with one. Use --threads {threads} for all."
    )


def _in_a_container(allowed: int, there: int) -> str:
    used = counted(allowed, "thread")
    return f"Of the {there} processors this container may use {allowed}: going on with {used}."


def _slower_together(threads: int) -> float:
    """How many times as long a convolution takes with so many threads as with one."""
    together = _small_convolutions()
    try:
        torch.set_num_threads(1)
        alone = _small_convolutions()
    finally:
        torch.set_num_threads(threads)
    return together / alone


def crowded(device: torch.device) -> str:
    """A sentence that advises fewer threads where other programs keep the cores busy, or "".

    Threads that wait for one another on a busy core can make a training many times slower. How
    many there are decides the last digits of a result, so it is never changed unasked.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        return ""
    times = _slower_together(threads)
    if times < CROWDED:
        return ""
    return (
        f"Other programs keep the cores busy: one thread is {times:.0f} times as fast "
        f"as {threads} now; consider --threads 1."
    )


@torch.no_grad()
def _small_convolutions() -> float:
    """Median seconds of a convolution as at a coarse stage."""
    x, weight = torch.ones(1, 64, 32, 32), torch.ones(64, 64, 3, 3)
    times = []
    for _ in range(9):
        start = time.perf_counter()
        torch.nn.functional.conv2d(x, weight)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def describe(device: torch.device) -> str:
    """The device in words, for example "cpu (2 threads, x86_64)"."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{device} ({properties.name}, {properties.total_memory / 2**30:.0f} GiB)"
    if device.type == "mps":
        return "mps (Apple GPU)"
    return f"cpu ({torch.get_num_threads()} threads, {platform.machine()})"


def processor() -> str:
    """The processor's name as its maker writes it, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text("utf-8"), re.M)
        if found:
            return found.group(1)
    if platform.system() == "Darwin":
        asked = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if asked.stdout.strip():
            return asked.stdout.strip()
    return platform.processor() or platform.machine()
