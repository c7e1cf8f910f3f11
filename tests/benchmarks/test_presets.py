"""The benchmark of presets: what is averaged over what, and what it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from benchmark_cases import FLAGS
from click.testing import CliRunner
from fake_jobs import in_this_process
from report_cases import scene

from benchmarks import presets
from benchmarks.presets import comparison, main, means, time_rows
from benchmarks.stages import sizes_of
from consingan.batch import places
from consingan.images.io import write_image
from consingan.machine.execution import Wanted, choose_execution
from consingan.methods.choose import choose_settings
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.training.prepare import prepare


def record(image: str, swd: float, minutes: float = 1.0) -> dict[str, object]:
    metrics = {"swd": {"mean": swd}, "diversity": {"mean": 0.5}}
    return {"image": image, "metrics": metrics, "minutes": minutes}


def test_means_are_over_seeds_and_leave_out_failures() -> None:
    found = means([record("a", 4), record("a", 6), {"image": "a", "error": "no"}])
    assert found == {"a": {"swd": 5, "diversity": 0.5, "minutes": 1}}


def test_ratios_weigh_pictures_alike_and_count_only_shared_ones() -> None:
    paper = [record("a", 2, 4), record("b", 20, 4), record("c", 1)]
    fast = [record("a", 4, 1), record("b", 20, 1)]
    first, second = comparison({"paper": paper, "fast": fast})
    assert first["pictures"] == second["pictures"] == 2
    assert first["trainings"] == second["trainings"] == 2
    assert first["swd, ratio"] == 1
    assert second["swd, ratio"] == pytest.approx(1.5)
    assert second["minutes, ratio"] == pytest.approx(0.25)
    assert second["SWD ↓"] == 12


def test_it_trains_judges_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "run_here", in_this_process)
    monkeypatch.setattr(presets, "TURNS", 1)
    folder, output = tmp_path / "images", tmp_path / "output"
    folder.mkdir()
    write_image(folder / "a.png", scene(1))
    flags = [word for pair in zip(FLAGS[::2], FLAGS[1::2], strict=True) for word in pair
             if pair[0] not in ("--manual_seed", "--niter")]  # fmt: skip
    words = [str(folder), *flags, "--samples", "2", "--seeds", "2", "--device", "cpu",
             "--presets", "paper,draft", "--niter", "2", "--output", str(output)]  # fmt: skip
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    table = json.loads((output / "presets.json").read_text("utf-8"))
    assert [row["preset"] for row in table["On average"]] == ["paper", "draft"]
    times = table["Time of a training, iterations in turns"]
    assert [row["preset"] for row in times] == ["paper", "draft"]
    assert times[0]["ratio"] == 1
    assert times[1]["minutes"] > 0
    assert all(row["SWD by seed"].count(",") == 1 for row in table["By picture"])
    runs = sorted(output.rglob("manifest.json"))
    assert len(runs) == 4
    times = [path.stat().st_mtime_ns for path in runs]
    again = CliRunner().invoke(main, words)
    assert again.exit_code == 0, again.output
    assert [path.stat().st_mtime_ns for path in runs] == times
    timed = json.loads((output / "presets.json").read_text("utf-8"))[presets.TIMES]
    (gone,) = output.glob("a.png-consingan-draft-*-seed_1/job.json")
    gone.unlink()
    only = CliRunner().invoke(main, [*words, "--tables_only"])
    assert only.exit_code == 0, only.output
    assert not gone.exists()
    table = json.loads((output / "presets.json").read_text("utf-8"))
    assert [row["trainings"] for row in table["On average"]] == [2, 1]
    assert table[presets.TIMES] == timed


def test_without_a_folder_only_iterations_are_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presets, "TURNS", 1)
    words = ["--presets", "paper,fast", "--niter", "2", "--nfc", "2", "--max_size", "40",
             "--train_stages", "2", "--device", "cpu", "--output", str(tmp_path)]  # fmt: skip
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in tmp_path.iterdir()) == ["presets.json", "presets.md"]
    table = json.loads((tmp_path / "presets.json").read_text("utf-8"))
    assert [row["preset"] for row in table.pop(presets.TIMES)] == ["paper", "fast"]
    assert table.keys() == {"machine"}
    result = CliRunner().invoke(main, [*words, "--tables_only"])
    assert result.exit_code == 2
    assert "--tables_only needs FOLDER" in result.stderr


def test_tables_of_nothing(tmp_path: Path) -> None:
    folder, output = tmp_path / "images", tmp_path / "output"
    folder.mkdir()
    write_image(folder / "a.png", scene(1))
    words = [str(folder), "--device", "cpu", "--tables_only", "--output", str(output)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "Nothing yet." in result.output


def test_stages_are_those_of_a_training() -> None:
    for settings in (
        {},
        {"train_mode": "harmonization"},
        {"train_mode": "harmonization", "max_size": 128},
        {"train_mode": "animation"},
        {"min_size": 40},
    ):
        image = torch.zeros(1, 3, round(settings.get("max_size", 250) * 2 / 3),
                            settings.get("max_size", 250))  # fmt: skip
        config = choose_settings(settings).config
        job = prepare({**settings, "input_name": "x"}, choose_execution(Wanted("cpu")), image)
        made = sizes_of(config.max_size, config.train_stages, config.train_mode,
                        settings.get("min_size"))  # fmt: skip
        assert made == [(r.shape[-2], r.shape[-1]) for r in job.training.reals]


def test_time_counts_the_iterations_of_each_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, steps = [], []

    def in_turns(runs: dict[str, Any], *args: object, **kwargs: object) -> dict[str, Any]:
        asked.append(list(runs))
        steps.append(runs["fast"].args[1].recipe.d_steps)
        return {name: (6.0, 6.0) for name in runs}  # a turn of two iterations takes 6 s

    monkeypatch.setattr(presets, "in_turns", in_turns)
    paper = ConSinGANConfig(max_size=100, train_stages=3, nfc=2)  # 38 px wide, 62 and 100
    configs = {
        "paper": paper.replace(niter=10),
        "fast": paper.replace(niter=7, fine_niter=2, fine_d_steps=1, penalty_every=2),
        "two stages": paper.replace(niter=10, train_stages=2),
    }
    rows = {row["preset"]: row for row in time_rows(configs, choose_execution(Wanted("cpu")))}
    assert asked == [["paper", "fast", "two stages"]] * 2 + [["paper", "fast"]]
    assert steps == [3, 1, 1]
    assert rows["paper"]["minutes"] == pytest.approx(3 * 10 * 3 / 60)
    assert rows["fast"]["minutes"] == pytest.approx(3 * (7 + 5 + 2) / 60)
    assert rows["fast"]["ratio"] == pytest.approx(14 / 30)
    assert rows["two stages"]["ratio"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("paper", "--presets needs two different presets"),
        ("paper,paper", "--presets needs two different presets"),
        ("paper,slow", "There is no preset 'slow'"),
    ],
)
def test_presets_are_checked(tmp_path: Path, names: str, sentence: str) -> None:
    result = CliRunner().invoke(main, [str(tmp_path), "--presets", names])
    assert result.exit_code == 2
    assert sentence in result.stderr
