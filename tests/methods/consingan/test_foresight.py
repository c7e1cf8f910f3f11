"""What a training would take at other sizes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from helpers import execution, make_job, picture

from consingan.training import plan
from consingan.training.prepare import Job, prepare

WHOLE: dict[str, Any] = {"image": picture(90, 120), "max_size": 120}
WINDOWS: dict[str, Any] = {"image": picture(400, 300), "max_size": 400, "crop": 32}


def memory_at(job: Job, longer: int) -> int:
    return int(job.training.peak_memory_at(longer, job.chosen.origin))


@pytest.mark.parametrize("settings", [WHOLE, WINDOWS])
def test_its_own_size_is_foreseen_as_it_is(settings: dict[str, Any]) -> None:
    job = make_job(**settings)
    assert memory_at(job, max(job.training.sizes[-1])) == job.training.peak_memory()


def test_a_larger_picture_is_foreseen_on_windows() -> None:
    job = make_job(**WHOLE)
    assert memory_at(job, 2000) < 40 * memory_at(job, 500)


@pytest.mark.parametrize("side", [60, 600])
@pytest.mark.parametrize("typed", [{"crop": 0}, {"batch_norm": True}])
def test_who_asked_for_the_whole_is_told_of_the_whole(typed: dict[str, Any], side: int) -> None:
    job = make_job(image=picture(side, side), max_size=side, **typed)
    assert memory_at(job, 1200) > 3 * memory_at(job, 600)


@pytest.mark.parametrize("typed", [{}, {"train_mode": "editing"}, {"train_mode": "harmonization"}])
@pytest.mark.parametrize(("here", "there"), [(120, 600), (600, 120)])
def test_another_size_is_foreseen_as_a_training_of_that_size(
    typed: dict[str, Any], here: int, there: int
) -> None:
    """With what the task recommends, and of the task's own number of stages."""
    small = {"nfc": 4, "min_size": 20, **typed}
    this, other = (
        prepare({**small, "max_size": side}, execution(), picture(600, 500))
        for side in (here, there)
    )
    assert memory_at(this, there) == other.training.peak_memory()


@pytest.mark.parametrize("settings", [WHOLE, WINDOWS])
def test_the_largest_size_named_fits_and_the_next_does_not(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    job = dataclasses.replace(make_job(**settings), input_size=(9000, 9000))
    peak = job.training.peak_memory()
    free = 3 * peak
    monkeypatch.setattr(plan, "free_memory", lambda _: free)
    (line,) = plan._largest(job, peak)
    longer = int(line.split()[-1])
    assert memory_at(job, longer) <= free < memory_at(job, longer + 1)


@pytest.mark.parametrize("unusual", [{"activation": "elu"}, {"batch_norm": True}])
def test_unusual_networks_take_more(unusual: dict[str, Any]) -> None:
    usual, other = (make_job(**WHOLE, nfc=32, **kind).training for kind in ({}, unusual))
    assert other.peak_memory() > usual.peak_memory()
