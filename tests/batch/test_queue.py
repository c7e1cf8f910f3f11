"""A folder as --input_name: each picture in turn, whatever happens to one of them."""

from __future__ import annotations

import gc
import json
import re
import signal
import weakref
from pathlib import Path

import pytest
import torch
from commands import TINY, copy_of_run, files_below, main_train, naive_scene, save, scene

from consingan.batch.queue import work_through
from consingan.cli.folder import _summarize, _until_stopped, _while_answered
from consingan.errors import UserError
from consingan.images.folder import pictures_in
from consingan.runs.earlier import earlier_run
from consingan.runs.folder import RunFolder
from consingan.runs.load import load_run
from consingan.settings.config import Config
from consingan.training.observers import Pictures
from consingan.training.records import StageRecord

QUICK = [word for word in TINY if word not in ("--manualSeed", "1")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two pictures, one that cannot be read between them, and what is no picture."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my pictures"
    save(folder / "a.png", scene())
    save(folder / "été - c.jpg", naive_scene())
    (folder / "b.png").write_text("no picture")
    (folder / "._a.png").write_text("what macOS leaves")
    (folder / "notes.txt").write_text("no picture either")
    save(folder / "deeper" / "d.png", scene())
    return folder


def train(folder, *more):
    return main_train("--input_name", folder, *QUICK, *more)


def runs_below(folder):
    return sorted(path.parent for path in folder.glob("TrainedModels/*/*/manifest.json"))


def interrupted(monkeypatch, act):
    """Do something at the end of the first stage that is trained from now on."""
    original = Pictures.observe

    def observe(self, record, trainer):
        original(self, record, trainer)
        if isinstance(record, StageRecord) and record.stage == 0:
            monkeypatch.setattr(Pictures, "observe", original)
            act()

    monkeypatch.setattr(Pictures, "observe", observe)


def test_each_picture_is_trained_and_a_failure_does_not_end_it(folder, tmp_path):
    result = train(folder)
    assert result.exit_code == 1, result.output
    assert [run.parent.name for run in runs_below(tmp_path)] == ["a", "été - c"]
    assert re.findall(r"^\[.*", result.stdout, re.M) == [
        "[1/3] a.png",
        "[2/3] b.png",
        "[3/3] été - c.jpg",
    ]
    assert result.stdout.splitlines()[-1] == "3 pictures: 2 trained, 1 failed"
    assert result.stderr.splitlines()[-1].startswith("  b.png: ")
    assert "b.png is not a picture that can be read" in result.stderr.splitlines()[-1]
    assert all(RunFolder.open(run).manifest["status"] == "finished" for run in runs_below(tmp_path))
    seeds = {RunFolder.open(run).config.manual_seed for run in runs_below(tmp_path)}
    assert len(seeds) == 2  # drawn for each picture


def test_finished_pictures_are_skipped_and_failed_ones_tried_again(folder, tmp_path, monkeypatch):
    train(folder)
    before = runs_below(tmp_path)
    save(folder / "b.png", scene())
    result = train(folder)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "3 pictures: 2 finished before, 1 trained"
    (new,) = set(runs_below(tmp_path)) - set(before)
    assert new.parent.name == "b"
    monkeypatch.chdir(folder)  # from another place, the same pictures
    result = main_train("--input_name", ".", *QUICK, "--output_dir", tmp_path / "TrainedModels")
    assert result.stdout.splitlines()[-1] == "3 pictures: 3 finished before"


def test_a_finished_run_that_was_damaged_since_is_trained_anew(folder, tmp_path):
    (folder / "b.png").unlink()
    train(folder)
    first, second = runs_below(tmp_path)
    (weights,) = first.glob("1/weights.safetensors")
    weights.write_bytes(weights.read_bytes()[:1000])
    (second / "pyramid.safetensors").unlink()  # by which pictures are compared
    result = train(folder)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "2 pictures: 2 trained"
    assert f"{weights.relative_to(tmp_path)} is damaged" in result.stderr
    assert "The run does not count as finished" in result.stderr
    assert train(folder).stdout.splitlines()[-1] == "2 pictures: 2 finished before"


def test_other_settings_and_other_pictures_are_trained_anew(folder, tmp_path):
    (folder / "b.png").unlink()
    assert train(folder).exit_code == 0
    assert train(folder, "--lr_g", 0.001).stdout.endswith("2 pictures: 2 trained\n")
    assert train(folder, "--manualSeed", 3).stdout.endswith("2 pictures: 2 trained\n")
    assert train(folder, "--manualSeed", 3).stdout.endswith("2 pictures: 2 finished before\n")
    save(folder / "a.png", naive_scene())
    assert train(folder).stdout.endswith("2 pictures: 1 trained, 1 finished before\n")
    assert len(runs_below(tmp_path)) == 7


def test_a_layout_that_an_earlier_release_kept_although_it_changes_nothing_is_no_other_training(
    folder, tmp_path
):
    (folder / "b.png").unlink()
    assert train(folder, "--preset", "fast").exit_code == 0
    for run in runs_below(tmp_path):
        config = json.loads((run / "config.json").read_text())
        assert config["layout"] == 0  # no stage is finer
        (run / "config.json").write_text(json.dumps({**config, "layout": 34}))
    result = train(folder, "--preset", "fast")
    assert result.stdout.splitlines()[-1] == "2 pictures: 2 finished before"
    finer = train(folder, "--preset", "fast", "--layout", 17)  # than the first stage
    assert finer.stdout.splitlines()[-1] == "2 pictures: 2 finished before"


def test_ctrl_c_stops_all_and_the_same_command_goes_on(folder, tmp_path, monkeypatch):
    (folder / "b.png").unlink()
    whole = main_train("--input_name", folder, *TINY, "--output_dir", tmp_path / "whole")
    assert whole.exit_code == 0
    interrupted(monkeypatch, lambda: signal.raise_signal(signal.SIGINT))
    words = ("--input_name", folder, *TINY)
    result = main_train(*words)
    assert result.exit_code == 130
    assert "Go on with the same command." in result.stderr.splitlines()[-1]
    assert "[2/2]" not in result.stdout
    (run,) = runs_below(tmp_path)
    assert RunFolder.open(run).manifest["status"] == "interrupted"
    result = main_train(*words)
    assert result.exit_code == 0, result.output
    assert f"going on with {run.relative_to(tmp_path)} at stage 2/2" in result.stdout
    assert result.stdout.endswith("2 pictures: 2 trained\n")
    assert [r.parent.name for r in runs_below(tmp_path)] == ["a", "été - c"]
    (same,) = (tmp_path / "whole" / "a").iterdir()
    assert (run / "1/weights.safetensors").read_bytes() == (
        same / "1/weights.safetensors"
    ).read_bytes()


def test_a_bug_is_shown_and_does_not_end_it(folder, monkeypatch, capsys):
    (folder / "b.png").unlink()

    def wrong():
        raise ZeroDivisionError("a bug")

    interrupted(monkeypatch, wrong)
    result = train(folder)
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert result.stdout.splitlines()[-1] == "2 pictures: 1 failed, 1 trained"
    assert result.stderr.splitlines()[-1] == "  a.png: ZeroDivisionError: a bug"
    result = train(folder)
    assert "going on with" in result.stdout
    assert result.stdout.endswith("2 pictures: 1 trained, 1 finished before\n")


class Gone:
    """A GPU that fails in the midst of the first picture."""

    def __init__(self, monkeypatch, answers):
        self.tried = []
        self.answers = answers
        monkeypatch.setattr("consingan.machine.device.choose_device", self.choose)

    def choose(self, name):
        if not self.answers:
            raise UserError(f"--device {name} does not work")

    def work(self, image):
        self.tried.append(image.name)
        if image.name == "a.png":
            raise RuntimeError("CUDA error: unspecified launch failure")
        return "trained"


@pytest.mark.parametrize(("answers", "tried"), [(False, ["a.png"]), (True, ["a.png", "b.png"])])
def test_whom_a_gpu_answers_nothing_more_tries_no_further_pictures(
    monkeypatch, capsys, answers, tried
):
    gone = Gone(monkeypatch, answers)
    images = [Path("a.png"), Path("b.png")]
    every = _while_answered(
        work_through(images, gone.work, lambda _: None), torch.device("cuda", 0)
    )
    outcomes = list(every)
    assert gone.tried == tried
    _summarize(outcomes, len(images), Config())
    said = capsys.readouterr()
    assert said.out == f"2 pictures: 1 failed, 1 {'trained' if answers else 'left'}\n"
    assert ("Go on with the same command." in said.err) is not answers
    assert "a.png: the GPU failed (CUDA error: unspecified launch failure)" in said.err


def test_advice_names_the_settings_that_were_typed(folder):
    result = train(folder, "--lr_g", 1e25)
    assert result.exit_code == 1
    assert result.stderr.count("--lr_g (now 1e+25") == 4  # of two pictures, then and at the end


def test_a_failure_keeps_nothing_of_its_training_in_memory():
    trainings, alive = [], []

    def work(_):
        training = {"networks"}
        trainings.append(weakref.ref(training))
        try:
            raise ZeroDivisionError
        except ZeroDivisionError as error:
            raise UserError("it failed") from error

    def say(_):
        gc.collect()
        alive.append([training() is not None for training in trainings])

    outcomes = work_through([Path("a.png"), Path("b.png"), Path("c.png")], work, say)
    assert [str(o.error) for o in _until_stopped(outcomes, Config())] == ["it failed"] * 3
    assert alive == [[], [False], [False, False]]


def test_what_is_not_trained_was_not_finished_before(folder):
    (folder / "b.png").unlink()
    words = ("--input_name", folder, "--method", "patches", "--max_size", 32, "--not_cuda")
    planned = main_train(*words, "--dry_run")
    assert planned.exit_code == 0, planned.output
    assert planned.stdout.count("(WxH), nothing is trained\n") == 2
    assert "finished before" not in planned.stdout
    main_train(*words)
    assert main_train(*words, "--dry_run").stdout.endswith("\n2 pictures: 2 finished before\n")


def test_dry_run_plans_each_picture_and_the_sum(folder, tmp_path, monkeypatch):
    timed = []

    def second(job, stage):
        timed.append(stage)
        return 60.0

    monkeypatch.setattr("consingan.training.plan.time_iteration", second)
    before = files_below(tmp_path)
    result = train(folder, "--dry_run")
    assert result.exit_code == 1  # for the sake of b.png
    assert files_below(tmp_path) == before
    each = "input 56x40 -> training 32x23 (WxH), about 4 min"
    assert result.stdout.count(each) == 2
    assert timed == [0, 1]  # pictures of one size are measured once
    assert re.search(
        r"^in all: about 8 min, memory of the largest step up to \d+ MiB", result.stdout, re.M
    )
    assert result.stdout.splitlines()[-1] == "3 pictures: 2 to train, 1 failed"
    assert result.stderr.splitlines()[-1].startswith("  b.png: ")
    (folder / "b.png").unlink()
    train(folder)
    result = train(folder, "--dry_run")
    assert result.exit_code == 0
    assert result.stdout.endswith("finished before\n2 pictures: 2 finished before\n")


def test_what_is_too_large_for_memory_is_not_timed(folder, monkeypatch):
    (folder / "b.png").unlink()
    monkeypatch.setattr("consingan.training.plan.free_memory", lambda _: 10 * 2**20)
    monkeypatch.setattr("consingan.training.plan.time_iteration", lambda *_: 1 / 0)
    result = train(folder, "--dry_run")
    assert result.exit_code == 1
    assert (
        result.stderr.count("that is more than the 10 MiB that are free; ") == 4
    )  # then and at the end


def test_a_run_that_goes_on_is_planned_from_its_stage(folder, monkeypatch):
    for name in ("b.png", "été - c.jpg"):
        (folder / name).unlink()
    interrupted(monkeypatch, lambda: signal.raise_signal(signal.SIGINT))
    train(folder)
    monkeypatch.setattr("consingan.training.plan.time_iteration", lambda *_: 60.0)
    result = train(folder, "--dry_run")
    assert "about 2 min, from stage 2 on" in result.stdout


def test_a_run_in_use_is_left_alone(folder, monkeypatch):
    for name in ("b.png", "été - c.jpg"):
        (folder / name).unlink()
    interrupted(monkeypatch, lambda: signal.raise_signal(signal.SIGINT))
    train(folder)
    (run,) = runs_below(folder.parent)
    with RunFolder.open(run).locked():
        result = train(folder)
    assert result.exit_code == 1
    assert "is training in" in result.stderr
    assert runs_below(folder.parent) == [run]


def test_pictures_in(folder, tmp_path):
    assert [p.name for p in pictures_in(folder)] == ["a.png", "b.png", "été - c.jpg"]
    for wrong in (tmp_path / "none", folder / "a.png"):
        with pytest.raises(UserError, match="There is no folder"):
            pictures_in(wrong)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="There is no picture in the folder"):
        pictures_in(tmp_path / "empty")


def test_work_through_lets_the_users_wish_come_through():
    def stop(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(work_through([Path("a.png")], stop, lambda _: None))


def note(run, **changes):
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | changes))


def test_a_finished_run_comes_before_one_that_was_cut_short(tmp_path):
    run = copy_of_run("generation", tmp_path)
    for name, status in (("1", "finished"), ("2", "interrupted"), ("3", "diverged"), ("4", "x")):
        copy = copy_of_run("generation", tmp_path / name)
        note(copy, status=status)
        copy.rename(tmp_path / f"run_{name}")
        (tmp_path / name).rmdir()
    (tmp_path / "run_4" / "manifest.json").write_text("{")

    def found(fits=lambda _: True):
        kept = earlier_run(tmp_path, fits)
        return None if kept is None else kept.path.name

    note(run, status="interrupted")
    assert found() == "run_1"
    assert found(lambda run: run.path.name != "run_1") == "run_2"
    assert found(lambda run: run.path.name == "run_3") is None
    assert found(lambda run: False) is None
    assert load_run(tmp_path / "run_1").model.finite
