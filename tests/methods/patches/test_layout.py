"""Denoisers that keep a layout."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from helpers import picture

from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.layout import Mirrored, Shifted, Side, mirror, opened
from consingan.methods.patches.method import PATCHES
from consingan.methods.patches.model import PatchDiffusion


@pytest.mark.parametrize("task", ["animation", "analogy", "harmonization", "generation"])
@pytest.mark.parametrize("setting", [{"tile": "both"}, {"symmetric": "left"}])
def test_tiles_and_mirrors_do_nothing_where_that_is_said(
    task: str, setting: dict[str, str]
) -> None:
    settings = {"input_name": "a.png", "train_mode": task, "patch": 5}
    real = picture(20, 24)
    plain, formed = (
        PatchDiffusion(PatchesConfig(**settings, **more), real, "exact")  # type: ignore[arg-type]
        for more in ({}, setting)
    )
    said = set(setting) <= {name for name, _ in PATCHES.idle(formed.config)}
    assert said == (task != "generation")
    assert said == (PATCHES.label(formed.config) == PATCHES.label(plain.config))
    same = torch.equal(plain.sample([0], (20, 24))[0], formed.sample([0], (20, 24))[0])
    assert same == said


@pytest.mark.parametrize("source", get_args(Side))
@pytest.mark.parametrize("size", [(8, 10), (9, 11)])
def test_a_mirrored_canvas_is_its_own_mirror_image(source: str, size: tuple[int, int]) -> None:
    x = torch.rand(3, *size)
    axis = 2 if source in ("left", "right") else 1
    found = mirror(x, source)  # type: ignore[arg-type]
    assert torch.equal(found, found.flip(axis))
    assert torch.equal(mirror(found, source), found)  # type: ignore[arg-type]
    half = size[axis - 1] // 2
    start = 0 if source in ("left", "top") else size[axis - 1] - half
    assert torch.equal(found.narrow(axis, start, half), x.narrow(axis, start, half))


def test_the_shifts_masks_add_up_to_one() -> None:
    x = torch.rand(3, 11, 14)
    for shifted in (
        Shifted(lambda x, a, s: x),
        Shifted(lambda x, a, s: x, shifts=3),
        Shifted(lambda x, a, s: x, vertical=False),
        Shifted(lambda x, a, s: x, horizontal=False),
    ):
        torch.testing.assert_close(shifted(x, 0.5, 0.5), x)


def test_what_is_expected_is_mirrored() -> None:
    x = torch.rand(3, 8, 8)
    assert torch.equal(Mirrored(lambda x, a, s: 2 * x, "left")(x, 0.5, 0.5), mirror(2 * x, "left"))


def test_an_endless_canvas_is_opened_where_its_lines_differ_least() -> None:
    x = torch.rand(3, 12, 15)
    x[:, 4] = x[:, 3]
    x[:, :, 9] = x[:, :, 8]
    assert torch.equal(opened(x, (True, True)), x.roll((-4, -9), (1, 2)))
    assert torch.equal(opened(x, (False, True)), x.roll(-9, 2))
    assert torch.equal(opened(x, (False, False)), x)
