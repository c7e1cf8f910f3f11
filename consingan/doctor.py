"""What this program finds on a machine, and whether it works there: the facts of a bug report.

Every function returns facts in words and prints nothing. The home folder is written as ~, and
neither the name of the machine nor that of its user is asked for.
"""

from __future__ import annotations

import contextlib
import math
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from consingan._version import __version__
from consingan.errors import UserError
from consingan.machine.device import choose_device, crowded
from consingan.machine.graphs import NOT_RECORDED, WARM_UP
from consingan.machine.graphs import SWITCH as GRAPHS_SWITCH
from consingan.machine.memory import free_memory
from consingan.machine.precision import PRECISIONS, Arithmetic, choose_arithmetic

# What changes the number of threads or the devices that are seen.
VARIABLES = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF", "PYTORCH_ENABLE_MPS_FALLBACK", GRAPHS_SWITCH,
)  # fmt: skip
GIB = 2**30
# So many iterations that a GPU records and repeats them.
SMALL: dict[str, Any] = {
    "train_stages": 2, "niter": WARM_UP + 2, "nfc": 8, "min_size": 16, "max_size": 32,
}  # fmt: skip
SAME = 1e-6  # difference in [-1, 1] that loading a model may make: none but rounding

Facts = dict[str, str]


@dataclass(frozen=True)
class Check:
    """Something that must be right, in words."""

    words: str
    ok: bool = True


@dataclass(frozen=True)
class Report:
    """All facts by section, and what is wrong (nothing, where the program works)."""

    facts: Mapping[str, Facts]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether trainings work here."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The same for json.dumps."""
        return {"ok": self.ok, "problems": list(self.problems), **self.facts}

    def lines(self) -> Iterator[str]:
        """The report as text of one fact a line."""
        for section, facts in self.facts.items():
            yield section
            width = max(len(name) for name in facts)
            yield from (f"  {name:<{width}}  {words}" for name, words in facts.items())
        yield "All is well." if self.ok else "Not all is well:"
        yield from (f"  {problem}" for problem in self.problems)


def examine(output_dir: Path, device: str = "auto") -> Report:
    """Look at everything.

    Args:
        output_dir: where runs are to be kept; nothing is made there.
        device: the one to test, named as in `--device`.

    Raises:
        UserError: there is no such device.
    """
    chosen = choose_device(device).device
    places, test = folders(output_dir), self_test(chosen)
    problems = [check.words for check in (*places.values(), test) if not check.ok]
    asking: dict[str, Callable[[], Facts]] = {
        "versions": versions,
        "extras": extras,
        "devices": devices,
        f"precision on {chosen}": partial(precisions, chosen),
        "load": partial(load, chosen),
    }
    facts: dict[str, Facts] = {}
    for section, asked in asking.items():
        try:
            facts[section] = asked()
        except Exception as error:  # of a driver, for example: the rest is worth knowing
            facts[section] = {"failed": _in_words(error)}
            problems.append(f"The {section} cannot be told: {_in_words(error)}")
    facts["folders"] = {name: check.words for name, check in places.items()}
    facts["self test"] = {"result": test.words}
    return Report(facts, tuple(problems))


def _in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {without_home(' '.join(str(error).split()))}"


def versions() -> Facts:
    """Versions of the program, Python, the system and the libraries."""
    cuda, rocm = torch.version.cuda, torch.version.hip
    built = f"for CUDA {cuda}" if cuda else f"for ROCm {rocm}" if rocm else "without CUDA"
    found = {
        "consingan": f"{__version__} ({shortened(Path(__file__).parent)})",
        "python": f"{platform.python_version()} ({shortened(sys.executable)})",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "torch": f"{torch.__version__} (built {built})",
    }
    libraries = [name for name in requirements().get("", []) if name != "torch"]
    found |= {name: _version(name) or "MISSING" for name in libraries}
    return found | {name: os.environ[name] for name in VARIABLES if name in os.environ}


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def requirements() -> dict[str, list[str]]:
    """Names of the packages that are needed, under "", and of those that each extra needs."""
    try:
        lines = metadata.requires("consingan") or []
    except metadata.PackageNotFoundError:  # used in the repository's folder, not installed
        file = Path(__file__).parents[1] / "requirements.txt"
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    names: dict[str, list[str]] = {}
    for line in lines:
        extra = re.search(r"""extra == ["']([\w-]+)["']""", line)
        if name := re.match(r"[\w.-]+", line):
            names.setdefault(extra.group(1) if extra else "", []).append(name.group())
    return names


def extras() -> Facts:
    """For each extra of the package whether all of it is there, else how to get it."""
    said = {}
    for extra, names in requirements().items():
        missing = [name for name in names if _version(name) is None]
        get = f"missing; get it with: pip install {' '.join(missing)}"
        said[extra] = get if missing else "present"
    said.pop("", None)
    return said or {"unknown": "consingan is not installed; in its folder: pip install ."}


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
    else:
        found["cuda"] = "none"
    found["mps"] = "an Apple GPU" if torch.backends.mps.is_available() else "none"
    return found


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
    layout = torch.channels_last if arithmetic.name == "bf16" else torch.contiguous_format
    x, weight = x.to(memory_format=layout), weight.to(memory_format=layout)
    times = []
    with _one_thread(), arithmetic.scope(device):
        for _ in range(20):
            start = time.perf_counter()
            # Reading a number back waits until a GPU, too, is ready.
            torch.nn.functional.conv2d(x, weight)[0, 0, 0, 0].item()
            times.append(time.perf_counter() - start)
    return min(times[1:])


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Keep threads from waiting for one another where other programs keep the cores busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def load(device: torch.device) -> Facts:
    """Whether other programs are in the way."""
    return {"cores": crowded(device) or "free enough for the threads used"}


def folders(output_dir: Path) -> dict[str, Check]:
    """Whether the program can write where it has to."""
    checks = {"output": writable(output_dir)}
    try:
        checks["temporary"] = writable(Path(tempfile.gettempdir()))
    except FileNotFoundError:
        checks["temporary"] = Check("There is no writable temporary folder; set TMPDIR.", ok=False)
    return checks


def writable(folder: Path) -> Check:
    """Whether files can be made in `folder`, or in the one above where it does not exist yet."""
    name = shortened(folder)
    place = next(p for p in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(p))
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
        free = shutil.disk_usage(place).free / GIB
    except OSError as error:
        words = f"{name} cannot be written ({shortened(place)}: {error.strerror}); "
        return Check(words + "choose another place.", ok=False)
    state = "writable" if folder.exists() else "can be made"
    return Check(f"{name}: {state}, {free:.1f} GiB free")


def self_test(device: torch.device) -> Check:
    """Whether training a tiny model, sampling from it and loading it again works.

    That is a second of work, most of it for importing libraries; nothing is left behind.
    """
    start = time.perf_counter()
    try:
        with _one_thread(), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            _train_and_load(device)
    except Exception as error:  # whatever is wrong with this machine belongs into the report
        return Check(f"The self test on {device} failed: {_in_words(error)}", ok=False)
    seconds = time.perf_counter() - start
    words = f"ok: trained, sampled, saved and loaded on {device} in {seconds:.1f} s"
    said = (str(warning.message) for warning in warned)
    slow = [without_home(text) for text in said if text.startswith(NOT_RECORDED)]
    return Check(". ".join([words, *slow[:1]]))


def _train_and_load(device: torch.device) -> None:
    """Raise whatever goes wrong."""
    from consingan.api import trained
    from consingan.api.train import train

    sides = torch.linspace(-1, 1, 24), torch.linspace(-1, 1, 32)
    rows, columns = torch.meshgrid(*sides, indexing="ij")
    picture = torch.stack([rows, columns, torch.sin(8 * rows * columns)])[None]
    where = str(device)
    with tempfile.TemporaryDirectory(prefix="consingan-doctor-") as folder:
        model = train(picture, output_dir=folder, device=where, **SMALL)
        made = model.sample(1, seed=1)
        if made.shape != (1, 3, *model.size) or not math.isfinite(float(made.sum())):
            raise RuntimeError(f"a sample of shape {tuple(made.shape)} is not a finite picture")
        if model.folder is None:
            raise RuntimeError("the run was not saved")
        again = trained.load(model.folder, device=where).sample(1, seed=1)
    difference = float((again - made).abs().max())
    if not difference <= SAME:
        raise RuntimeError(f"the loaded model's sample differs by {difference:.2g}")


def shortened(path: str | Path) -> str:
    """A path with ~ for the home folder."""
    return without_home(str(path))


def without_home(text: str) -> str:
    """Text with ~ for the home folder, wherever it stands."""
    home = str(Path.home())
    if len(home) <= 1:  # the root of the file system would be found everywhere
        return text
    return re.sub(rf"{re.escape(home)}(?=$|[\\/\s:;,.'\")\]])", "~", text)
