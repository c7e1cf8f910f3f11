"""A run that was stopped, killed or ran out of something goes on as if nothing had happened."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import (
    ENGINES,
    NITER,
    Curves,
    FailAt,
    Launcher,
    Moment,
    StopAt,
    all_finite,
    assert_same,
    command,
    environment,
    execution,
    final_state,
    fine_tuning_job,
    litter,
    make_job,
    model_of,
    new_folder,
    only_run,
    outcome,
    picture,
    resume_to_end,
    run_script,
    save_picture,
    train_folder,
)
from safetensors.torch import load_file, save_file
from torch import Tensor

from consingan.errors import DivergedError, InterruptedRunError, UserError
from consingan.machine.execution import Wanted, as_before
from consingan.methods.consingan.fast_engine import FastEngine
from consingan.runs.folder import RunFolder
from consingan.training import resume
from consingan.training.loop import Trainer
from consingan.training.session import Session

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills need POSIX processes")

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {"engine": "plain"},
    "fast": {"engine": "fast"},
    "normalization": {"engine": "fast", "batch_norm": True},
    "normalization-plain": {"engine": "plain", "batch_norm": True},
    "penalty": {"engine": "fast", "penalty_every": 2},
    "he-sliced": {"engine": "fast", "init": "he", "sw_weight": 3.0, "d_steps": 1},
    "retarget-prelu": {"engine": "fast", "train_mode": "retarget", "activation": "prelu"},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_stopped_at_every_record(tmp_path: Path, name: str) -> None:
    """Weights, fixed noise, amplitudes and curves equal those of an uninterrupted run."""
    settings = {"train_stages": 2, "train_depth": 1, "niter": 2, **VARIANTS[name]}
    engine = settings["engine"]
    curves, job = Curves(), make_job(**settings)
    whole = new_folder(tmp_path, job)
    Session(Trainer(job.training), whole, [curves]).run()
    for at in range(7):
        again, part = Curves(), make_job(**settings)
        folder = new_folder(tmp_path, part)
        with pytest.raises(InterruptedRunError):
            Session(Trainer(part.training), folder, [again, StopAt(at)]).run()
        trainer = resume_to_end(folder.path, engine, [again])
        assert_same(final_state(trainer), final_state(Trainer(job.training)))
        assert_same(again.of_stage, curves.of_stage)
        assert_same(outcome(folder.path), outcome(whole.path))
        assert not (folder.path / "resume.safetensors").exists()
    assert not litter(tmp_path)


def test_a_loss_that_was_added_since_is_nothing_in_the_curves_before(tmp_path: Path) -> None:
    expected = outcome(train_folder(tmp_path).path)
    job = make_job()
    folder = new_folder(tmp_path, job)
    with pytest.raises(InterruptedRunError):
        Session(Trainer(job.training), folder, [StopAt(6)]).run()
    state = load_file(folder.path / "resume.safetensors")
    save_file({**state, "curves": state["curves"][:, :-1].clone()},
              folder.path / "resume.safetensors")  # fmt: skip
    folder.note(losses=folder.losses[:-1])
    trainer, seconds = resume.resume(folder, execution())
    assert torch.equal(trainer.loss_curves()[:, :-1], state["curves"][:, :-1])
    assert not trainer.loss_curves()[:, -1].any()
    with pytest.raises(InterruptedRunError):
        Session(trainer, folder, [StopAt(1)], None, seconds).run()
    kept = trainer.loss_curves()
    again, _ = resume.resume(folder, execution())
    assert torch.equal(again.loss_curves(), kept)
    resume_to_end(folder.path)
    weights = {name: tensor for name, tensor in outcome(folder.path).items() if "csv" not in name}
    assert_same(weights, {name: expected[name] for name in weights})


@pytest.mark.parametrize("engine", ENGINES)
def test_stopped_again_and_again(tmp_path: Path, engine: str) -> None:
    expected = outcome(train_folder(tmp_path, engine).path)
    job = make_job(engine)
    folder = new_folder(tmp_path, job)
    with pytest.raises(InterruptedRunError):
        Session(Trainer(job.training), folder, [StopAt(1)]).run()
    for _ in range(20):
        trainer, seconds = resume.resume(folder, execution(engine))
        try:
            Session(trainer, folder, [StopAt(1)], None, seconds).run()
        except InterruptedRunError:
            continue
        break
    assert folder.manifest["status"] == "finished"
    assert_same(outcome(folder.path), expected)


@pytest.mark.parametrize("base", ["harmonization_run", "one_stage_run"])
@pytest.mark.parametrize("engine", ENGINES)
def test_fine_tuning_stopped_at_every_record(
    tmp_path: Path, request: pytest.FixtureRequest, base: str, engine: str
) -> None:
    naive, run = save_picture(tmp_path / "naive.png", seed=4), request.getfixturevalue(base)
    job = fine_tuning_job(run, naive, engine)
    whole = new_folder(tmp_path, job)
    Session(Trainer(job.training), whole).run()
    naive_copy = job.naive
    assert naive_copy is not None
    for at in range(4):
        part = fine_tuning_job(run, naive, engine)
        folder = new_folder(tmp_path, part)
        with pytest.raises(InterruptedRunError):
            Session(Trainer(part.training), folder, [StopAt(at)]).run()
        trainer = resume_to_end(folder.path, engine)
        assert_same(final_state(trainer), final_state(Trainer(job.training)))
        assert_same(outcome(folder.path), outcome(whole.path))
        kept = folder.naive()
        assert kept is not None
        assert torch.equal(kept, naive_copy)


@pytest.mark.parametrize("at", [1, 3])
def test_fine_tuning_of_one_stage_goes_on_without_its_start(
    at: int, tmp_path: Path, one_stage_run: Path
) -> None:
    """Earlier releases kept none; the state has all that counts."""
    naive = save_picture(tmp_path / "naive.png", seed=4)
    whole, part = (fine_tuning_job(one_stage_run, naive) for _ in range(2))
    Session(Trainer(whole.training), expected := new_folder(tmp_path, whole)).run()
    folder = new_folder(tmp_path, part)
    with pytest.raises(InterruptedRunError):
        Session(Trainer(part.training), folder, [StopAt(at)]).run()
    (folder.path / "start.safetensors").unlink()
    resume_to_end(folder.path)
    assert_same(outcome(folder.path), outcome(expected.path))


def test_crashes_with_few_saves_lose_iterations_but_nothing_else(tmp_path: Path) -> None:
    expected = outcome(train_folder(tmp_path, train_stages=2).path)
    for at in range(1, 10, 2):
        job = make_job(train_stages=2)
        folder = new_folder(tmp_path, job)
        with pytest.raises(RuntimeError, match="a crash"):
            Session(Trainer(job.training), folder, [FailAt(at)], save_every=2).run()
        assert folder.manifest["status"] == "failed"
        resume_to_end(folder.path)
        assert_same(outcome(folder.path), expected)


def test_a_finished_run_is_not_resumed(finished_run: Path) -> None:
    with pytest.raises(UserError, match="is finished; evaluate it"):
        resume.resume(RunFolder.open(finished_run), execution())


def test_cut_off_between_the_last_stage_and_the_end(tmp_path: Path, finished_run: Path) -> None:
    run = shutil.copytree(finished_run, tmp_path / "run")
    RunFolder(run).note(status="training")
    trainer = resume_to_end(run)
    assert trainer.stage == 3
    assert RunFolder(run).manifest["status"] == "finished"
    assert_same(outcome(run), outcome(finished_run))


def test_half_written_files_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    job = make_job()
    folder = new_folder(tmp_path, job)
    with pytest.raises(InterruptedRunError):
        Session(Trainer(job.training), folder, [StopAt(6)]).run()
    (folder.path / ".resume.safetensors.123.tmp").write_bytes(b"half")
    (folder.path / "1" / ".weights.safetensors.123.tmp").write_bytes(b"half")
    resume_to_end(folder.path)
    assert not litter(tmp_path)


# Faults of the machine


class Disk:
    """Counts writes; from number `full_at` on they fail half-way, as on a full disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writes, self.full_at = 0, 10**9
        whole_bytes, whole_text = Path.write_bytes, Path.write_text

        def write_bytes(path: Path, data: Any) -> int:
            self._check(path, lambda: whole_bytes(path, data[: len(data) // 2]))
            return whole_bytes(path, data)

        def write_text(path: Path, data: str, *args: Any, **kwargs: Any) -> int:
            self._check(path, lambda: whole_text(path, data[: len(data) // 2]))
            return whole_text(path, data, *args, **kwargs)

        monkeypatch.setattr(Path, "write_bytes", write_bytes)
        monkeypatch.setattr(Path, "write_text", write_text)

    def _check(self, path: Path, write_half: Any) -> None:
        self.writes += 1
        if self.writes >= self.full_at:
            write_half()
            raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_a_disk_that_is_full_from_any_write_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"train_stages": 2, "niter": 2}
    expected = outcome(train_folder(tmp_path / "whole", **settings).path)
    disk = Disk(monkeypatch)

    def run(root: Path) -> RunFolder:
        job = make_job(**settings)
        folder = new_folder(root, job)
        Session(Trainer(job.training), folder, save_every=1).run()
        return folder

    run(tmp_path / "count")
    writes = disk.writes
    assert writes > 15
    for full_at in range(1, writes + 1):
        root = tmp_path / str(full_at)
        disk.writes, disk.full_at = 0, full_at
        with pytest.raises((OSError, UserError), match="No space left"):
            run(root)
        disk.full_at = 10**9  # the user made room
        assert not litter(root)
        found = list(root.glob("*/*"))
        if full_at <= 3:  # the run's folder could not be made: nothing is there
            assert found == []
            continue
        folder = RunFolder.open(found[0])
        if folder.finished_stages:
            assert len(model_of(folder).anchors) == folder.finished_stages
        resume_to_end(folder.path)
        assert_same(outcome(folder.path), expected)


@pytest.mark.parametrize(
    ("before", "typed", "name", "said"),
    [
        ({"device": "cpu", "precision": "bf16"}, {}, "bf16", ""),
        ({"device": "cpu", "precision": "float32"}, {}, "float32", ""),
        (
            {"device": "cuda:0", "precision": "bf16"},
            {"not_cuda": True},
            "float32",
            "Note: the run was begun in bf16 on cuda:0; it goes on in float32 on cpu.",
        ),
        ({"device": "cuda:0", "precision": "bf16"}, {"device": "cpu", "precision": "bf16"},
         "bf16", ""),
        ({"device": "cuda:0", "precision": "float32"}, {"device": "cpu"}, "float32", ""),
        (
            {"device": "cpu", "precision": "tf32"},  # as of another card of the same name
            {},
            "float32",
            "Note: the run was begun in tf32, which cpu lacks; it goes on in float32.",
        ),
    ],
)  # fmt: skip
def test_a_run_that_moves_computes_as_its_new_machine_can(
    before: dict[str, str], typed: dict[str, Any], name: str, said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("consingan.machine.precision._cpu_bf16", lambda: (False, "none here"))
    chosen = as_before(Wanted(**typed), before)
    assert chosen.arithmetic.name == name
    assert "".join(chosen.notes) == said


def test_a_precision_that_is_typed_is_not_replaced() -> None:
    with pytest.raises(UserError, match="--precision tf32 needs"):
        as_before(Wanted(precision="tf32"), {"device": "cpu"})


def test_out_of_memory_in_any_iteration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"train_stages": 2, "niter": 3}
    expected = outcome(train_folder(tmp_path, **settings).path)
    step = FastEngine.step
    for at in range(1, 7):
        left = [at]

        def starved(self: FastEngine, draws: Any, iteration: int, left: list[int] = left) -> Tensor:
            left[0] -= 1
            if left[0] == 0:
                raise MemoryError
            return step(self, draws, iteration)

        with monkeypatch.context() as patch:
            patch.setattr(FastEngine, "step", starved)
            job = make_job(**settings)
            folder = new_folder(tmp_path, job)
            with pytest.raises(MemoryError):
                Session(Trainer(job.training), folder, save_every=2).run()
        assert folder.manifest["status"] == "failed"
        if folder.finished_stages:
            assert model_of(folder).sizes
        resume_to_end(folder.path)
        assert_same(outcome(folder.path), expected)


# The command in a process of its own


@pytest.fixture(scope="module")
def uninterrupted(
    tmp_path_factory: pytest.TempPathFactory, launcher: Launcher, image_file: Path
) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("uninterrupted")
    assert launcher.run(*command(root, image_file, niter=NITER)) == 0, launcher.output
    assert not litter(root)
    return outcome(only_run(root))


@needs_fork
def test_the_command_trains_as_the_package_does(
    uninterrupted: dict[str, Any], image_file: Path
) -> None:
    from consingan.images.io import read_image

    trainer = Trainer(make_job(image=read_image(image_file), niter=NITER).training)
    for _ in trainer.run():
        pass
    for name, value in trainer.model.generator.state_dict().items():
        kept = uninterrupted[f"2/weights.safetensors:generator.{name}"]
        assert torch.equal(kept, value)


def position(run: Path) -> list[int]:
    """Stage and iteration from which the run at `run` goes on."""
    return list(load_file(run / "resume.safetensors")["position"].tolist())


@needs_fork
def test_killed_in_mid_stage(
    tmp_path: Path, launcher: Launcher, image_file: Path, uninterrupted: dict[str, Any]
) -> None:
    arguments = command(tmp_path, image_file, niter=NITER, save_every=3)
    assert launcher.run(*arguments, stop=Moment.of_save(7)) == -signal.SIGKILL
    run = only_run(tmp_path)
    assert position(run) == [1, 3]
    assert RunFolder.open(run).manifest["status"] == "training"
    assert launcher.run("--resume", "--model_dir", str(run)) == 0, launcher.output
    assert_same(outcome(run), uninterrupted)
    assert not litter(tmp_path)


@needs_fork
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_asked_to_stop_in_mid_stage(
    tmp_path: Path,
    launcher: Launcher,
    image_file: Path,
    uninterrupted: dict[str, Any],
    number: int,
    code: int,
) -> None:
    arguments = command(tmp_path, image_file, niter=NITER, save_every=1)
    assert launcher.run(*arguments, stop=Moment.of_save(18, number)) == code, launcher.output
    run = only_run(tmp_path)
    assert position(run) == [1, 6]
    assert f"python main_train.py --resume --model_dir {run}" in launcher.output
    assert "Traceback" not in launcher.output
    assert RunFolder.open(run).manifest["status"] == "interrupted"
    assert launcher.run("--resume", "--model_dir", str(run)) == 0, launcher.output
    assert_same(outcome(run), uninterrupted)


@needs_fork
def test_the_script_itself(
    tmp_path: Path, launcher: Launcher, image_file: Path, uninterrupted: dict[str, Any]
) -> None:
    """The same with `python main_train.py`, as a user does it."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(Moment.of_save(10).code)
    paths = os.pathsep.join((str(tmp_path / "site"), environment()["PYTHONPATH"]))
    arguments = command(tmp_path / "runs", image_file, niter=NITER, save_every=2)
    process = run_script(*arguments, PYTHONPATH=paths)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    run = only_run(tmp_path / "runs")
    assert position(run) == [1, 4]
    assert launcher.run("--resume", "--model_dir", str(run)) == 0, launcher.output
    assert_same(outcome(run), uninterrupted)


@needs_fork
def test_killed_ten_times_at_random_moments(
    tmp_path: Path, launcher: Launcher, image_file: Path, uninterrupted: dict[str, Any]
) -> None:
    """However often and whenever it is killed, the folder is never unusable."""
    rng = random.Random(1)
    arguments = command(tmp_path, image_file, niter=NITER, save_every=1)
    killed = 0
    for _ in range(10):
        found = list(tmp_path.glob("*/[!.]*"))
        assert len(found) <= 1
        if found:
            folder = RunFolder.open(found[0])
            if folder.manifest["status"] == "finished":
                break
            assert all_finite(found[0])
            arguments = ["--resume", "--model_dir", str(found[0]), "--save_every", "1"]
            if folder.finished_stages:
                assert len(model_of(folder).anchors) == folder.finished_stages
        moment = Moment(signal.SIGKILL, str(tmp_path), rng.randint(1, 80))
        killed += launcher.run(*arguments, stop=moment) == -signal.SIGKILL
    assert killed >= 3
    run = only_run(tmp_path)
    if launcher.run("--resume", "--model_dir", str(run)) != 0:
        assert "is finished" in launcher.output
    assert_same(outcome(run), uninterrupted)


@needs_fork
def test_the_command_says_what_diverged(
    tmp_path: Path, launcher: Launcher, image_file: Path
) -> None:
    code = launcher.run(*command(tmp_path, image_file, lr_g=1e30, lr_d=1e30, niter=8))
    assert code == 1, launcher.output
    assert "Traceback" not in launcher.output
    (line,) = [x for x in launcher.output.splitlines() if x.startswith("Error:")]
    assert "is not finite at stage 1, iteration" in line
    assert "--batch_norm" in line
    assert "Train anew with a smaller --lr_g (now 1e+30) or --lr_d (now 1e+30)" in line
    run = only_run(tmp_path)
    assert RunFolder.open(run).manifest["status"] == "diverged"
    assert all_finite(run)


def test_a_diverged_run_names_its_loss(tmp_path: Path) -> None:
    job = make_job(lr_g=1e30, lr_d=1e30, niter=8, image=picture())
    folder = new_folder(tmp_path, job)
    with pytest.raises(DivergedError, match=r"(the loss \w+|a weight of the \w+) is not finite"):
        Session(Trainer(job.training), folder, save_every=1).run()
    assert all_finite(folder.path)
