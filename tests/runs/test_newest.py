from __future__ import annotations

import os
from pathlib import Path

import pytest
from commands import copy_of_run, evaluate_model

from consingan.errors import UserError
from consingan.runs.listing import runs_below
from consingan.runs.newest import find_run, newest_run


def run(path: Path, age: int) -> Path:
    path.mkdir(parents=True)
    (path / "manifest.json").write_text("{}")
    os.utime(path / "manifest.json", ns=(0, 1_000_000_000 * (1000 - age)))
    return path


def test_the_run_worked_on_last_is_the_newest_whatever_it_is_called(tmp_path: Path) -> None:
    run(tmp_path / "a/2026_02", 5)
    newest = run(tmp_path / "b/2026_01", 1)
    run(tmp_path / "demo/c/2026_03", 3)
    assert newest_run(tmp_path) == newest
    assert find_run(Path("latest"), tmp_path) == newest
    assert find_run(tmp_path / "a", tmp_path) == tmp_path / "a/2026_02"
    assert find_run(tmp_path / "a/...", tmp_path) == tmp_path / "a/2026_02"  # as in guides
    assert find_run(tmp_path / "demo", tmp_path) == tmp_path / "demo/c/2026_03"


def test_a_folder_that_a_killed_training_was_still_making_is_no_run(tmp_path: Path) -> None:
    whole = run(tmp_path / "a/2026_01", 5)
    run(tmp_path / "a/.2026_02.x1y2.tmp/2026_02", 1)
    assert newest_run(tmp_path) == newest_run(tmp_path / "a") == whole
    assert list(runs_below(tmp_path)) == ["a/2026_01"]


def test_a_run_is_itself_even_beside_results_that_look_like_runs(tmp_path: Path) -> None:
    own = run(tmp_path / "a/own", 5)
    run(own / "copy", 1)
    assert find_run(own, tmp_path) == own


def test_what_holds_no_run_is_left_to_the_reader_of_runs(tmp_path: Path) -> None:
    for name in ("absent", ".", "absent/..."):
        assert find_run(tmp_path / name, tmp_path) == tmp_path / name
    with pytest.raises(UserError, match=r"There is no run below .* yet; train one first"):
        find_run(Path("latest"), tmp_path)


def test_the_newest_run_is_evaluated_said_and_named_in_the_command_that_repeats_it(
    tmp_path: Path,
) -> None:
    run = copy_of_run("generation", tmp_path / "scene")
    words = (f"--model_dir={tmp_path}/", "--num_samples", "1", "--scale_w", "1", "--device", "cpu")
    result = evaluate_model(*words)
    assert result.exit_code == 0, result.output
    assert f"the newest run: {run}" in result.output
    page = (run / "Evaluation/report.html").read_text("utf-8")
    assert f"--model_dir={run} --num_samples 1 --scale_w 1 --device cpu --precision" in page
    assert "--threads 1" in page


def test_a_folder_called_latest_is_that_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "TrainedModels/a/b", 1)
    run(tmp_path / "latest", 2)
    monkeypatch.chdir(tmp_path)
    assert find_run(Path("latest"), Path("TrainedModels")) == Path("latest")
