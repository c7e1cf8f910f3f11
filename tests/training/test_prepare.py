"""What is said of a training before it begins."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import execution, picture

from consingan.training.prepare import prepare

TINY = {"train_stages": 2, "nfc": 4, "min_size": 16, "manual_seed": 1}


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"max_size": 57}, 1), ({"max_size": 56}, 0), ({"max_size": 32}, 0), ({}, 0)],
)
def test_a_typed_size_that_the_picture_does_not_have_is_noted(
    typed: dict[str, Any], said: int
) -> None:
    job = prepare({**TINY, **typed}, execution(), picture(40, 56))
    notes = [note for note in job.notes if "is more than the 56 px of the picture" in note]
    assert len(notes) == said
    assert job.said_of_pictures == ()  # which are warnings in Python


@pytest.mark.parametrize(("method", "trained", "said"), [("dcgan", 64, 0), ("singan", 56, 1)])
def test_of_a_picture_that_is_enlarged_it_is_not_said_that_it_is_not(
    method: str, trained: int, said: int
) -> None:
    typed = {"method": method, "max_size": 80, "manual_seed": 1}
    job = prepare(typed, execution("auto"), picture(40, 56))
    assert max(job.training.sizes[-1]) == trained
    assert len([note for note in job.notes if "which is not enlarged" in note]) == said
