"""The benchmark of composites: its figures, and that it goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks.compositing import (
    FIGURES,
    ExampleSet,
    averages,
    edges_kept,
    example_sets,
    figures,
    put,
    sharpness,
)
from consingan.images.resize import resize_to


def picture(seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, 40, 48, generator=rng) * 2 - 1


def blurred(image: Tensor) -> Tensor:
    return resize_to(resize_to(image, (10, 12)), (40, 48))


def example() -> ExampleSet:
    mask = torch.zeros(1, 1, 40, 48)
    mask[..., 10:30, 12:36] = 1
    return ExampleSet("editing", "a", Path("a.jpg"), picture(), picture(1), mask)


def record(name: str, detail: str = "own", value: float = 1.0) -> dict[str, Any]:
    about = {"task": "editing", "set": name, "recipe": "patches", "detail": detail}
    return {**about, **dict.fromkeys(FIGURES, value)}


def test_the_picture_itself_is_as_sharp_as_itself_and_keeps_its_edges() -> None:
    found = figures(example(), example().naive)
    assert found["of naive"] == 1
    assert found["edges"] == pytest.approx(1)


def test_a_blurred_picture_is_less_sharp() -> None:
    inside = example().mask[0, 0] > 0
    assert sharpness(blurred(picture()), inside) < 0.3 * sharpness(picture(), inside)


def test_edges_of_another_picture_are_no_edges_of_this_one() -> None:
    inside = example().mask[0, 0] > 0
    assert abs(edges_kept(picture(), picture(1), inside)) < 0.2
    assert edges_kept(0.5 * picture(), picture(), inside) == pytest.approx(1)


def test_a_later_record_takes_the_place_of_the_same_one() -> None:
    records = [record("a"), record("b")]
    put(records, record("a", value=2))
    assert [(r["set"], r["SWD"]) for r in records] == [("b", 1.0), ("a", 2)]


def test_averages_are_over_the_sets_of_a_recipe_and_detail() -> None:
    rows = averages([record("a"), record("b", value=3), record("a", "none", 5)])
    assert [(r["detail"], r["sets"], r["SWD"]) for r in rows] == [("own", 2, 2), ("none", 1, 5)]


def test_each_task_has_three_example_sets_with_a_part_that_is_changed() -> None:
    found = list(example_sets())
    assert [e.task for e in found] == ["harmonization"] * 3 + ["editing"] * 3
    assert all(0.005 < float((e.mask > 0.5).float().mean()) < 0.5 for e in found)
