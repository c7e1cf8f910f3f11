"""An enlarged picture is held to the large original, where there is one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from commands import HEIGHT, WIDTH, evaluate_model, main_train, save, scene

from consingan.images.io import read_image, unit
from consingan.machine.files import described
from consingan.metrics.reconstruction import reconstruction_quality

TINY = ("--max_size", WIDTH // 2, "--min_size", 14, "--niter", 1, "--nfc", 4, "--min_nfc", 4)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("enlarging")
    image = save(parent / "scene.png", scene(HEIGHT // 2, WIDTH // 2))
    result = main_train("--method", "singan", "--train_mode", "super_resolution", "--sr_factor", 2,
                        "--input_name", image, "--output_dir", parent / "runs", "--device", "cpu",
                        "--no_tensorboard", *TINY)  # fmt: skip
    assert result.exit_code == 0, result.output
    (folder,) = (parent / "runs" / "scene").iterdir()
    return folder


@pytest.mark.parametrize(
    ("rows", "brought"), [(0, ""), (1, f", brought from {WIDTH}x{HEIGHT - 1}")]
)
def test_both_pictures_are_held_to_the_truth(
    run: Path, tmp_path: Path, rows: int, brought: str
) -> None:
    truth = save(tmp_path / "truth.png", scene()[rows:])
    result = evaluate_model("--model_dir", run, "--truth", truth)
    assert result.exit_code == 0, result.output
    assert f"against the truth{brought}" in result.output
    assert "does nothing" not in result.output
    assert "favors bicubic" not in result.output
    folder = run / "Evaluation"
    record = json.loads((folder / "metrics.json").read_text("utf-8"))
    noted = json.loads((folder / "evaluation.json").read_text("utf-8"))["inputs"]
    assert noted == {"truth": record["truth"]} == described({"truth": truth})
    found = record["to_truth"]
    assert set(found) == {"enlarged", "bicubic"}
    if not rows:
        pictures = (unit(read_image(str(path))) for path in (truth, folder / "bicubic.png"))
        assert found["bicubic"]["psnr"] == pytest.approx(
            reconstruction_quality(*pictures).psnr, abs=0.1
        )
    assert ">truth<" in (folder / "report.html").read_text("utf-8")


def test_a_truth_of_another_shape_is_refused(run: Path, tmp_path: Path) -> None:
    truth = save(tmp_path / "truth.png", scene(HEIGHT, WIDTH // 2))
    result = evaluate_model("--model_dir", run, "--truth", truth)
    assert result.exit_code == 2
    assert f"is {WIDTH // 2}x{HEIGHT}, of another shape than the enlarged picture" in result.output


@pytest.mark.parametrize(("factor", "doubted"), [(1, False), (4, True)])
def test_of_a_truth_that_is_much_darker_it_is_said(
    run: Path, tmp_path: Path, factor: int, doubted: bool
) -> None:
    """As one of 12 bit is where 16 are read."""
    truth = save(tmp_path / "truth.png", scene() // factor)
    result = evaluate_model("--model_dir", run, "--truth", truth, "--no_metrics")
    assert result.exit_code == 0, result.output
    assert ("Note: the truth is much darker than the picture" in result.output) == doubted


def test_more_memory_is_wanted_with_a_truth(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What SSIM takes beside three pictures is more than enlarging does."""
    truth = save(tmp_path / "truth.png", scene())
    monkeypatch.setattr("consingan.outputs.enlargement.free_memory", lambda _: HEIGHT * WIDTH * 200)
    assert evaluate_model("--model_dir", run, "--no_metrics").exit_code == 0
    result = evaluate_model("--model_dir", run, "--truth", truth)
    assert result.exit_code == 2
    assert "or leave out --truth." in result.output


def test_of_a_truth_smaller_than_the_result_it_is_said_what_that_favors(
    run: Path, tmp_path: Path
) -> None:
    truth = save(tmp_path / "truth.png", scene(HEIGHT // 2, WIDTH // 2))
    result = evaluate_model("--model_dir", run, "--truth", truth)
    assert result.exit_code == 0, result.output
    assert "Note: the truth is smaller than the result" in result.output


def test_how_a_truth_was_read_is_said(run: Path, tmp_path: Path) -> None:
    """Scores are of what transparent parts were taken as."""
    opaque = scene()
    clear = np.dstack([opaque, np.full(opaque.shape[:2], 90, np.uint8)])
    result = evaluate_model("--model_dir", run, "--truth", save(tmp_path / "truth.png", clear))
    assert result.exit_code == 0, result.output
    assert "of it is transparent; transparent parts are taken as" in result.output
