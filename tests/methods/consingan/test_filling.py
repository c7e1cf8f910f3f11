"""A training around a hole: what lies in it is never seen, and it is filled."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers import execution
from hole_cases import TINY, files
from torch import Tensor

import consingan
from consingan.errors import UserError
from consingan.methods.consingan.filling import regions_of
from consingan.methods.holes import Holed
from consingan.nn.architecture import Architecture
from consingan.nn.blocks import initialize
from consingan.nn.discriminator import Discriminator
from consingan.nn.regions import Around
from consingan.training.prepare import prepare

SHAPE = Architecture(channels=4)
HOLE = torch.zeros(1, 1, 30, 40)
HOLE[..., 12:16, 3:8] = 1


def trained(tmp_path: Path, color: tuple[int, int, int], **settings: Any) -> Any:
    named = files(tmp_path, color)
    return consingan.train(
        named["input_name"], mask=named["mask"], device="cpu", precision="float32",
        **{**TINY["consingan"], "max_size": 56, **settings},
    ).model  # fmt: skip


@pytest.mark.parametrize("task", ["inpainting", "generation"])
def test_what_lies_in_the_hole_changes_nothing_bit_for_bit(task: str, tmp_path: Path) -> None:
    one, other = (
        trained(tmp_path, color, train_mode=task, min_size=24)
        for color in ((255, 0, 0), (9, 160, 30))
    )
    assert all(torch.equal(one.weights()[k], other.weights()[k]) for k in one.weights())
    assert one.amplitudes == other.amplitudes
    assert torch.equal(one.real, other.real)
    mask = one.holed.hole
    assert torch.equal(one.fill(one.holed.picture, mask, 3),
                       other.fill(other.holed.picture, mask, 3))  # fmt: skip


def test_both_engines_train_alike_around_a_hole(tmp_path: Path) -> None:
    plain, fast = (
        trained(tmp_path, (1, 2, 3), train_mode="inpainting", min_size=24, engine=engine)
        for engine in ("plain", "fast")
    )
    for name, weight in plain.weights().items():
        torch.testing.assert_close(weight, fast.weights()[name], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("padding", [0, 1])
def test_the_scores_that_count_see_nothing_of_the_hole(padding: int) -> None:
    shape = Architecture(channels=4, padding=padding)
    critic = Discriminator(shape)
    initialize(critic, torch.Generator().manual_seed(0))
    image = torch.rand(1, 3, 30, 40, requires_grad=True)
    region = Around.of(HOLE, shape)
    scores = critic(image)
    (gradient,) = torch.autograd.grad(region.scores(scores).sum(), image)
    inside = gradient.abs().amax(1, keepdim=True)[HOLE > 0]
    assert float(inside.max()) == 0
    assert float(gradient.abs().sum()) > 0
    left_out = sorted(set(range(scores.numel())) - set(region.seen.tolist()))
    for number in (left_out[0], left_out[-1]):
        (gradient,) = torch.autograd.grad(critic(image).flatten()[number], image)
        assert float(gradient.abs().amax(1, keepdim=True)[HOLE > 0].max()) > 0


def test_pixels_of_the_hole_are_not_compared() -> None:
    region = Around.of(HOLE, SHAPE)
    real: Tensor = torch.rand(1, 3, 30, 40)
    made = torch.where(HOLE > 0, real + 5, real)
    assert torch.equal(*region.pixels(made, real))
    assert torch.equal(region.known(real, made), made)


def test_a_hole_that_leaves_no_place_is_refused() -> None:
    hole = torch.zeros(1, 1, 40, 40)
    hole[..., 14:26, 14:26] = 1
    holed = Holed(torch.zeros(1, 3, 40, 40), hole)
    with pytest.raises(UserError, match="At 20x20 px the hole leaves no place"):
        regions_of(holed, [(40, 40), (20, 20)], SHAPE, torch.device("cpu"))


def test_several_fills_differ_in_the_hole_alone(tmp_path: Path) -> None:
    model = trained(tmp_path, (255, 0, 0), train_mode="inpainting", min_size=24)
    made = [model.fill(model.holed.picture, model.holed.hole, seed) for seed in (0, 1, 0)]
    known = model.holed.hole.expand_as(made[0]) == 0
    assert torch.equal(made[0], made[2])
    assert torch.equal(made[0][known], model.real[known])
    assert not torch.equal(made[0], made[1])


def test_without_a_mask_a_hole_cannot_be_filled_and_elsewhere_it_is_refused(
    tmp_path: Path,
) -> None:
    named = files(tmp_path)
    with pytest.raises(UserError, match=r"^mask is missing"):
        consingan.train(named["input_name"], train_mode="inpainting", device="cpu")
    for task, instead in (
        ("animation", "leave it out, or use train_mode inpainting"),
        ("editing", "it is for the trained model, with naive_img"),  # marks what was changed there
    ):
        with pytest.raises(UserError, match=f"^mask does not go with train_mode {task}; {instead}"):
            consingan.train(named["input_name"], train_mode=task, mask=named["mask"], device="cpu")


@pytest.mark.parametrize("crop", [0, 20])
def test_a_rehearsal_goes_by_what_is_known_as_the_training_does(tmp_path: Path, crop: int) -> None:
    named, seen = files(tmp_path, (255, 0, 0)), []
    typed = {**TINY["consingan"], "max_size": 64, "min_size": 24, "crop": crop, **named}
    training: Any = prepare({**typed, "train_mode": "inpainting"}, execution()).training

    def engine(task: Any) -> Any:
        def step(draws: Any, _: int) -> None:
            seen.append(draws.sight.region if draws.sight else task.region)

        return SimpleNamespace(step=step)

    training.make_engine = engine
    rehearsal, last = training.rehearse(training.stages - 1), training.stages - 1
    if crop:
        crops = training.crops_of(last)
        assert crops is not None
        for number in range(crops.windows_in_a_round):
            rehearsal.step(number)
        assert any(isinstance(region, Around) for region in seen)
    else:
        rehearsal.step(0)
        assert seen == [training.regions[last]]
