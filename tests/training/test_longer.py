from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import (
    FailAt,
    Launcher,
    StopAt,
    assert_same,
    execution,
    fine_tuning_job,
    make_job,
    model_of,
    new_folder,
    outcome,
    resume_to_end,
    save_picture,
    train_folder,
)

from consingan.errors import InterruptedRunError, UserError
from consingan.methods.consingan.training import ConSinGANTraining
from consingan.runs.curves import length, read_curves, read_table
from consingan.runs.earlier import earlier_run_of
from consingan.runs.folder import RunFolder
from consingan.runs.load import load_run
from consingan.training import longer as module
from consingan.training import resume
from consingan.training.longer import lengthen
from consingan.training.loop import Trainer
from consingan.training.session import Session

LONGER = {"niter": 6}


@pytest.fixture
def run(tmp_path: Path, finished_run: Path) -> RunFolder:
    """A copy of a finished run of three stages, three iterations each."""
    return RunFolder.open(Path(shutil.copytree(finished_run, tmp_path / "run")))


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory, finished_run: Path) -> Path:
    """The same run, lengthened in one go."""
    path = Path(shutil.copytree(finished_run, tmp_path_factory.mktemp("longer") / "run"))
    lengthen(RunFolder.open(path), LONGER)
    resume_to_end(path)
    return path


def test_the_last_stage_alone_gets_more_iterations(longer: Path, finished_run: Path) -> None:
    before, after = read_curves(finished_run), read_curves(longer)
    assert [length(curves) for curves in after.values()] == [3, 3, 6]
    old, new = outcome(finished_run), outcome(longer)
    changed = {name.partition(":")[0] for name in old if not _alike(old[name], new[name])}
    assert changed == {"2/weights.safetensors", "2/losses.csv"}
    assert all((after[2][k][:3] == before[2][k]).all() for k in before[2])
    assert RunFolder.open(longer).manifest["status"] == "finished"


def _alike(a: object, b: object) -> bool:
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b  # type: ignore[arg-type]


@pytest.mark.parametrize("at", range(4))
def test_stopped_at_every_record_it_ends_alike(run: RunFolder, longer: Path, at: int) -> None:
    lengthen(run, LONGER)
    with pytest.raises(InterruptedRunError):
        resume_to_end(run.path, observers=[StopAt(at)])
    lengthen(run, LONGER)  # the same command again
    resume_to_end(run.path)
    assert_same(outcome(run.path), outcome(longer))
    assert not (run.path / "resume.safetensors").exists()


def test_killed_while_it_was_being_finished_it_is_lengthened_alike(
    tmp_path: Path, longer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    folder = new_folder(tmp_path, job)
    with monkeypatch.context() as killed:
        killed.setattr(RunFolder, "finish", lambda self: self.note(status="finished"))
        Session(Trainer(job.training), folder).run()
    assert (folder.path / "resume.safetensors").is_file()
    lengthen(folder, LONGER)
    resume_to_end(folder.path)
    assert_same(outcome(folder.path), outcome(longer))


def test_after_a_crash_without_a_save_it_begins_where_the_run_had_ended(
    run: RunFolder, longer: Path
) -> None:
    lengthen(run, LONGER)
    with pytest.raises(RuntimeError, match="a crash"):
        resume_to_end(run.path, observers=[FailAt(2)])
    resume_to_end(run.path)
    assert_same(outcome(run.path), outcome(longer))


def test_until_it_is_done_the_run_is_what_it_was(run: RunFolder, finished_run: Path) -> None:
    lengthen(run, LONGER)
    with pytest.raises(InterruptedRunError):
        resume_to_end(run.path, observers=[StopAt(1)])
    assert load_run(run.path).finished
    assert_same(
        model_of(run).generator.state_dict(),
        model_of(RunFolder.open(finished_run)).generator.state_dict(),
    )


def test_it_can_be_lengthened_again(longer: Path, tmp_path: Path) -> None:
    run = RunFolder.open(Path(shutil.copytree(longer, tmp_path / "run")))
    lengthen(run, {"niter": 8})
    resume_to_end(run.path)
    assert length(read_curves(run.path)[2]) == 8
    assert [entry["iterations"] for entry in run.manifest["lengthened"]] == [3, 6]
    assert run.config.niter == 8


def test_the_rate_follows_the_new_schedule(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    rates, plain = [], ConSinGANTraining.step

    def step(self: ConSinGANTraining, iteration: int) -> torch.Tensor:
        losses = plain(self, iteration)
        assert self.engine is not None
        rates.append(round(float(self.engine.optimizer_g.param_groups[-1]["lr"]), 9))
        return losses

    monkeypatch.setattr(ConSinGANTraining, "step", step)
    lengthen(run, {"niter": 10})
    resume_to_end(run.path)
    assert rates == [5e-4] * 5 + [5e-5] * 2  # iterations 3 to 9, of which 8 and 9 are the last 20 %


def test_a_preset_that_cuts_the_last_stage_is_lengthened_by_its_own_count(tmp_path: Path) -> None:
    run = train_folder(tmp_path, train_stages=2, niter=6, fine_niter=2)
    with pytest.raises(UserError, match=r"--niter 9, --fine_niter 2 gives it 2; give more"):
        lengthen(run, {"niter": 9})
    lengthen(run, {"fine_niter": 4})
    resume_to_end(run.path)
    assert [length(curves) for curves in read_curves(run.path).values()] == [6, 4]


@pytest.mark.parametrize(
    ("changes", "flags"),
    [({}, "--niter"), ({"fine_niter": 3}, "--niter and --fine_niter"),
     ({"finish": 0.5, "layout": 10}, ""), ({"train_stages": 9}, "")],
)  # fmt: skip
def test_a_finished_run_is_said_to_be_trained_longer_where_it_can_be(
    run: RunFolder, changes: dict[str, Any], flags: str
) -> None:
    change_config(run, **changes)
    assert module.ways(run) == flags
    words = f", or give --resume a larger {flags} to train it longer." if flags else ""
    with pytest.raises(UserError) as caught:
        resume.refuse_finished(run)
    assert str(caught.value).partition("evaluate_model.py")[2] == (words or ".")


def change_config(run: RunFolder, **changes: Any) -> None:
    path = run.path / "config.json"
    config = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(config | changes), encoding="utf-8")


@pytest.mark.parametrize(
    ("counts", "said"),
    [({"niter": 9}, r"--niter 9\."), ({"fine_niter": 9}, r"a larger --niter \(now 3\)\.")],
)
def test_a_run_of_a_layout_alone_is_trained_anew(
    run: RunFolder, counts: dict[str, int], said: str
) -> None:
    change_config(run, finish=0.5, layout=10)
    with pytest.raises(UserError, match=f"layout of its samples alone.* anew with {said}"):
        lengthen(RunFolder.open(run.path), counts)


@pytest.mark.parametrize(
    ("base", "last", "earlier"),
    [("harmonization_run", 2, False), ("one_stage_run", 0, False), ("one_stage_run", 0, True)],
)
def test_fine_tuning_goes_on(
    tmp_path: Path, request: pytest.FixtureRequest, base: str, last: int, earlier: bool
) -> None:
    naive = save_picture(tmp_path / "naive.png", seed=4)
    job = fine_tuning_job(request.getfixturevalue(base), naive)
    run = new_folder(tmp_path, job)
    Session(Trainer(job.training), run).run()
    if earlier:  # releases before 1.12 kept none of one stage
        (run.path / "start.safetensors").unlink()
    lengthen(run, {"niter": 5})
    resume_to_end(run.path)
    assert length(read_table(run.path / f"{last}/losses.csv")) == 5


def test_what_cannot_be_lengthened_is_left_as_it_is(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run.manifest
    for counts, why in (
        ({"niter": 3}, "has 3 iterations already"),
        ({"niter": 0}, "must be 1 or more"),
        ({"train_depth": 2}, "'train_depth' does not make a training longer; use --niter"),
    ):
        with pytest.raises(UserError, match=why):
            lengthen(run, counts)
    with monkeypatch.context() as patch:
        patch.setattr(module, "Reopens", Trainer)  # what no method's training is
        with pytest.raises(UserError, match="cannot be trained on; train anew with --niter 6"):
            lengthen(run, LONGER)
    (run.path / "2/losses.csv").unlink()
    with pytest.raises(UserError, match=r"losses\.csv is missing"):
        lengthen(run, LONGER)
    assert run.manifest == before
    job = make_job(train_stages=2)
    begun = new_folder(tmp_path / "begun", job)
    with pytest.raises(UserError, match=r"is not finished .*by --resume without --niter"):
        lengthen(begun, LONGER)


@pytest.mark.parametrize(
    "entry",
    [
        3,
        {"before": {"warp": 1}, "counts": {"niter": 6}},
        {"before": {"niter": "x"}, "counts": {"niter": 6}},
        {"before": {"warp": 1}, "counts": {"warp": 6}},
        {"before": {"niter": 3}, "counts": {"niter": -6}},
    ],
)
def test_a_damaged_entry_is_one_sentence(run: RunFolder, entry: object) -> None:
    run.note(lengthened=[entry])
    with pytest.raises(UserError):
        _ = run.config


def test_a_queue_takes_a_lengthened_run_for_what_it_was_begun_as(
    run: RunFolder, tmp_path: Path
) -> None:
    lengthen(run, LONGER)
    resume_to_end(run.path)
    home = tmp_path / "runs/picture"
    home.mkdir(parents=True)
    run.path.rename(home / "run")
    job = make_job(niter=3)
    assert earlier_run_of(job.training, tmp_path / "runs", any_seed=False) is not None
    assert earlier_run_of(job.training, tmp_path / "runs", False, lengthened=False) is None
    longer = make_job(niter=6).training
    assert earlier_run_of(longer, tmp_path / "runs", any_seed=False) is None


def test_the_command_lengthens_and_goes_on(
    run: RunFolder, longer: Path, launcher: Launcher
) -> None:
    words = ("--resume", "--model_dir", str(run.path), "--no_tensorboard", "--niter", "6")
    assert launcher.run(*words) == 0, launcher.output
    assert "stage 3/3, iteration 3/6" in launcher.output
    assert_same(outcome(run.path), outcome(longer))
    assert launcher.run(*words) == 2
    assert "has 6 iterations already" in launcher.output


def test_it_begins_behind_the_last_iteration_and_its_time(run: RunFolder) -> None:
    lengthen(run, LONGER)
    trainer, seconds = resume.resume(run, execution())
    assert (trainer.stage, trainer.iteration) == (2, 3)
    assert seconds == run.manifest["seconds_per_stage"][2]
