"""What a training would take at other sizes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from helpers import make_job, picture

from consingan.training import plan

WHOLE: dict[str, Any] = {"image": picture(90, 120), "max_size": 120}
WINDOWS: dict[str, Any] = {"image": picture(400, 300), "max_size": 400, "crop": 32}


@pytest.mark.parametrize("settings", [WHOLE, WINDOWS])
def test_its_own_size_is_foreseen_as_it_is(settings: dict[str, Any]) -> None:
    training = make_job(**settings).training
    assert training.peak_memory_at(max(training.sizes[-1])) == training.peak_memory()


def test_a_larger_picture_is_foreseen_on_windows() -> None:
    training = make_job(**WHOLE).training
    assert training.peak_memory_at(2000) < 40 * training.peak_memory_at(500)


def test_who_asked_for_the_whole_is_told_of_the_whole() -> None:
    training = make_job(image=picture(520, 600), max_size=600, crop=0).training
    assert training.peak_memory_at(1200) > 3 * training.peak_memory_at(600)


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
    assert job.training.peak_memory_at(longer) <= free < job.training.peak_memory_at(longer + 1)
