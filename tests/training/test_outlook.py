from __future__ import annotations

import pytest
from helpers import make_job

from consingan.training import outlook


@pytest.fixture
def paces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stages that are timed; each iteration takes a second for each unit of its cost / 1000."""
    timed: list[int] = []

    def seconds(job, stage):
        timed.append(stage)
        return job.training.cost(stage) / 1000

    monkeypatch.setattr(outlook, "_seconds", seconds)
    return timed


def test_of_a_short_training_nothing_is_said_and_little_is_timed(paces: list[int]) -> None:
    assert list(outlook.outlook(make_job(niter=1, train_stages=2), {})) == []
    assert paces == [0]


def test_a_long_one_is_told_with_what_takes_less(paces: list[int]) -> None:
    typed = {"niter": 2000, "input_name": "skimage:coffee", "max_size": 40, "train_stages": 4,
             "nfc": 4}  # fmt: skip
    job = make_job(**typed)
    (line,) = outlook.outlook(job, typed)
    assert paces == [0, 3]
    assert line.startswith("time: about ")
    assert "; --preset fast about" in line
    assert "; --preset draft about" in line
    assert line.endswith("Ctrl+C stops it, --resume goes on.")


def test_the_costliest_stage_is_timed_where_finer_ones_are_only_begun(paces: list[int]) -> None:
    typed = {"niter": 4000, "input_name": "skimage:coffee", "max_size": 60, "train_stages": 4,
             "nfc": 4, "min_size": 16, "finish": 0.5, "layout": 20}  # fmt: skip
    job = make_job(**typed)
    assert len(list(outlook.outlook(job, typed))) == 1
    assert paces[-1] < 3


def test_the_job_is_left_as_it_is_and_really_timed() -> None:
    job = make_job()
    before = {name: t.clone() for name, t in job.training.weights().items()}
    assert outlook._seconds(job, 1) > 0
    assert all((t == before[name]).all() for name, t in job.training.weights().items())
    assert job.training.stage == 0
