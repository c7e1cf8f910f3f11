"""A hole never leaks, and the drawn holes are what they should be."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from hole_cases import TINY, files
from vgg_cases import small_vgg

import consingan
from consingan.errors import UserError
from consingan.images.hole import emptied
from consingan.machine.execution import Wanted, choose_execution
from consingan.methods.partial_conv.config import PartialConvConfig
from consingan.methods.partial_conv.draws import Hiding, drawn, moved, stroked
from consingan.methods.partial_conv.method import LOSSES, idle
from consingan.methods.partial_conv.networks import UNet
from consingan.methods.partial_conv.training import PartialConvTraining, factors_of
from consingan.training.prepare import prepare

HOLE = torch.zeros(1, 1, 40, 56)
HOLE[..., 10:16, 20:30] = 1


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_what_lies_in_the_hole_changes_nothing_bit_for_bit(tmp_path: Path) -> None:
    weights, fills = [], []
    for color in ((255, 0, 0), (3, 200, 90)):
        made = consingan.train(
            **{"image" if k == "input_name" else k: v for k, v in files(tmp_path, color).items()},
            method="partial_conv", device="cpu", precision="float32", **TINY["partial_conv"],
        )  # fmt: skip
        model = made.model
        weights.append(model.weights())
        fills.append(model.fill(model.holed.picture, model.holed.hole, 1))
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert torch.equal(fills[0], fills[1])


def test_the_network_does_not_see_what_the_mask_hides() -> None:
    network = UNet(2, 4)
    image = torch.rand(1, 3, 16, 16)
    mask = torch.ones(1, 1, 16, 16)
    mask[..., 4:9, 5:11] = 0
    other = torch.where(mask > 0, image, 7 - image)
    assert torch.equal(network(image, mask), network(other, mask))


def test_no_pixel_of_the_hole_is_shown_or_truth() -> None:
    image = torch.where(HOLE > 0, 1.0, torch.full((1, 3, 40, 56), -1.0))
    for seed in range(12):
        draw = drawn(image, 1 - HOLE, rng(seed), Hiding(0.7, 0.6, 1.5))
        assert bool((draw.picture.amax(1, keepdim=True)[draw.known > 0] < -0.99).all())
        assert bool((draw.shown <= draw.known).all())
        assert 0 < float(draw.shown.mean()) < 1


def test_the_moved_hole_is_of_its_own_shape() -> None:
    for seed in range(12):
        made = moved(HOLE, rng(seed))
        rows, columns = (int(made.amax(axis).sum()) for axis in (3, 2))
        assert {rows, columns} <= set(range(1, 11))
        assert float(made.sum()) == rows * columns  # cut by the border at most


def test_strokes_cover_what_they_should() -> None:
    for seed in range(6):
        assert 0.04 < float(stroked((64, 96), rng(seed)).mean()) < 0.4


def test_features_are_made_of_the_known_part_alone() -> None:
    from consingan.nn.features import own_patches

    image = torch.rand(1, 3, 40, 56)
    other = torch.where(HOLE > 0, -image, image)
    banks = [own_patches(x, rng(0), 1 - HOLE).filters for x in (image, other)]
    torch.testing.assert_close(banks[0], banks[1])
    assert PartialConvTraining.losses[1] == "hole"


def training_of(folder: Path, **settings: Any) -> PartialConvTraining:
    named = {**TINY["partial_conv"], "features": "none", **files(folder), **settings}
    execution = choose_execution(Wanted(device="cpu", precision="float32"))
    training = prepare({**named, "method": "partial_conv"}, execution).training
    assert isinstance(training, PartialConvTraining)
    return training


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("norm", ["batch", "instance", "affine"])
def test_levels_that_leave_a_norm_one_value_are_refused(
    tmp_path: Path, norm: str, batch: int
) -> None:
    settings: dict[str, Any] = {"max_size": 32, "norm": norm, "batch": batch}
    with pytest.raises(UserError, match=r"--levels 5 leaves a single value .* use --levels 4 "):
        training_of(tmp_path, **settings, levels=5)
    training = training_of(tmp_path, **settings, levels=4)
    assert bool(training.step(0).isfinite().all())
    model = training.model
    assert bool(model.fill(model.holed.picture, model.holed.hole).isfinite().all())


def test_norms_of_regions_take_any_levels(tmp_path: Path) -> None:
    training = training_of(tmp_path, max_size=32, norm="region_batch", levels=6)
    assert bool(training.step(0).isfinite().all())


def test_a_guided_network_begins_with_the_smooth_fill(tmp_path: Path) -> None:
    settings = {**TINY["partial_conv"], "niter": 1, "features": "none"}
    named = files(tmp_path)
    training = prepare(
        {**settings, **named, "method": "partial_conv"}, choose_execution(Wanted(device="cpu"))
    ).training
    model = training.model
    smooth = emptied(model.real, model.hole)
    torch.testing.assert_close(model.made(model.real, 1 - model.hole), smooth)


# What is typed


@pytest.mark.parametrize("features", ["patches", "filters"])
def test_the_help_names_the_share_of_style_that_counts_without_vgg(features: str) -> None:
    config = PartialConvConfig(mask="x.png", features=features, style=150.0)
    told = PartialConvConfig.__dataclass_fields__["style"].metadata["help"]
    style = factors_of(config)[LOSSES.index("style_output")]
    assert f"1/{150 / style:.0f} of what is typed" in told


def test_what_symptoms_advise_against_a_smooth_fill_changes_something() -> None:
    lines = (Path(__file__).parents[3] / "docs/symptoms.md").read_text("utf-8").splitlines()
    (advice,) = (line for line in lines if "| the fill is smooth where" in line)
    features = re.search(r"--features (\w+)", advice)
    config = PartialConvConfig(mask="x.png", features=features[1] if features else "none")
    assert "--style" in advice
    assert "style" not in dict(idle(config))


def test_the_file_of_weights_is_told_with_its_checksum(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    weights = small_vgg(monkeypatch, tmp_path, 16)
    settings = {**TINY["partial_conv"], **files(tmp_path), "method": "partial_conv"}
    job = prepare(
        {**settings, "vgg_weights": str(weights)}, choose_execution(Wanted(not_cuda=True))
    )
    checksum = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert f"features: VGG16 of vgg16.pth, SHA-256 {checksum}" in list(job.training.facts())
