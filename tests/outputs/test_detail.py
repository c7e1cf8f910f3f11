"""A composite at the size of the user's picture: where its detail comes from."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import HEIGHT, OBJECT, WIDTH, copy_of_run, naive_scene, save, scene, trained
from torch import Tensor

import consingan
from consingan.images import masks
from consingan.images.resize import resize_to
from consingan.outputs.composed import Composite
from consingan.outputs.composite import compose
from consingan.outputs.detail import patience, with_detail
from consingan.outputs.requests import DETAILS, CompositeRequest
from consingan.runs.load import load_run


def naive(scale: int = 2) -> Tensor:
    pixels = naive_scene(HEIGHT * scale, WIDTH * scale).astype(np.float32)
    return torch.from_numpy(pixels / 127.5 - 1).permute(2, 0, 1)[None]


def mask(scale: int = 2) -> Tensor:
    made = torch.zeros(1, 1, HEIGHT, WIDTH)
    made[..., OBJECT[0], OBJECT[1]] = 1
    return masks.resize_mask(made, (HEIGHT * scale, WIDTH * scale))


@functools.cache
def model_of(run: Path) -> Any:
    return load_run(run).model


def made(run: Path, detail: str, picture: Tensor | None = None) -> Composite:
    request = CompositeRequest(detail=detail, mask_dilation=2, mask_feather=1)
    return compose(model_of(run), naive() if picture is None else picture, mask(), request)


@pytest.mark.parametrize("detail", DETAILS)
def test_outside_of_the_mask_a_result_is_the_own_picture_to_the_bit(detail: str) -> None:
    composite = made(trained("harmonization"), detail)
    untouched = masks.soften(mask(), 2, 1, WIDTH * 2 / 32) == 0
    assert untouched.float().mean() > 0.3
    same = composite.full_blended == composite.naive
    assert same[untouched.expand_as(same)].all()


def test_what_is_written_by_strips_has_the_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consingan.outputs.composed.STRIP", 112 * 7)
    composite = made(trained("harmonization"), "both")
    strips = list(composite.blended_strips())
    assert len(strips) == 12
    assert torch.equal(torch.cat(strips, 2), composite.full_blended)


def test_without_detail_a_result_is_enlarged_as_published() -> None:
    composite = made(trained("harmonization"), "none")
    assert torch.equal(composite.full, resize_to(composite.result, (80, 112)).clamp(-1, 1))


@pytest.mark.parametrize(("mode", "own"), [("harmonization", "both"), ("editing", "image")])
def test_auto_is_what_suits_the_task(mode: str, own: str) -> None:
    results = {detail: made(trained(mode), detail).full for detail in ("auto", own, "none")}
    assert torch.equal(results["auto"], results[own])
    assert not torch.equal(results["auto"], results["none"])


@pytest.mark.parametrize("detail", DETAILS)
def test_what_is_made_at_the_training_size_stays_as_it_is(detail: str) -> None:
    run = trained("harmonization")
    one, other = made(run, detail), made(run, "none")
    assert torch.equal(one.result, other.result)
    assert torch.equal(one.blended, other.blended)


def test_the_same_call_gives_the_same_detail() -> None:
    run = trained("harmonization")
    assert torch.equal(made(run, "both").full, made(run, "both").full)


def test_a_training_image_that_is_gone_leaves_the_own_detail(tmp_path: Path) -> None:
    run = copy_of_run("editing", tmp_path)
    there = made(run, "own")
    config = run / "config.json"
    config.write_text(config.read_text().replace("scene.png", "gone.png"))
    model_of.cache_clear()
    assert torch.equal(made(run, "auto").full, there.full)


def test_a_gray_picture_stays_gray(tmp_path: Path) -> None:
    file = save(tmp_path / "gray.png", scene()[..., 0])
    ways = {"method": "patches", "train_mode": "harmonization", "precision": "float32"}
    model = consingan.train(file, max_size=32, device="cpu", **ways)
    gray = naive().mean(1, keepdim=True).expand(-1, 3, -1, -1)
    full = model.compose(gray, mask()[0, 0], detail="both")
    assert (full == full[:, :1]).all()
    assert not torch.equal(full, gray)


def test_an_empty_mask_costs_no_detail() -> None:
    model = load_run(trained("harmonization")).model
    composite = compose(model, naive(), torch.zeros(1, 1, 80, 112), CompositeRequest())
    assert torch.equal(composite.full_blended, composite.naive)


def test_much_to_look_up_is_said_before() -> None:
    large = torch.zeros(1, 1, 1500, 2000).expand(-1, 3, -1, -1)
    small_part = torch.zeros(1, 1, 1500, 2000)
    small_part[..., :100, :100] = 1
    (said,) = patience(large, None, "auto")
    assert "3 megapixels" in said
    assert not patience(large, None, "own")
    assert not patience(large, small_part, "auto")


def test_a_picture_thinner_than_a_window_has_its_own_detail() -> None:
    model, result = model_of(trained("editing")), torch.zeros(1, 3, 11, 16)
    thin = naive()[..., :1, :60]
    wanted = [with_detail(model, thin, result, None, detail) for detail in ("image", "own")]
    assert wanted[0] is not None
    assert torch.equal(*wanted)
