"""Masks that are found by comparing a picture with the training image."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from small_models import model as untrained
from torch import Tensor

from consingan.images.io import unit, write_image
from consingan.images.layers import Own
from consingan.images.resize import resize, resize_to, training_scale
from consingan.outputs.composed import Composite
from consingan.outputs.composite import compose
from consingan.outputs.own_mask import AUTO, choose_mask, given_mask, training_image
from consingan.outputs.requests import CompositeRequest
from consingan.report.region import judge_region
from consingan.settings.reading import AS_IT_IS

SIZE = (308, 480)  # whose height is 41.07 px where the width is 64
STRIPES = torch.arange(308).div(14).sin().mul(0.8)[None, None, :, None].expand(1, 3, *SIZE)


def real_of(image: Tensor) -> Tensor:
    return resize(image, training_scale(SIZE, 64)).clamp(-1, 1)


def found(naive: Tensor, real: Tensor) -> Tensor:
    model = SimpleNamespace(real=real, sizes=[real.shape[-2:]])
    mask = choose_mask("", Own(naive), model, CompositeRequest(mask=AUTO))
    assert mask is not None
    given = given_mask(AUTO, naive, model)  # as a program asks for it
    assert torch.equal(given.values, mask.values)
    return mask.values


def test_the_training_image_itself_differs_nowhere_whatever_its_height_is_rounded_to() -> None:
    assert real_of(STRIPES).shape[-2:] == (42, 64)
    assert not found(STRIPES, real_of(STRIPES)).any()


def test_what_differs_lies_at_its_own_place_to_the_last_row() -> None:
    naive = STRIPES.clone()
    naive[..., -60:-15, 100:200] = torch.tensor([1.0, -1.0, -1.0])[:, None, None]  # rows 248 to 292
    rows = (found(naive, real_of(STRIPES)) > 0.5).any(3).nonzero()[:, 2]
    assert abs(int(rows[0]) - 248) <= 4
    assert abs(int(rows[-1]) - 292) <= 4


def test_the_training_image_is_all_the_training_image() -> None:
    real = real_of(STRIPES)
    small = resize_to(STRIPES, (42, 64)).clamp(-1, 1)
    region = judge_region(unit(real), Composite(STRIPES, small, None, small, small))
    assert region is not None
    assert region.kept == 1
    assert region.distance < 1e-4


def test_a_file_that_holds_another_picture_by_now_is_not_the_training_image(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    write_image(path, STRIPES)
    config = SimpleNamespace(input_name=str(path), reading=AS_IT_IS, max_size=64)
    model = SimpleNamespace(real=real_of(STRIPES), config=config)
    assert training_image(model).shape[-2:] == SIZE
    write_image(path, -STRIPES)
    assert torch.equal(training_image(model), model.real)


def test_a_thin_mask_of_a_large_picture_changes_the_result_at_the_training_size() -> None:
    naive, mask = torch.zeros(1, 3, 600, 200), torch.zeros(1, 1, 600, 200)
    mask[..., 300:302, 20:180] = 1
    made = compose(untrained(train_mode="harmonization"), naive, mask)
    changed = [(x != 0).float().mean() for x in (made.blended, made.full_blended)]
    assert float(changed[0]) == pytest.approx(float(changed[1]), rel=0.35)
    assert float((made.blended - made.result).abs()[..., 45, 5:30].max()) < 0.05
