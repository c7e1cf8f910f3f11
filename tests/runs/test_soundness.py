"""What a run's folder may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.runs.soundness import check_state, check_tensors, unsound_entry

PATH = Path("run/file")
MANIFEST: dict[str, Any] = {
    "format": 2,
    "status": "training",
    "finished_stages": 1,
    "stages": 3,
    "seconds_per_stage": [1.5],
    "execution": {"device": "cpu", "precision": "bf16", "engine": "auto", "threads": 2},
    "losses": ["a", "b"],
}
WRONG: list[tuple[str, Any]] = [
    ("format", True),
    ("format", 0),
    ("status", "resting"),
    ("status", []),
    ("finished_stages", -1),
    ("finished_stages", 4),
    ("finished_stages", 1.0),
    ("stages", 10**9),
    ("seconds_per_stage", [-1]),
    ("seconds_per_stage", ["1"]),
    ("seconds_per_stage", {}),
    ("execution", {"threads": 10**6}),
    ("execution", {"threads": True}),
    ("execution", {"device": 3}),
    ("execution", []),
    ("losses", ["a", 1]),
    ("losses", "ab"),
]


def test_a_sound_manifest_has_nothing_to_name() -> None:
    assert unsound_entry(MANIFEST) == ""


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_the_entry_that_cannot_be_is_named(name: str, value: Any) -> None:
    assert unsound_entry({**MANIFEST, name: value}) == name


@pytest.mark.parametrize("name", ["format", "status", "finished_stages", "seconds_per_stage"])
def test_an_entry_that_is_missing_is_named(name: str) -> None:
    assert unsound_entry({k: v for k, v in MANIFEST.items() if k != name}) == name


PICTURES = {
    "whole numbers": torch.zeros(1, 3, 4, 5, dtype=torch.int64),
    "short": torch.zeros(1, 3, 4, 5, dtype=torch.bfloat16),
    "three axes": torch.zeros(3, 4, 5),
    "two pictures": torch.zeros(2, 3, 4, 5),
    "2000 channels": torch.zeros(1, 2000, 4, 5),
    "empty": torch.zeros(1, 3, 0, 5),
    "nan": torch.full((1, 3, 4, 5), torch.nan),
    "infinite": torch.full((1, 3, 4, 5), -torch.inf),
    "large": torch.full((1, 3, 4, 5), 2.0),
}


@pytest.mark.parametrize("name", ["real.0", "real.12", "naive", "source"])
@pytest.mark.parametrize("tensor", PICTURES.values(), ids=PICTURES)
def test_a_picture_must_be_one(name: str, tensor: Tensor) -> None:
    with pytest.raises(UserError, match=rf"file is damaged \(its {name} "):
        check_tensors(PATH, {"other": tensor, name: tensor})


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pictures_and_other_tensors_pass(dtype: torch.dtype) -> None:
    check_tensors(PATH, {"real.0": torch.ones(1, 3, 4, 5, dtype=dtype), "x": torch.zeros(0)})


def state(**changes: Tensor) -> dict[str, Tensor]:
    return {
        "position": torch.tensor([1, 4]),
        "seconds": torch.tensor(2.5, dtype=torch.float64),
        "attempt": torch.tensor(0),
        "curves": torch.zeros(4, 2),
        **changes,
    }


STATES: dict[str, dict[str, Tensor]] = {
    "no weight": {"generator.x": torch.tensor([torch.nan])},
    "stage": {"position": torch.tensor([3, 4])},
    "before": {"position": torch.tensor([-1, 4])},
    "iteration": {"position": torch.tensor([1, 2**60])},
    "fractions": {"position": torch.tensor([1.0, 4.0])},
    "three": {"position": torch.tensor([1, 4, 1])},
    "time": {"seconds": torch.tensor(-1.0)},
    "times": {"seconds": torch.zeros(2)},
    "attempts": {"attempt": torch.tensor(9)},
    "half": {"attempt": torch.tensor(0.5)},
    "curves": {"curves": torch.zeros(3, 2)},
    "losses": {"curves": torch.zeros(4, 5)},
}


def test_a_sound_state_passes() -> None:
    check_state(PATH, state(), stages=3, losses=2, attempts=3)


@pytest.mark.parametrize("changes", STATES.values(), ids=STATES)
def test_a_state_that_no_training_left_is_refused(changes: dict[str, Tensor]) -> None:
    with pytest.raises(UserError, match="is damaged"):
        check_state(PATH, state(**changes), stages=3, losses=2, attempts=3)
