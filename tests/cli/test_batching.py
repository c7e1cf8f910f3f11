"""The command that works on a study: plans, works, goes on, stops, and says what came of it."""

from __future__ import annotations

import errno
import json
import re
import shutil
import signal
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from commands import save, scene
from fake_jobs import in_this_process

from consingan import cli
from consingan.batch import ledger, places
from consingan.batch.ledger import Ended
from consingan.batch.orders import Order
from consingan.batch.study import Study
from consingan.batch.toml import write_study
from consingan.cli import batching
from consingan.machine.files import make_folder, write_json
from consingan.machine.locking import LOCK, alone_in
from consingan.machine.program import command_line
from consingan.report.study import Trained
from consingan.training.observers import Sheets
from consingan.training.records import StepRecord

SETTINGS = ("train_stages=2", "min_size=16", "max_size=32", "niter=2", "nfc=4,5")
TINY = [word for setting in SETTINGS for word in ("--set", setting)]
FLAGS = ["--num_samples", "0", "--device", "cpu", "--output_dir", "study"]


def batch(*words: object) -> Result:
    return CliRunner().invoke(cli.main, ["batch", *map(str, words)], catch_exceptions=False)


@pytest.fixture(autouse=True)
def _quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(places, "run_here", in_this_process)
    save(tmp_path / "pictures" / "a.png", scene())
    (tmp_path / "pictures" / "b.png").write_text("no picture")


def test_one_failure_ends_nothing_and_the_exit_code_tells(tmp_path: Path) -> None:
    result = batch("pictures", *TINY, *FLAGS)
    assert result.exit_code == 1, result.output
    assert "4 trainings: 2 pictures, 2 settings (nfc 4, 5), 1 seed" in result.stdout
    assert "Note: 2 cannot be begun as it seems, b.png" in result.stderr
    assert "a.png, nfc 4, seed 0: finished" in result.stdout
    assert "b.png is not a picture that can be read" in result.stderr
    assert "2 failed, 2 finished." in result.stdout
    files = {p.name for p in (tmp_path / "study").iterdir() if p.is_file()}
    assert files == {
        "study.toml", "study.html", "study.csv", "study.json", "study.md", "study.tex",
    }  # fmt: skip
    trainings = json.loads((tmp_path / "study/study.json").read_text())["trainings"]
    assert all((tmp_path / "study" / t["run"]).is_dir() for t in trainings if t["run"])


def test_the_same_command_goes_on(tmp_path: Path) -> None:
    batch("pictures", *TINY, *FLAGS)
    save(tmp_path / "pictures" / "b.png", scene())
    before = {p: p.stat().st_mtime_ns for p in tmp_path.glob("study/a*/a/*/manifest.json")}
    result = batch("--output_dir", "study")  # the description is kept
    assert result.exit_code == 0, result.output
    assert "2 done before, 2 left" in result.stdout
    assert {p: p.stat().st_mtime_ns for p in before} == before
    again = batch("--file", "study/study.toml")
    assert again.exit_code == 0
    assert "4 done before, 0 left" in again.stdout
    save(tmp_path / "pictures" / "a.png", scene()[::-1])
    assert "2 done before, 2 left" in batch("--output_dir", "study", "--dry_run").stdout


def test_a_finished_run_that_was_damaged_since_is_trained_anew(tmp_path: Path) -> None:
    batch("pictures/a.png", *TINY, *FLAGS)
    first, second = sorted(tmp_path.glob("study/*/a/*/1/weights.safetensors"))
    first.write_bytes(first.read_bytes()[:99])
    again = batch("--output_dir", "study")
    assert again.exit_code == 0, again.output
    assert f"{first.relative_to(tmp_path)} is damaged" in again.stderr
    assert "1 done before, 1 left" in again.stdout
    assert "2 finished." in again.stdout
    entry = ledger.read(first.parents[3])
    assert first.parents[3] / entry["run"] != first.parents[1]
    entry.pop("run")
    write_json(first.parents[3] / "job.json", entry)
    assert "1 done before, 1 left" in batch("--output_dir", "study", "--dry_run").stdout
    assert second.is_file()


def test_what_is_trained_is_judged_by_a_second_call(tmp_path: Path) -> None:
    batch("pictures/a.png", *TINY, *FLAGS)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.glob("study/*/a/*/*/weights.safetensors")}
    result = batch("--output_dir", "study", "--num_samples", "2")
    assert result.exit_code == 0, result.output
    assert "| SWD" in result.stdout
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert before
    assert "2 done before, 0 left" in batch("--output_dir", "study").stdout  # it is kept
    again = batch("--file", "study/study.toml", "--num_samples", "3", "--dry_run")
    assert "2 trainings" in again.stdout
    assert "0 left" not in again.stdout


def test_a_mask_is_the_one_that_was_typed_and_what_is_in_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hole = np.zeros_like(scene())
    hole[4:12, 4:12] = 255
    save(tmp_path / "hole.png", hole)
    first = batch("pictures/a.png", "--set", "mask=hole.png", *TINY, *FLAGS)
    assert first.exit_code == 0, first.output
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    save(tmp_path / "there" / "hole.png", 255 - hole)
    assert "2 done before, 0 left" in batch("--output_dir", "../study").stdout
    before = runs_of(tmp_path / "study")
    save(tmp_path / "hole.png", hole[::-1])
    shown = CliRunner().invoke(cli.main, ["compare", str(tmp_path / "study")])
    assert "2 not begun" in shown.output
    result = batch("--output_dir", "../study")
    assert result.exit_code == 0, result.output
    assert len(runs_of(tmp_path / "study")) == 2 + len(before)
    assert "2 done before, 0 left" in batch("--output_dir", "../study").stdout


def runs_of(study: Path) -> list[Path]:
    return list(study.glob("*/a/*/manifest.json"))


def test_figures_of_a_picture_that_was_replaced_are_not_shown_as_its_own(tmp_path: Path) -> None:
    batch("pictures/a.png", *TINY, *FLAGS[2:])
    save(tmp_path / "pictures" / "a.png", scene()[::-1])
    shown = CliRunner().invoke(cli.main, ["compare", "study"])
    assert "2 not begun" in shown.output
    assert "| SWD" not in shown.output


def test_a_dry_run_prints_the_plan_and_writes_nothing(tmp_path: Path) -> None:
    result = batch("pictures/a.png", *TINY, *FLAGS, "--seeds", 3, "--dry_run")
    assert result.exit_code == 0, result.output
    assert "6 trainings: 1 picture, 2 settings (nfc 4, 5), 3 seeds" in result.stdout
    assert "of computing, memory of the largest about" in result.stdout
    assert "here: " in result.stdout
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("pictures", "--set", "nitr=3"), "did you mean 'niter'"),
        (("pictures", "--method", "gan"), "--method gan is unknown"),
        (("pictures", "--preset", "slow"), "--preset slow is unknown"),
        (("pictures", "--train_mode", "painting"), "--train_mode painting"),
        (("nowhere.png",), "nowhere.png; check the path."),
        (("pictures", "--set", "nfc=4", "niter=5"), "niter=5; check the path, or write --set in"),
        (("https://a.b/c.png",), "not fetched (https://...); download c.png and name the file."),
        (("--seeds", "3"), "Name the pictures"),
        ((), "study holds no study"),
        (("pictures", "--on", "slurm"), "--on slurm is unknown"),
        (("pictures", "--on", "here://x"), "needs no address"),
        (("pictures", "--on", "ray", "--workers", "2"), "--workers is for --on here"),
        (("pictures", "--file", "x.toml"), "describes the whole study"),
    ],
)
def test_what_cannot_work_is_one_sentence(
    words: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    result = batch(*words, *(("--set", "max_size=32", "--set", "min_size=16") if words else ()))
    if words[:1] == ("--seeds",) or not words:
        result = batch(*words)
    assert result.exit_code == 2, result.output
    assert sentence in result.stderr
    assert result.stderr.count("Error") == 1
    assert not (tmp_path / "study").exists()


def test_ctrl_c_stops_all_and_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pictures" / "b.png").unlink()
    stopped: list[str] = []

    def stop(orders: Any, *rest: Any) -> Generator[list[Ended], None, None]:
        try:
            for one in in_this_process(orders, *rest):
                yield one
                if one:
                    signal.raise_signal(signal.SIGTERM)
        finally:
            stopped.append("all")

    with monkeypatch.context() as patch:
        patch.setattr(places, "run_here", stop)
        patch.setattr(sys, "argv", ["consingan/__main__.py"])
        result = batch("pictures", *TINY, *FLAGS, "--output_dir", "a study")
    assert result.exit_code == 128 + signal.SIGTERM
    assert stopped == ["all"]
    again = command_line(("python", "-m", "consingan", "batch", "--output_dir", "a study"))
    assert f"Go on with: {again}" in result.stderr
    assert "1 done before, 1 left" in batch("--output_dir", "a study", "--dry_run").stdout


def test_a_training_that_is_stopped_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Sheets.observe

    def observe(self: Sheets, record: Any, trainer: Any) -> None:
        original(self, record, trainer)
        if isinstance(record, StepRecord):
            monkeypatch.setattr(Sheets, "observe", original)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Sheets, "observe", observe)
    words = ("pictures/a.png", *TINY[:-2], "--set", "nfc=4", *FLAGS, "--save_every", 1)
    assert batch(*words).exit_code == 1
    (folder,) = (tmp_path / "study").glob("a.png*")
    assert ledger.read(folder)["status"] == "stopped"
    assert batch(*words).exit_code == 0
    first, second = ledger.read(folder)["begins"]
    assert first == [0, 0]
    assert second != [0, 0]


def test_compare_shows_a_study_at_any_time(tmp_path: Path) -> None:
    batch("pictures", *TINY, *FLAGS)
    (folder, *_) = (tmp_path / "study").glob("a.png*")
    write_json(folder / "job.json", {"status": "training", "stage": 1})
    result = CliRunner().invoke(cli.main, ["compare", "study", "--output", "page.html"])
    assert result.exit_code == 0  # the comparison is there, though not every training
    assert "2 failed, 1 finished, 1 training." in result.stdout
    failed = re.findall("^failed: (b.png, nfc .), seed 0: ", result.stderr, re.M)
    assert failed == ["b.png, nfc 4", "b.png, nfc 5"]
    assert (tmp_path / "page.html").is_file()


def test_a_bug_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Sheets, "observe", wrong)
    result = batch("pictures/a.png", *TINY, *FLAGS)
    assert result.exit_code == 1
    assert "ZeroDivisionError: a bug" in result.stderr
    (folder, *_) = (tmp_path / "study").glob("a.png*")
    assert "Traceback" in ledger.read(folder)["traceback"]


def test_what_failed_is_named_escaped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failed = Trained("b\n\x1b[31m.png", (("mask", "m\x1b.png"),), 0, ledger.FAILED, "no room")
    monkeypatch.setattr("consingan.batch.results.results_of", lambda *_: [failed])
    write_study(make_folder(tmp_path / "study"), Study(("pictures",)))
    shown = CliRunner().invoke(cli.main, ["compare", "study"])
    assert r"failed: b\n\x1b[31m.png, mask m\x1b.png, seed 0: no room" in shown.stderr
    assert "\x1b" not in shown.stdout + shown.stderr


def test_results_look_for_the_trainings_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each look compares all that is kept with all that is asked for."""
    looks = []

    def looked(orders: Sequence[Order], _: Path) -> Sequence[Order]:
        looks.append(1)
        return orders

    monkeypatch.setattr("consingan.batch.kept.settled", looked)
    write_study(make_folder(tmp_path / "study"), Study(("pictures",)))
    CliRunner().invoke(cli.main, ["compare", "study"])
    assert looks == [1]


def test_a_terminal_shows_the_table_over_itself(capsys: pytest.CaptureFixture[str]) -> None:
    screen = batching._Screen(live=True)
    screen.show(["one is done"], ["2 at work", "x" * 5000])
    first = capsys.readouterr()
    assert first.out == "one is done\n"
    assert first.err.startswith("2 at work\nxxx")
    assert len(first.err) < 1000  # cut to the terminal's width
    screen.show([], [])
    assert capsys.readouterr().err == "\x1b[2A\x1b[J"


def test_a_study_is_worked_on_once_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    before = {p.name for p in tmp_path.iterdir()}
    with alone_in(tmp_path / "study", "working on the study"):
        result = batch("pictures/a.png", *TINY, *FLAGS)
        assert {p.name for p in (tmp_path / "study").iterdir()} == {LOCK}
    assert result.exit_code == 2
    assert "Another process is working on the study in study; wait" in result.stderr
    assert {p.name for p in tmp_path.iterdir()} == before
    assert batch("pictures/a.png", *TINY, *FLAGS).exit_code == 0
    assert not list((tmp_path / "study").rglob(LOCK))


@pytest.fixture
def vanishing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that goes when the work on the orders begins."""

    def without_b(orders: Any, *rest: Any) -> Generator[list[Ended], None, None]:
        (tmp_path / "pictures" / "b.png").unlink()
        yield from in_this_process(orders, *rest)

    monkeypatch.setattr(places, "run_here", without_b)


@pytest.mark.usefixtures("vanishing")
def test_a_picture_that_vanishes_fails_alone_and_results_need_no_pictures(tmp_path: Path) -> None:
    result = batch("pictures/a.png", "pictures/b.png", *TINY, *FLAGS)
    assert result.exit_code == 1, result.output
    assert "failed: b.png, nfc 4, seed 0: " in result.stderr
    assert "4 trainings of 2 pictures, 2 settings, 1 seed: 2 failed, 2 finished." in result.stdout
    (tmp_path / "pictures" / "a.png").unlink()
    compared = CliRunner().invoke(cli.main, ["compare", "study"])
    assert compared.exit_code == 0, compared.output
    assert "2 failed, 2 finished." in compared.stdout
    again = batch("--output_dir", "study")
    assert again.exit_code == 2
    assert "There is no picture and no folder" in again.stderr


@pytest.mark.usefixtures("vanishing")
def test_a_picture_that_vanishes_from_a_folder_is_among_the_results() -> None:
    result = batch("pictures", *TINY, *FLAGS)
    assert result.exit_code == 1, result.output
    assert "4 trainings of 2 pictures, 2 settings, 1 seed: 2 failed, 2 finished." in result.stdout


def test_a_picture_that_was_taken_from_a_folder_stays_among_the_results(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    (pictures / "b.png").unlink()
    save(pictures / "c.png", scene())
    assert batch("pictures", *TINY, *FLAGS).exit_code == 0
    whole = "4 trainings of 2 pictures, 2 settings, 1 seed: 4 finished."
    (pictures / "c.png").unlink()
    for words in (["compare", "study"], ["batch", "--output_dir", "study"]):
        result = CliRunner().invoke(cli.main, words)
        assert result.exit_code == 0, result.output
        assert whole in result.stdout
        assert "Note: not there any more, but among the results as far as trained: c.png" in (
            result.stderr
        )
    for change in ((pictures / "a.png").unlink, pictures.rmdir):
        change()
        assert whole in CliRunner().invoke(cli.main, ["compare", "study"]).stdout


def test_what_is_in_the_way_of_one_training_ends_no_other(tmp_path: Path) -> None:
    assert batch("pictures/a.png", *TINY, *FLAGS).exit_code == 0
    folders = sorted((tmp_path / "study").glob("a.png*"))
    for folder in folders:
        shutil.rmtree(folder)
    folders[0].write_text("a file")
    result = batch("pictures/a.png", *TINY, *FLAGS)
    assert result.exit_code == 1, result.output
    assert "nfc 4, seed 0: failed: The folder" in result.stdout
    assert "nfc 5, seed 0: finished" in result.stdout


def test_a_full_disk_fails_one_training_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, value: Any) -> None:
        if path.name == ledger.LEDGER and value["status"] == ledger.FAILED:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_json(path, value)

    def failing(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "weights.safetensors")

    monkeypatch.setattr(ledger, "write_json", full)
    monkeypatch.setattr(Sheets, "observe", failing)
    result = batch("pictures/a.png", *TINY, *FLAGS)
    assert result.exit_code == 1, result.output
    lines = [line for line in result.stdout.splitlines() if "failed: weights.safetensors" in line]
    assert len(lines) == 2
    assert len(re.findall("^failed: a.png, nfc ., seed 0: weights.saf", result.stderr, re.M)) == 2
    assert ": 2 failed." in result.stdout


def test_a_training_whose_worker_died_is_among_the_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(orders: Any, study: Path, _: Any) -> Generator[list[Ended], None, None]:
        for order in orders:
            ledger.Ledger(study / order.name).note(status=ledger.TRAINING)
            yield [Ended(order.name, ledger.FAILED, "its process died 3 times")]

    monkeypatch.setattr(places, "run_here", dying)
    result = batch("pictures/a.png", *TINY, *FLAGS)
    assert result.exit_code == 1
    assert "failed: a.png, nfc 4, seed 0: its process died 3 times" in result.stderr
    compared = CliRunner().invoke(cli.main, ["compare", "study"])
    assert ": 2 failed." in compared.stdout
    assert "its process died" in (tmp_path / "study" / "study.html").read_text("utf-8")


def test_a_dry_run_of_a_study_that_is_done_writes_nothing(tmp_path: Path) -> None:
    assert batch("pictures/a.png", *TINY, *FLAGS).exit_code == 0
    (tmp_path / "study" / "study.html").unlink()
    result = batch("--output_dir", "study", "--dry_run")
    assert result.exit_code == 0
    assert "2 done before, 0 left" in result.stdout
    assert not (tmp_path / "study" / "study.html").exists()


def test_options_that_do_nothing_for_a_study_are_named(tmp_path: Path) -> None:
    batch("pictures/a.png", *TINY, *FLAGS)
    result = CliRunner().invoke(cli.main, ["compare", "study", "--num_samples", "3"])
    assert result.exit_code == 0
    assert "Note: --num_samples does nothing for a study" in result.stderr
    assert "--seed" not in result.stderr


def test_a_setting_typed_as_a_training_takes_it_is_told_how_a_study_does() -> None:
    result = batch("pictures", "--max_size", 32, *FLAGS)
    assert result.exit_code == 2
    assert "--max_size is a setting of a training; a study takes it as --set max_size=" in (
        result.stderr
    )


def test_a_setting_that_a_study_takes_otherwise_is_told_how() -> None:
    result = batch("pictures", "--manual_seed", 3, *FLAGS)
    assert result.exit_code == 2
    assert "of a study: use --seeds." in result.stderr
