"""Fills are of the picture's own size and leave every known pixel as it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import HEIGHT, WIDTH, evaluate_model, main_train, save, scene
from hole_cases import TINY, files, hole_mask
from PIL import Image

from consingan.images.hole import emptied
from consingan.images.patch_fill import copied, polished, seamless
from consingan.metrics.inside import inside, seam
from consingan.outputs.hidden_copies import places


def flags(settings: dict[str, object]) -> list[str]:
    return [word for name, value in settings.items() for word in (f"--{name}", str(value))]


def run_of(tmp_path: Path, **changed: object) -> Path:
    settings = {**files(tmp_path), **TINY["partial_conv"], **changed}
    words = [*flags(settings), "--method", "partial_conv", "--train_mode", "inpainting"]
    result = main_train(*words, "--output_dir", tmp_path / "runs", "--device", "cpu",
                        "--no_tensorboard")  # fmt: skip
    assert result.exit_code == 0, result.output
    (run,) = (tmp_path / "runs" / "holed").iterdir()
    return run


@pytest.mark.parametrize("max_size", [56, 32])
def test_known_pixels_are_the_users_own_at_the_pictures_size(tmp_path: Path, max_size: int) -> None:
    run = run_of(tmp_path, max_size=max_size)
    truth = save(tmp_path / "truth.png", scene())
    result = evaluate_model("--model_dir", run, "--num_samples", 2, "--truth", truth,
                            "--hidden_copies", 1)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert f"2 fills: {run / 'Evaluation' / 'fill_0.png'} to fill_1.png" in result.output
    known = hole_mask() == 0
    for number in range(2):
        made = np.asarray(Image.open(run / "Evaluation" / f"fill_{number}.png"))
        assert made.shape == (HEIGHT, WIDTH, 3)
        assert np.array_equal(made[known], scene()[known])
        assert not np.array_equal(made[~known], scene()[~known])
    record = json.loads((run / "Evaluation" / "metrics.json").read_text("utf-8"))
    assert len(record["in_the_hole"]) == 2
    assert record["truth"]["path"] == str(truth)
    ways = [row["way"] for row in record["hidden_copies"]]
    assert len(ways) == 4
    assert [row["seen"] for row in record["hidden_copies"]] == [False, False, False, True]
    page = (run / "Evaluation" / "report.html").read_text("utf-8")
    assert "Which way fits here" in page
    assert "the picture&#x27;s own patches" in page or "the picture's own patches" in page


def test_without_metrics_nothing_is_tried_and_fills_stay_the_same(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    words = ("--model_dir", run, "--num_samples", 1, "--hidden_copies", 1)
    judged = evaluate_model(*words)
    assert "trying" in judged.output
    fill = (run / "Evaluation" / "fill_0.png").read_bytes()
    result = evaluate_model(*words, "--no_metrics", "--no_baseline")
    assert "trying" not in result.output
    assert (run / "Evaluation" / "fill_0.png").read_bytes() == fill
    assert not (run / "Evaluation" / "metrics.json").exists()
    assert "Note: --hidden_copies does nothing with --no_metrics." in result.stderr
    assert "Note: --no_baseline does nothing for a model trained for inpainting." in result.stderr


def test_fills_that_repeat_others_are_counted(tmp_path: Path) -> None:
    words = ("--model_dir", run_of(tmp_path), "--no_metrics", "--num_samples")
    assert "fills differ" not in evaluate_model(*words, 1).output
    result = evaluate_model(*words, 11)
    folder = Path(result.output.strip().splitlines()[-1].removeprefix("results: "))
    differ = len({path.read_bytes() for path in folder.glob("fill_*[0-9].png")})
    assert differ <= 9  # the mean, and eight views
    assert f"Note: only {differ} of 11 fills differ; fewer --num_samples give" in result.stderr


def test_no_fills_are_refused(tmp_path: Path) -> None:
    result = evaluate_model("--model_dir", run_of(tmp_path), "--num_samples", 0)
    assert result.exit_code == 2
    assert "--num_samples 0 must be 1 or more." in result.output


def test_how_a_truth_was_read_is_said(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    clear = np.dstack([scene(), np.full((HEIGHT, WIDTH), 90, np.uint8)])
    words = ("--num_samples", 1, "--hidden_copies", 0, "--no_metrics")
    result = evaluate_model("--model_dir", run, *words, "--truth", save(tmp_path / "t.png", clear))
    assert result.exit_code == 0, result.output
    assert "of it is transparent; transparent parts are taken as" in result.output
    dark = save(tmp_path / "t.png", np.where(hole_mask()[..., None] > 0, scene(), scene() // 4))
    result = evaluate_model("--model_dir", run, *words, "--truth", dark)
    assert "Note: the truth is much darker than the picture" in result.output


def test_a_truth_of_another_size_is_refused(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    small = save(tmp_path / "small.png", scene(20, 28))
    result = evaluate_model("--model_dir", run, "--truth", small)
    assert result.exit_code == 2
    assert "the same picture at the same size" in result.output


def test_without_a_mask_it_is_refused(tmp_path: Path) -> None:
    image = save(tmp_path / "scene.png", scene())
    result = main_train("--method", "partial_conv", "--input_name", image, "--output_dir", tmp_path)
    assert result.exit_code == 2
    assert "--mask is missing" in result.output


def test_a_flat_picture_is_filled_with_its_color() -> None:
    hole = torch.zeros(1, 1, 24, 30)
    hole[..., 8:14, 10:18] = 1
    flat = torch.full((1, 3, 24, 30), -0.5)
    start = emptied(torch.where(hole > 0, 1.0, flat), hole)
    made, _ = polished(start, hole)
    torch.testing.assert_close(made, flat)
    torch.testing.assert_close(seamless(flat + 0.2, flat, hole), flat)


def test_texture_goes_on_through_the_hole() -> None:
    rows, columns = torch.meshgrid(torch.arange(48), torch.arange(48), indexing="ij")
    stripes = ((rows // 2 + columns // 3) % 2 * 1.6 - 0.8).expand(1, 3, -1, -1)
    hole = torch.zeros(1, 1, 48, 48)
    hole[..., 20:25, 20:25] = 1
    made, _ = polished(emptied(stripes, hole), hole)
    assert float((made - stripes).abs().mean()) < float(
        (emptied(stripes, hole) - stripes).abs().mean()
    )
    assert torch.equal(made[hole.expand_as(made) == 0], stripes[hole.expand_as(made) == 0])


def test_copies_are_whole_and_away_from_the_hole() -> None:
    hole = torch.zeros(1, 1, 40, 56)
    hole[..., 3:9, 20:30] = 1
    found = places(hole, 3, 5)
    assert len(found) == 3
    assert all(float(copy.sum()) == 60 and not bool((copy * hole).any()) for copy in found)
    assert all(torch.equal(a, b) for a, b in zip(found, places(hole, 3, 5), strict=True))


def test_no_copy_takes_all_that_the_hole_leaves() -> None:
    half = torch.zeros(1, 1, 12, 16)
    half[..., :8] = 1
    assert places(half, 3, 5) == []
    half[..., 7] = 0  # now a copy can leave a column
    assert 0 < len(places(half, 3, 5)) <= 3


def test_scores_know_the_truth_and_the_edge() -> None:
    hole = torch.zeros(1, 1, 40, 40)
    hole[..., 10:20, 12:24] = 1
    truth = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    same = inside(truth, truth, hole)
    assert (same.psnr, round(same.ssim, 6), same.swd) == (100.0, 1.0, 0.0)
    worse = inside(truth, torch.where(hole > 0, 0.5, truth), hole)
    assert worse.psnr < 15
    assert worse.swd > 0
    smooth = torch.linspace(0, 1, 40).expand(1, 3, 40, 40).contiguous()
    assert seam(smooth, hole) < 1.3
    assert seam(torch.where(hole > 0, 1 - smooth, smooth), hole) > 3


def test_patches_fill_a_hole_without_training(tmp_path: Path) -> None:
    settings = {**files(tmp_path), "patch": 5, "max_size": 40}
    result = main_train(*flags(settings), "--method", "patches", "--train_mode", "inpainting",
                        "--output_dir", tmp_path / "runs", "--device", "cpu")  # fmt: skip
    assert result.exit_code == 0, result.output
    (run,) = (tmp_path / "runs" / "holed").iterdir()
    result = evaluate_model("--model_dir", run, "--num_samples", 1, "--hidden_copies", 1)
    assert result.exit_code == 0, result.output
    made = np.asarray(Image.open(run / "Evaluation" / "fill_0.png"))
    known = hole_mask() == 0
    assert np.array_equal(made[known], scene()[known])
    record = json.loads((run / "Evaluation" / "metrics.json").read_text("utf-8"))
    assert len(record["hidden_copies"]) == 3


def test_copies_are_pixels_of_the_known_part() -> None:
    rng = torch.Generator().manual_seed(1)
    image = torch.rand(1, 3, 32, 36, generator=rng) * 2 - 1
    hole = torch.zeros(1, 1, 32, 36)
    hole[..., 10:15, 12:18] = 1
    start = emptied(image, hole)
    made = copied(*polished(start, hole), hole)
    known = {tuple(p) for p in image[0][:, hole[0, 0] == 0].T.tolist()}
    assert all(tuple(p) in known for p in made[0][:, hole[0, 0] > 0].T.tolist())
    assert torch.equal(made[hole.expand_as(made) == 0], image[hole.expand_as(made) == 0])
