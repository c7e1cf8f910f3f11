"""What the tests of long-lived state share: tiny runs, their outcome, processes to be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

import consingan
from consingan.images.io import write_image
from consingan.machine.execution import Execution, Wanted, choose_execution
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.draws import Randomness, SeededRandomness
from consingan.methods.consingan.engine import EngineFactory, PlainEngine
from consingan.methods.consingan.model import ConSinGAN
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.tasks import TASKS
from consingan.methods.consingan.training import ConSinGANTraining
from consingan.nn.discriminator import Discriminator
from consingan.nn.optimizers import part
from consingan.runs.about import about_this_run
from consingan.runs.folder import RunFolder
from consingan.training import prepare, resume
from consingan.training.loop import Trainer
from consingan.training.prepare import Job
from consingan.training.records import Record, StageRecord
from consingan.training.session import Session

REPOSITORY = Path(consingan.__file__).parents[1]
ENGINES = ("plain", "fast")
SETTINGS: dict[str, Any] = {
    "input_name": "picture.png",
    "train_stages": 3,
    "train_depth": 2,
    "min_size": 14,
    "max_size": 26,
    "nfc": 4,
    "niter": 3,
    "manual_seed": 7,
}

NITER = 12  # of the trainings in processes that are killed: room for many moments

Tensors = dict[str, Tensor]


def picture(height: int = 22, width: int = 26, seed: int = 0) -> Tensor:
    """A smooth picture with some grain, (1, 3, height, width) in [-1, 1]."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, 3, 5, 5, generator=rng)
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    grain = torch.randn(1, 3, height, width, generator=rng)
    return torch.tanh(smooth + 0.1 * grain)


def execution(engine: str = "fast") -> Execution:
    """On the CPU in float32, the same on every machine."""
    return choose_execution(Wanted(device="cpu", precision="float32", engine=engine))


def make_job(engine: str = "fast", image: Tensor | None = None, **settings: Any) -> Job:
    """A tiny training, ready to begin."""
    image = picture() if image is None else image
    return prepare.prepare({**SETTINGS, **settings}, execution(engine), image)


def make_trainer(engine: str = "fast", **settings: Any) -> Trainer:
    return Trainer(make_job(engine, **settings).training)


def trainer_on(
    config: ConSinGANConfig,
    reals: list[Tensor],
    make_engine: EngineFactory = PlainEngine,
    randomness: Randomness | None = None,
) -> Trainer:
    """Trains on a pyramid, coarsest first, with an engine and random numbers of one's own."""
    task = TASKS[config.train_mode]
    drawn = randomness or SeededRandomness(config.manual_seed, task, reals[0].device)
    generator = Generator(config.architecture, task.border)
    discriminator = Discriminator(config.architecture)
    drawn.initialize(generator, "generator")
    drawn.initialize(discriminator, "discriminator")
    new = ConSinGAN(config, generator)
    return Trainer(
        ConSinGANTraining(
            new, discriminator, reals, drawn, execution("plain"), make_engine=make_engine
        )
    )


def new_folder(root: Path, job: Job) -> RunFolder:
    """The folder of a run that has not begun."""
    about = about_this_run(job.execution, job.chosen.origin)
    return RunFolder.create(root, job.training, about, job.naive)


def train_folder(root: Path, engine: str = "fast", **settings: Any) -> RunFolder:
    """A finished run."""
    job = make_job(engine, **settings)
    folder = new_folder(root, job)
    Session(Trainer(job.training), folder).run()
    return folder


def model_of(folder: RunFolder, stages: int | None = None, device: str = "cpu") -> Any:
    """What a run has learned after its first `stages` stages, by default all that are finished."""
    there = Execution(torch.device(device))
    return folder.method.load().restore(folder.config, folder.tensors(stages), there)


def discriminator_of(folder: RunFolder) -> Tensors:
    """The weights of a finished run's discriminator."""
    return part(folder.tensors(), "discriminator")


def reals_of(folder: RunFolder) -> list[Tensor]:
    """The image at every stage of a run."""
    kept = folder.load("pyramid.safetensors")
    return [kept[f"real.{stage}"] for stage in range(folder.stages)]


def fine_tuning_job(base: Path, naive: Path, engine: str = "fast", **settings: Any) -> Job:
    """A tiny fine-tuning, ready to begin."""
    typed = {"fine_tune": True, "naive_img": str(naive), "niter": 3, "manual_seed": 3, **settings}
    return prepare.prepare(typed, execution(engine), base=base)


@dataclass
class Curves:
    """Observer that keeps each stage's exact curves."""

    of_stage: Tensors = field(default_factory=dict)

    def observe(self, record: Record, trainer: Trainer) -> None:
        if isinstance(record, StageRecord):
            self.of_stage[f"curves.{record.stage}"] = record.losses.clone()


def resume_to_end(path: Path, engine: str = "fast", observers: Any = ()) -> Trainer:
    """Take up the run at `path` as `--resume` does."""
    folder = RunFolder.open(path)
    trainer, seconds = resume.resume(folder, execution(engine))
    Session(trainer, folder, observers, None, seconds).run()
    return trainer


def final_state(trainer: Trainer) -> Tensors:
    """All weights, fixed noises and amplitudes of a trainer."""
    tensors = {f"g.{k}": v.clone() for k, v in trainer.model.generator.state_dict().items()}
    tensors |= {f"d.{k}": v.clone() for k, v in trainer.training.discriminator.state_dict().items()}
    for stage, anchor in enumerate(trainer.model.anchors):
        tensors[f"noise.{stage}"] = anchor.noise
        tensors[f"amplitude.{stage}"] = torch.tensor(anchor.amplitude, dtype=torch.float64)
        tensors[f"real.{stage}"] = anchor.real
    return tensors


def outcome(path: Path) -> dict[str, Any]:
    """Everything a finished run keeps about what was learned, by file and name."""
    found: dict[str, Any] = {}
    for file in sorted(path.glob("*/*.safetensors")):
        tensors = load_file(file)
        found |= {f"{file.relative_to(path)}:{name}": t for name, t in tensors.items()}
    for file in sorted(path.glob("*/losses.csv")):
        found[str(file.relative_to(path))] = file.read_text()
    return found


def assert_same(actual: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Bit for bit."""
    assert actual.keys() == expected.keys()
    assert expected
    different = [k for k, v in expected.items() if not _same(actual[k], v)]
    assert not different, different


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    return bool(a == b)


def all_finite(path: Path) -> bool:
    """Whether every tensor in every weights file below `path` is finite."""
    return all(
        bool(torch.isfinite(t.double()).all())
        for file in path.rglob("*.safetensors")
        for t in load_file(file).values()
    )


def litter(path: Path) -> list[Path]:
    """Temporary files that were left."""
    return [p for p in path.rglob("*") if p.name.endswith(".tmp")]


def only_run(root: Path) -> Path:
    """The one run folder below an output folder."""
    (run,) = [m.parent for m in root.glob("*/*/manifest.json")]
    return run


def command(root: Path, image: Path, **settings: Any) -> list[str]:
    """Arguments of main_train.py for a tiny run; settings are flags."""
    given: dict[str, Any] = {**SETTINGS, **settings, "input_name": image, "output_dir": root}
    given |= {"manualSeed": given.pop("manual_seed"), "device": "cpu", "precision": "float32"}
    return [*(str(x) for k, v in given.items() for x in (f"--{k}", v)), "--no_tensorboard"]


def save_picture(path: Path, **shape: int) -> Path:
    write_image(path, picture(**shape))
    return path


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}


@dataclass(frozen=True)
class Moment:
    """When a process sends itself a signal: just before it touches a file once more.

    No clock decides, so that a slow or busy machine is stopped at the same point as any other.

    Attributes:
        number: of the signal.
        word: in the arguments of what counts, such as a part of a path.
        at: how many times it touches such a file.
        events: of Python's audit that count.
    """

    number: int
    word: str
    at: int
    events: tuple[str, ...] = ("open", "os.mkdir", "os.remove", "os.rename", "os.rmdir")

    @classmethod
    def of_save(cls, at: int, number: int = signal.SIGKILL) -> Moment:
        """Just before the save number `at` in mid-stage takes the place of the one before."""
        return cls(number, "resume.safetensors", at, ("os.rename",))

    @property
    def code(self) -> str:
        """To be run by that process."""
        return f"""
import os, sys
def watch(event, arguments, left=[{self.at}]):
    if event in {self.events} and {self.word!r} in str(arguments):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), {int(self.number)})
sys.addaudithook(watch)
"""


def run_script(
    *arguments: str, script: str = "main_train.py", **variables: str
) -> subprocess.Popen[str]:
    """`python main_train.py ...` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, str(REPOSITORY / script), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment() | variables,
    )


SERVER = """
import json, os, sys, types
import torch
torch.set_num_threads(1)
import torch._dynamo  # what an optimizer imports
import consingan.cli
from consingan.methods.consingan.method import CONSINGAN
from consingan.training import observers, plan, prepare, resume, session, snapshots
from drawings import draw_ahead, draw_once
draw_once(types.SimpleNamespace(setattr=setattr))
draw_ahead(CONSINGAN.losses, CONSINGAN.reconstruction, int(sys.argv[1]), int(sys.argv[2]))
for line in sys.stdin:
    job = json.loads(line)
    pid = os.fork()
    if pid == 0:
        log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        code = 99
        exec(job["watch"])
        try:
            consingan.cli.train.main(job["args"], prog_name="main_train.py")
        except SystemExit as stop:
            code = int(stop.code or 0)
        except BaseException:
            import traceback
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(pid, flush=True)
    _, status = os.waitpid(pid, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class Launcher:
    """Runs main_train.py in processes that may be killed, without importing torch each time.

    A server process imports everything, draws curves as those trainings have them ahead, and forks
    once for every command.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(SETTINGS["train_stages"]), str(NITER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment() | {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'tests'}"},
        )

    def start(self, *arguments: str, stop: Moment | None = None) -> None:
        job = {"args": arguments, "log": str(self.log), "watch": stop.code if stop else ""}
        assert self.server.stdin
        assert self.server.stdout
        self.server.stdin.write(json.dumps(job) + "\n")
        self.server.stdin.flush()
        self.server.stdout.readline()  # its number

    def wait(self) -> int:
        """Exit code; negative for a signal."""
        assert self.server.stdout
        return int(self.server.stdout.readline())

    def run(self, *arguments: str, stop: Moment | None = None) -> int:
        self.start(*arguments, stop=stop)
        return self.wait()

    @property
    def output(self) -> str:
        return self.log.read_text()

    def close(self) -> None:
        assert self.server.stdin
        assert self.server.stdout
        self.server.stdin.close()
        self.server.stdout.close()
        self.server.wait()


@dataclass
class StopAt:
    """Observer that does something at the record number `at`."""

    at: int
    number: int = signal.SIGINT
    seen: int = 0

    def observe(self, record: Record, trainer: Trainer) -> None:
        if self.seen == self.at:
            self.act()
        self.seen += 1

    def act(self) -> None:
        signal.raise_signal(self.number)


@dataclass
class FailAt(StopAt):
    """Observer that raises at the record number `at`."""

    error: BaseException = field(default_factory=lambda: RuntimeError("a crash"))

    def act(self) -> None:
        raise self.error
