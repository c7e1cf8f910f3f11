"""What every method must be able to do, for every task: see methods/test_contract.py."""

from __future__ import annotations

import copy
import pickle
import re
import shutil
import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from commands import evaluate_model, main_train, naive_scene, save, scene
from helpers import Tensors, assert_same
from safetensors.torch import load_file
from torch import Tensor

import consingan
from consingan.api.evaluate import Judging, prepare_evaluation
from consingan.api.train import Run, begin, finish, go_on
from consingan.api.trained import TrainedModel
from consingan.machine.execution import Execution, Wanted, choose_execution
from consingan.methods.contract import SYMPTOMS, Inputs, Method, Training
from consingan.methods.registry import METHODS
from consingan.outputs.registry import OUTPUTS
from consingan.runs.folder import RunFolder
from consingan.runs.load import load_run
from consingan.settings.option import flag_name
from consingan.training.loop import Trainer
from consingan.training.prepare import prepare
from consingan.training.records import Record
from consingan.training.resume import resume
from consingan.training.session import Session

HERE = Wanted(device="cpu", precision="float32", threads=1)


@dataclass(frozen=True)
class Case:
    """One task of one method, trained at tiny size below a folder of its own."""

    method: Method
    task: str
    root: Path
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def image(self) -> Path:
        path = self.root / "scene.png"
        return path if path.is_file() else save(path, scene())

    @property
    def naive(self) -> Path:
        path = self.root / "naive.png"
        return path if path.is_file() else save(path, naive_scene())

    @property
    def hole(self) -> Path:
        path = self.root / "hole.png"
        if not path.is_file():
            height, width = scene().shape[:2]
            hole = np.zeros((height, width, 3), np.uint8)
            hole[:4, :5] = 255
            save(path, hole)
        return path

    def settings(self) -> dict[str, Any]:
        row = self.method.tasks[self.task]
        own = {"method": self.method.name, "train_mode": self.task, "manual_seed": 3}
        needed = {"naive_img": str(self.naive)} if "naive" in row.needs else {}
        needed |= {"mask": str(self.hole)} if "mask" in row.needs else {}
        own |= {**needed, "input_name": str(self.image)}
        return {**self.method.trial, **own, **self.more}

    def new_run(self, name: str) -> Run:
        job = prepare(self.settings(), choose_execution(HERE))
        return begin(job, self.root / name)

    @cached_property
    def finished(self) -> tuple[Run, Any]:
        """A run that was trained to its end, and its model; copy its folder to change anything."""
        run = self.new_run("finished")
        return run, finish(run).model

    @property
    def folder(self) -> Path:
        """Of the finished run."""
        folder = self.finished[0].folder
        assert folder is not None
        return folder.path

    def copy(self, name: str) -> Path:
        """A copy of the finished run's folder."""
        return Path(shutil.copytree(self.folder, self.root / name))


def cases() -> list[tuple[str, str]]:
    """Every method with every of its tasks."""
    return [(method.name, task) for method in METHODS.values() for task in method.tasks]


def kept(path: Path) -> Tensors:
    """Every tensor that a finished run keeps, by file and name."""
    return {
        f"{file.relative_to(path)}:{name}": tensor
        for file in sorted(path.rglob("*.safetensors"))
        for name, tensor in load_file(file).items()
    }


@dataclass
class Killed:
    """Observer that keeps a run's folder as it is at every record: what a kill there would leave.

    Attributes:
        run: that is trained.
        root: folder of the copies.
        folders: the copies.
    """

    run: Run
    root: Path
    folders: list[Path] = field(default_factory=list)

    def observe(self, record: Record, trainer: Trainer) -> None:
        assert self.run.folder is not None
        target = self.root / f"killed_{len(self.folders)}"
        self.folders.append(Path(shutil.copytree(self.run.folder.path, target)))


def check_resuming(case: Case) -> None:
    """Killed at any record and gone on with, it ends where it ends without."""
    expected = kept(case.folder)
    assert expected  # where there is nothing to train, what is kept is the result
    whole = case.new_run("whole")
    killed = Killed(whole, case.root)
    Session(whole.trainer, whole.folder, [killed], save_every=1).run()
    assert bool(killed.folders) == bool(whole.trainer.stages)
    for folder in killed.folders:
        go_on(RunFolder.open(folder), HERE)
        assert_same(kept(folder), expected)


def check_loading(case: Case) -> None:
    """Loaded on each device there is, it gives the same pictures up to rounding."""
    model = case.finished[1]
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    for device in devices:
        there = load_run(case.folder, replace(choose_execution(HERE), device=torch.device(device)))
        assert there.finished
        assert there.model.config == model.config
        assert there.model.sizes == model.sizes
        torch.testing.assert_close(there.model.real.cpu(), model.real.cpu(), rtol=0, atol=1e-6)
        alike = there.model.device == model.device  # else what both make: on a CPU there is more
        for picture, again in zip(pictures(model), pictures(there.model), strict=alike):
            torch.testing.assert_close(again, picture, rtol=0, atol=1e-4)


def check_travelling(case: Case) -> None:
    """Pickled, as a program sends it to another process, or copied it makes the same pictures."""
    model = TrainedModel(load_run(case.folder, choose_execution(HERE)).model)
    again = copy.deepcopy(pickle.loads(pickle.dumps(model)))
    for picture, same in zip(pictures(model.model), pictures(again.model), strict=True):
        assert torch.equal(same, picture)


def pictures(model: Any) -> list[Tensor]:
    """Some of what a model can make, without randomness that depends on the device."""
    found = []
    if hasattr(model, "reconstruction"):
        found.append(model.reconstruction().cpu())
    if hasattr(model, "sample") and model.device.type == "cpu":
        found.append(model.sample([0, 1], None, 5))
    return found


def trained_in_bf16(case: Case) -> Tensors:
    """The weights of a training through the Python API, in the arithmetic that casts."""
    settings = {k: v for k, v in case.settings().items() if k != "input_name"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        trained = consingan.train(case.image, device="cpu", precision="bf16", **settings)
    return dict(trained.model.weights()) or {"": torch.zeros(1)}


def check_surroundings(case: Case) -> None:
    """A caller's autocast outlives no step, and a caller's random numbers are not used up."""
    expected, folder = trained_in_bf16(case), case.folder
    before = torch.get_rng_state()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        made = trained_in_bf16(case)
        consingan.load(folder, device="cpu")
    assert_same(made, expected)
    assert torch.equal(torch.get_rng_state(), before)


def check_output(case: Case) -> Path:
    """It makes what its task's output says, with a report; returns the folder."""
    loaded = load_run(case.copy("evaluated"), Execution(torch.device("cpu")))
    row = case.method.tasks[case.task]
    asked: dict[str, Any] = {"num_samples": 2, "sizes": ((20, 30),), "frames": 3, "betas": (0.9,),
                             "hidden_copies": 1}  # fmt: skip
    if row.takes_naive:
        asked["naive_img"] = str(case.naive)
    if row.output == "film":
        asked["start_stages"] = ("all",)
    table = OUTPUTS[row.output].request
    request = table(**{k: v for k, v in asked.items() if k in table.__dataclass_fields__})
    folder = prepare_evaluation(loaded, request, Judging()).write()
    page = (folder / "report.html").read_text("utf-8")
    assert case.method.title in page
    assert (folder / "metrics.json").is_file()
    assert len(list(folder.rglob("*.*"))) >= 4
    return folder


def check_refusals(case: Case) -> None:
    """What it does not know is one sentence and exit code 2, and nothing is written."""
    name = ["--input_name", case.image, "--method", case.method.name, "--device", "cpu"]
    name += ["--output_dir", case.root / "refused", "--train_mode", case.task]
    for words in (["--engine", "steam"], ["--preset", "paper", "--max_size", "0"],
                  ["--no_such_flag", "3"]):  # fmt: skip
        result = main_train(*name, *words)
        assert result.exit_code == 2, result.output
        errors = [line for line in result.output.splitlines() if line.startswith("Error:")]
        assert len(errors) == 1, result.output
        assert words[0].lstrip("-") in errors[0] or words[-2].lstrip("-") in errors[0]
    assert not (case.root / "refused").exists()
    missing = evaluate_model("--model_dir", case.root / "nowhere")
    assert missing.exit_code == 2
    assert "There is no run folder" in missing.output


def check_state(case: Case) -> None:
    """A trainer that takes up another's state is that trainer, bit for bit."""
    run, _ = case.finished
    again = RunFolder.open(case.copy("state"))
    again.note(status="interrupted")
    trainer, _ = resume(again, choose_execution(HERE))
    asked = [name for name in vars(Training) if not name.startswith("_")]
    missing = [name for name in asked if not hasattr(trainer.training, name)]
    assert not missing or not trainer.stages  # what learns nothing needs few of them
    assert trainer.stage == trainer.stages
    assert_same(trainer.training.weights() or {"": torch.zeros(1)},
                run.trainer.training.weights() or {"": torch.zeros(1)})  # fmt: skip


def check_foreign_setting(method: Method, other: Method, root: Path) -> None:
    """A setting that only `other` has is refused by `method`, which says whose it is."""
    mine, theirs = method.config.__dataclass_fields__, other.config.__dataclass_fields__
    foreign = next((f for name, f in theirs.items() if name not in mine), None)
    if foreign is None:
        return
    flag = f"--{flag_name(foreign)}"
    value = [] if isinstance(foreign.default, bool) else [str(foreign.default)]
    result = main_train("--method", method.name, flag, *value, "--input_name", root / "x.png")
    assert result.exit_code == 2
    assert f"{flag} is a setting of --method" in result.output
    assert other.name in result.output


def check_row(method: Method) -> None:
    """What a method announces is there: outputs, inputs, settings, sentences."""
    fields = method.config.__dataclass_fields__
    assert method.summary
    assert method.paper
    for name, task in method.tasks.items():
        assert task.output in OUTPUTS, name
        assert task.summary, name
        assert set(task.needs) | set(task.takes) <= set(Inputs.__dataclass_fields__)
        assert set(task.overrides) <= set(fields)
    assert method.config().method == method.name  # as the help says
    assert method.config().train_mode in method.tasks
    assert method.config().preset in method.presets
    for settings in (*method.presets.values(), method.trial):
        assert set(settings) <= set(fields)
    assert "auto" in method.engines
    assert not method.reconstruction or method.reconstruction in method.losses
    assert set(method.remedies) <= set(SYMPTOMS)
    for symptom, remedy in method.remedies.items():
        words = remedy(method.config())
        for flag in re.findall(r"--(\w+)", words):
            assert flag in known_flags(method), f"{symptom}: {words}"


def known_flags(method: Method) -> set[str]:
    """Every flag of the two commands, as that method has them."""
    own = {flag_name(field) for field in method.config.__dataclass_fields__.values()}
    requests = (output.request for output in OUTPUTS.values())
    asked = {flag_name(f) for table in requests for f in table.__dataclass_fields__.values()}
    return own | asked | {"checkpointing", "resume", "model_dir"}
