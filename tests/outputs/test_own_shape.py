"""Where the picture of the user's own keeps its shape, it need not have the training image's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from commands import evaluate_model, main_train, only_run, save, scene
from PIL import Image

from consingan.images.fit import beside
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.method import PATCHES
from consingan.methods.patches.model import PatchDiffusion
from consingan.outputs.composite import compose
from consingan.outputs.requests import CompositeRequest

STYLE, STRUCTURE = (44, 66), (130, 120)


def picture(size: tuple[int, int], seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 6, 6, generator=rng) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size, mode="bilinear")


def analogy() -> PatchDiffusion:
    config = PatchesConfig(train_mode="analogy", patch=7, level=0.5, sw_steps=0, balance=0)
    return PatchDiffusion(config, picture(STYLE), "fast")


@pytest.mark.parametrize(
    ("own", "real", "size"),
    [
        ((130, 120), (64, 96), (69, 64)),  # paper: one shorter side, the other rounded
        ((50, 400), (64, 96), (64, 512)),
        ((128, 192), (64, 96), (64, 96)),
        ((101, 150), (64, 96), (64, 96)),  # the same shape but for whole pixels
    ],
)
def test_a_structure_comes_to_the_styles_shorter_side(
    own: tuple[int, int], real: tuple[int, int], size: tuple[int, int]
) -> None:
    assert beside(own, real) == size


def test_an_analogy_has_the_structures_shape() -> None:
    assert analogy().enter(picture(STRUCTURE, 1)).shape == (1, 3, 48, 44)


def test_a_structure_of_the_styles_shape_has_its_size() -> None:
    assert analogy().enter(picture((90, 134), 1)).shape == (1, 3, *STYLE)


def test_all_of_a_composite_has_the_structures_shape() -> None:
    mask = torch.zeros(1, 1, *STRUCTURE)
    mask[..., 20:60, 20:60] = 1
    made = compose(analogy(), picture(STRUCTURE, 1), mask, CompositeRequest(detail="none"))
    for one in (made.small, made.mask, made.result, made.blended):
        assert one is not None
        assert one.shape[-2:] == (48, 44)
    assert made.full_blended.shape[-2:] == STRUCTURE


def test_a_fit_is_said_to_do_nothing_there() -> None:
    config = PatchesConfig(train_mode="analogy", naive_img="b.png", fit="crop")
    assert "fit" in (name for name, _ in PATCHES.idle(config))


def test_from_the_command_line_to_the_report(tmp_path: Path) -> None:
    image, own = save(tmp_path / "style.png", scene()), tmp_path / "own.png"
    Image.fromarray(scene()).rotate(90, expand=True).resize((60, 90)).save(own)
    words = ("--method", "patches", "--train_mode", "analogy", "--patch", 5, "--max_size", 40)
    trained = main_train("--input_name", image, *words, "--output_dir", tmp_path / "runs")
    assert trained.exit_code == 0, trained.output
    run = only_run(tmp_path / "runs")
    done = evaluate_model("--model_dir", run, "--naive_img", own, "--fit", "stretch")
    assert done.exit_code == 0, done.output
    assert "--fit does nothing for a model trained for analogy" in done.output
    assert "nothing to do with the training image" not in done.output
    with Image.open(run / "Evaluation/analogous_wo_mask.png") as made:
        width, height = made.size
    assert height / width == pytest.approx(1.5, rel=0.03)
