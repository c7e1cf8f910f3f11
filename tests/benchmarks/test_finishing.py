"""The benchmark of finishes: the trained models are judged anew, each once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from commands import trained

from benchmarks import finishing

FIGURES = {"metrics": {"swd": {"mean": 4.0}, "diversity": {"mean": 0.4}},
           "reconstruction": {"psnr": 30.0}, "image": "scene.png"}  # fmt: skip


def test_every_model_is_judged_once_at_each_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained("generation")
    record = {**FIGURES, "preset": "draft", "seed": 1, "cpu": 1.0, "run": run.name}
    text = json.dumps({"trainings": [record, {**record, "preset": "fast"}, {"error": "no"}]})
    (run.parent / "trainings.json").write_text(text, "utf-8")
    stored = tmp_path / "stored" / "paper" / "seed_0" / "images"
    stored.mkdir(parents=True)
    (stored / "scene.json").write_text(json.dumps(FIGURES), "utf-8")
    judged: list[tuple[float, float]] = []
    real: Any = finishing.judged

    def counted(path: Path, about: Any, degree: tuple[float, float], samples: int) -> Any:
        judged.append(degree)
        return real(path, about, degree, samples)

    monkeypatch.setattr(finishing, "judged", counted)
    words = [str(run.parent), "--recipes", "draft", "--samples", "2"]
    words += ["--beside", str(tmp_path / "stored"), "--output", str(tmp_path / "out"), "--levels"]
    for levels in ("0.5", "0.5,0.6:0.3"):
        done = CliRunner().invoke(finishing.main, [*words, levels], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert judged == [(0.5, 0), (0.6, 0.3)]
    rows = json.loads((tmp_path / "out" / "finish.json").read_text("utf-8"))
    names = [row["recipe"] for row in rows["Ratios to paper"]]
    assert names == ["draft", "draft, 0.5", "draft, 0.6 within 0.3"]
