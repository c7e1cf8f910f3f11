"""Translations by patches of one pair: A decides, what grows beside it follows."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from commands import scene
from torch import Tensor

from consingan.errors import UserError
from consingan.images.conditions import made_from
from consingan.machine.execution import Wanted, choose_execution
from consingan.methods.contract import Inputs, Translates
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.guided import Guided
from consingan.methods.patches.setup import begin, restore
from consingan.outputs.held_out import agreement

HERE = choose_execution(Wanted(device="cpu", precision="float32"))
B = torch.from_numpy(scene(28, 40)).permute(2, 0, 1)[None] / 127.5 - 1


def config(**changes: Any) -> PatchesConfig:
    told = {"train_mode": "translation", "patch": 7, "balance": 0, "condition": "colors:6"}
    return PatchesConfig(**{**told, **changes})


def model(**changes: Any) -> Any:
    return begin(config(**changes), Inputs(B), HERE).model


def test_the_pair_itself_is_found_again() -> None:
    made = model()
    assert isinstance(made, Translates)
    assert agreement(made.real, made.render(made.condition)).l1 < 0.03


def test_a_mirrored_layout_gives_about_the_mirrored_picture() -> None:
    made = model()
    mirrored = made.condition.flip(-1)
    found = agreement(made.real.flip(-1), made.render(mirrored))
    assert found.l1 < 0.5 * agreement(made.real.flip(-1), made.render(made.condition)).l1


def test_the_engine_that_was_asked_for_makes_it() -> None:
    here = choose_execution(Wanted(device="cpu", precision="float32", engine="exact"))
    made: Any = begin(config(), Inputs(B), here).model
    assert made.both.chosen_engine((400, 400)) == "exact"


def test_the_guide_is_set_free_of_noise_and_left_alone() -> None:
    seen: list[Tensor] = []

    def denoise(x: Tensor, alpha: float, sigma: float) -> Tensor:
        seen.append(x)
        return torch.zeros_like(x)

    guide = torch.ones(2, 4, 4)
    clean = Guided(denoise, guide)(torch.full((5, 4, 4), 9.0), 0.5, 0.1)
    assert torch.equal(seen[0][3:], 0.5 * guide)
    assert torch.equal(seen[0][:3], torch.full((3, 4, 4), 9.0))
    assert torch.equal(clean[3:], guide)


def test_it_is_restored_from_what_was_kept() -> None:
    training = begin(config(), Inputs(B), HERE)
    again = restore(config(), training.fixed(), HERE)
    assert again.stages == training.stages == 0
    new = training.model.condition.flip(-2)
    assert torch.equal(again.translate(new), training.model.translate(new))


def test_more_guidance_follows_a_more() -> None:
    new = model().condition.roll(9, -1)

    def distance(guidance: float) -> float:
        made = model(guidance=guidance)
        layout = made_from(made.render(new), "blur")
        return float((layout - made_from(made.real.roll(9, -1), "blur")).abs().mean())

    assert distance(4.0) < distance(0.1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"condition": ""}, "--condition is missing"),
        ({"condition": "colors:99"}, "must be colors:K"),
        ({"patch": 41}, "smaller than a patch of 41 px"),
    ],
)
def test_what_cannot_be_looked_up_is_one_sentence(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        model(**changes)
