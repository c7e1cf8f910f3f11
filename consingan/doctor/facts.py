"""Facts of a machine: versions, devices, precisions, who else computes."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from consingan._version import __version__
from consingan.errors import UserError
from consingan.machine.device import crowded, processor
from consingan.machine.extras import fits, installing, is_too_old, version_of
from consingan.machine.graphs import SWITCH as GRAPHS_SWITCH
from consingan.machine.memory import free_memory
from consingan.machine.precision import PRECISIONS, Arithmetic, choose_arithmetic, computing_time
from consingan.machine.usual import one_thread
from consingan.nn.fused.choice import OLDEST, has_triton, triton_version
from consingan.nn.fused.choice import SWITCH as KERNELS_SWITCH

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# What changes the number of threads or the devices that are seen.
VARIABLES = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF", "PYTORCH_ENABLE_MPS_FALLBACK", GRAPHS_SWITCH, KERNELS_SWITCH,
)  # fmt: skip
GIB = 2**30
Facts = dict[str, str]


def versions() -> Facts:
    """Versions of the program, Python, the system and the libraries."""
    cuda, rocm = torch.version.cuda, torch.version.hip
    built = f"for CUDA {cuda}" if cuda else f"for ROCm {rocm}" if rocm else "without CUDA"
    found = {
        "consingan": f"{__version__} ({shortened(Path(__file__).parents[1])})",
        "python": f"{platform.python_version()} ({shortened(sys.executable)})",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
    }
    found |= {r.name: _in_range(r) for r in requirements().get("", [])}
    found["torch"] = f"{torch.__version__} (built {built}){_wanting(found.get('torch', ''))}"
    return found | {name: os.environ[name] for name in VARIABLES if name in os.environ}


def _in_range(needed: Requirement) -> str:
    """The version of a library that is there, and whether it is one that works."""
    version = version_of(needed.name)
    if version is None:
        return "MISSING"
    return version if fits(str(needed), version) else f"{version}; needed: {needed.specifier}"


def unmet() -> Iterator[str]:
    """A sentence on each library that is missing, or there in a version that is not asked for."""
    for needed in requirements().get("", []):
        version = version_of(needed.name)
        if version is None or not fits(str(needed), version):
            state = "is missing" if version is None else f"{version} is not one that works here"
            yield f"{needed.name} {state}; run: {installing(f'{needed.name}{needed.specifier}')}."


def _wanting(words: str) -> str:
    """What `_in_range` says besides the version."""
    return words[words.find(";") :] if ";" in words else ""


def requirements() -> dict[str, list[Requirement]]:
    """The packages that are needed, under "", and those that each extra needs."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        lines = metadata.requires("consingan") or []
    except metadata.PackageNotFoundError:  # used in the repository's folder, not installed
        file = Path(__file__).parents[2] / "requirements.txt"
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    found: dict[str, list[Requirement]] = {}
    for line in lines:
        try:
            needed = Requirement(line.partition(" #")[0])
        except InvalidRequirement:  # a remark, or an option of pip
            continue
        name = re.search(r'extra == "([\w-]+)"', str(needed.marker))
        extra = name[1] if name else ""
        if needed.marker is None or needed.marker.evaluate({"extra": extra}):
            found.setdefault(extra, []).append(needed)
    return found


def extras() -> Facts:
    """For each extra of the package whether all of it is there, else how to get it."""
    said = {name: _of_extra(needed) for name, needed in requirements().items() if name}
    return said or {"unknown": "consingan is not installed; in its folder: pip install ."}


def _of_extra(needed: Sequence[Requirement]) -> str:
    wanting = [r for r in needed if version_of(r.name) is None or is_too_old(str(r))]
    if not wanting:
        return "present"
    there = [f"{r.name} {version_of(r.name)}" for r in wanting if is_too_old(str(r))]
    what = "missing" if len(there) < len(wanting) else f"too old ({', '.join(there)})"
    return f"{what}; get it with: {installing(*(f'{r.name}{r.specifier}' for r in wanting))}"


def devices() -> Facts:
    """What there is to compute on, with the memory that is free there."""
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        usable = os.cpu_count() or 1
    free = free_memory(torch.device("cpu"))
    memory = "free memory unknown" if free is None else f"{free / GIB:.1f} GiB free"
    threads = torch.get_num_threads()
    found = {"cpu": f"{processor()}, cores: {usable}, threads used: {threads}, {memory}"}
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            of = torch.cuda.get_device_properties(index)
            free = free_memory(torch.device("cuda", index)) or 0
            found[f"cuda:{index}"] = (
                f"{of.name}, compute capability {of.major}.{of.minor}, "
                f"{free / GIB:.1f} of {of.total_memory / GIB:.1f} GiB free"
            )
        found["triton"] = triton_version() or "missing"
        if not has_triton():
            needed = ".".join(map(str, OLDEST))
            found["triton"] += f"; without {needed} or newer bf16 trainings take 1.5 times as long"
    else:
        found["cuda"] = "none"
    found["mps"] = "an Apple GPU" if torch.backends.mps.is_available() else "none"
    return found


def precisions(device: torch.device) -> Facts:
    """Each value of `--precision` on `device`: how fast it is there, or why it does not work."""
    side = _side(device)
    reference = _convolution_time(Arithmetic(), device)
    found = {
        "auto": choose_arithmetic("auto", device).reason,
        "float32": f"yes, {1000 * reference:.2f} ms for a convolution 64 -> 64 at {side}x{side} px",
    }
    for name in PRECISIONS:
        if name in found:
            continue
        try:
            seconds = _convolution_time(choose_arithmetic(name, device), device)
        except UserError as error:
            found[name] = f"no: {error}"
        else:
            found[name] = f"yes, {reference / seconds:.1f} times as fast as float32"
    return found


def _side(device: torch.device) -> int:
    """Of a picture, px: as at a coarse stage; on a GPU so large that it computes for a while."""
    return 32 if device.type == "cpu" else 512


@torch.no_grad()
def _convolution_time(arithmetic: Arithmetic, device: torch.device) -> float:
    """Seconds for a convolution, on one thread, the best of some.

    It is so short that most of the times no other program takes the core away in between.
    """
    kind: dict[str, Any] = {"dtype": arithmetic.dtype(), "device": device}
    side = _side(device)
    x, weight = torch.ones(1, 64, side, side, **kind), torch.ones(64, 64, 3, 3, **kind)
    x, weight = (t.to(memory_format=torch.channels_last) for t in (x, weight))
    times = []
    clock = computing_time if device.type == "cpu" else time.perf_counter
    with one_thread(), arithmetic.scope(device):
        for _ in range(20):
            start = clock()
            # Reading a number back waits until a GPU, too, is ready.
            torch.nn.functional.conv2d(x, weight)[0, 0, 0, 0].item()
            times.append(clock() - start)
    return min(times[1:])


def load(device: torch.device) -> Facts:
    """Whether other programs are in the way."""
    return {"cores": crowded(device) or "free enough for the threads used"}


def in_words(error: Exception) -> str:
    """An error as a phrase."""
    return f"{type(error).__name__}: {without_home(' '.join(str(error).split()))}"


def shortened(path: str | Path) -> str:
    """A path with ~ for the home folder."""
    return without_home(str(path))


def without_home(text: str) -> str:
    """Text with ~ for the home folder, wherever it stands."""
    try:
        home = str(Path.home())
    except RuntimeError:  # a container's user may have none
        return text
    if len(home) <= 1:  # the root of the file system would be found everywhere
        return text
    return re.sub(rf"{re.escape(home)}(?=$|[\\/\s:;,.'\")\]])", "~", text)
