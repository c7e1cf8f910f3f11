"""The dry run's measured estimate."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import execution, fine_tuning_job, make_job, save_picture

from consingan.errors import UserError
from consingan.methods.consingan import planning, training
from consingan.methods.consingan.engines import choose_engine
from consingan.methods.registry import METHODS
from consingan.training import outlook, plan
from consingan.training.prepare import Job, prepare


class Clock:
    """Time passes in the engine alone: 10 s an iteration, 7 s more for each penalty."""

    def __init__(self) -> None:
        self.now = 0.0
        self.iterations: list[int] = []

    def choose(self, *args: Any) -> Any:
        factory = choose_engine(*args)

        def make(task: Any) -> Any:
            engine = factory(task)

            def step(_: Any, iteration: int) -> None:
                self.iterations.append(iteration)
                weights = task.recipe.penalty_weights(iteration)
                self.now += 10 + 7 * sum(weight > 0 for weight in weights)

            engine.step = step
            return engine

        return make


@pytest.mark.parametrize("name", METHODS)
def test_a_precision_is_named_where_networks_compute_in_one(name: str) -> None:
    line = plan.execution_line(execution(), METHODS[name])
    assert ("precision float32" in line) == (name != "patches")


@pytest.mark.parametrize(
    ("steps", "every", "turn", "penalties"),
    [(3, 1, 1, 3), (1, 2, 2, 0.5), (3, 2, 2, 1.5), (2, 6, 3, 1 / 3), (1, 100, 12, 0)],
)
def test_an_iteration_is_timed_in_whole_turns_of_a_lazy_penalty(
    monkeypatch: pytest.MonkeyPatch, steps: int, every: int, turn: int, penalties: float
) -> None:
    clock = Clock()
    monkeypatch.setattr(training, "choose_engine", clock.choose)
    monkeypatch.setattr(plan.time, "perf_counter", lambda: clock.now)
    job = make_job(d_steps=steps, penalty_every=every)
    assert plan.time_iteration(job, 1) == pytest.approx(10 + 7 * penalties)
    assert len(clock.iterations) % turn == 0
    assert turn + 3 <= len(clock.iterations) < 2 * turn + 4


def test_a_cut_stage_is_timed_with_its_own_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(training, "choose_engine", clock.choose)
    monkeypatch.setattr(plan.time, "perf_counter", lambda: clock.now)
    job = make_job(niter=50, fine_niter=4, fine_d_steps=1)  # 3 stages
    assert [plan.time_iteration(job, stage) for stage in (0, 1, 2)] == [31, 17, 17]


@pytest.mark.parametrize(("mode", "named"), [("generation", True), ("animation", False)])
def test_of_a_preset_only_what_counts_is_named(mode: str, named: bool) -> None:
    image = torch.zeros(1, 3, 90, 120)  # with stages that are finer than a layout
    job = make_job(image=image, preset="fast", train_mode=mode, max_size=120)
    (line,) = (line for line in plan.settings_by_origin(job) if line.startswith("preset fast:"))
    assert ("finish" in line) == ("layout" in line) == named
    assert ("fine_niter" in line) != named


def test_of_a_run_that_is_fine_tuned_what_is_as_usual_is_not_named(
    tmp_path: Path, harmonization_run: Path
) -> None:
    job = fine_tuning_job(harmonization_run, save_picture(tmp_path / "naive.png", seed=4))
    (line,) = (line for line in plan.settings_by_origin(job) if line.startswith("from the run:"))
    assert f"train_stages {job.training.config.train_stages}" in line
    assert not any(f"{name} " in line for name in ("crop", "mask", "tile", "gamma", "Gsteps"))


@pytest.mark.parametrize("max_size", [20, 250])
def test_the_largest_size_that_fits_is_the_images_own_at_most(
    monkeypatch: pytest.MonkeyPatch, max_size: int
) -> None:
    monkeypatch.setattr(plan, "free_memory", lambda _: 2**34)
    job = make_job(image=torch.zeros(1, 3, 30, 44), max_size=max_size)
    (line,) = (line for line in plan.estimate(job) if "largest size" in line)
    assert line.endswith("that are free: --max_size 44, the image's own")


def test_a_fine_tuning_which_keeps_the_runs_size_names_no_other(
    tmp_path: Path, harmonization_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "free_memory", lambda _: 2**34)
    job = fine_tuning_job(harmonization_run, save_picture(tmp_path / "naive.png", seed=4))
    assert not any("--max_size" in line for line in plan.estimate(job))
    (line,) = plan.memory_advice(job, 2**35)
    assert line.endswith("or a run that was trained with a smaller --max_size.")


@pytest.fixture
def too_large(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ten MiB are free; stages that are tried out all the same."""
    tried: list[int] = []
    monkeypatch.setattr(plan, "free_memory", lambda _: 10 * 2**20)
    monkeypatch.setattr(planning, "rehearse", lambda _, stage: tried.append(stage))
    return tried


def test_what_does_not_fit_into_memory_is_not_tried_out(too_large: list[int]) -> None:
    job = make_job()
    lines = list(plan.estimate(job))
    assert "time: not timed, for it does not fit into memory" in lines
    assert not any(line.startswith("stage ") for line in lines)
    assert outlook.seconds_of(job) is None
    assert list(outlook.outlook(job, {})) == []
    assert too_large == []


@pytest.mark.parametrize(
    ("settings", "longest", "said"),
    [
        ({}, 0, "close other programs, or take a larger machine."),
        ({"min_size": 16}, 20, "close other programs, or take a larger machine."),
        ({"min_size": 16}, 23, "use --max_size 23."),  # 16.1 px high
    ],
)
def test_no_size_is_advised_that_the_settings_do_not_allow(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], longest: int, said: str
) -> None:
    monkeypatch.setattr(plan, "free_memory", lambda _: 10 * 2**20)
    monkeypatch.setattr(plan, "_longest", lambda *_: longest)
    job = make_job("plain", torch.zeros(1, 3, 28, 40), max_size=40, **settings)
    with pytest.raises(UserError, match="MiB that are free; ") as refused:
        plan.refuse_too_large(job)
    assert str(refused.value).endswith(said)


@pytest.mark.parametrize(("free", "said"), [(2**23, "close other"), (2**27, " --max_size ")])
def test_a_size_that_the_tasks_own_min_size_is_lowered_for_is_advised(
    monkeypatch: pytest.MonkeyPatch, free: int, said: str
) -> None:
    typed = {"train_mode": "harmonization", "manual_seed": 1}
    wide = torch.zeros(1, 3, 140, 250)
    job = prepare(typed, execution(), wide)
    assert job.chosen.config.min_size == 120
    monkeypatch.setattr(plan, "free_memory", lambda _: free)
    peak = job.training.peak_memory() or 0
    (line,) = plan.memory_advice(job, peak)
    assert said in line
    if found := re.search(r"--max_size (\d+)", line):
        smaller = prepare({**typed, "max_size": int(found[1])}, execution(), wide)
        assert smaller.chosen.config.min_size < 120
        assert 0 < (smaller.training.peak_memory() or 0) <= free


def test_the_longest_side_is_found_where_a_smaller_one_takes_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = make_job("plain", torch.zeros(1, 3, 280, 400), max_size=40)
    needed = {**{n: n for n in range(1, 30)}, **{n: n - 15 for n in range(30, 10**5)}}
    monkeypatch.setattr(job.training, "peak_memory_at", lambda n, _: needed[n])
    for free, longest in ((27, 42), (10, 10), (14, 14), (18, 33), (0, 0), (10**5, 400)):
        assert plan._longest(job, free, 100) == longest


@pytest.mark.parametrize(("free", "side"), [(150, 128), (150, 200), (60, 128)])
def test_the_size_that_is_advised_fits_as_a_picture_of_that_size(
    monkeypatch: pytest.MonkeyPatch, free: int, side: int
) -> None:
    """Up to 128x128 px go in one batch, which takes more; a picture so small is not enlarged."""

    def job_of(max_size: int) -> Job:
        typed = {"manual_seed": 1, "max_size": max_size}
        return prepare(typed, execution(), torch.zeros(1, 3, side, side))

    monkeypatch.setattr(plan, "free_memory", lambda _: free * 2**20)
    with pytest.raises(UserError, match="The largest step takes about") as refused:
        plan.refuse_too_large(job_of(128))
    found = re.search(r"use --max_size (\d+)\.", str(refused.value))
    assert found is not None
    assert plan.fits(job_of(int(found[1])))
    assert (int(found[1]) > 128) == (side == 200)


def test_another_gpu_that_has_the_memory_is_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    free = {"cuda:0": 50, "cuda:1": 50, "cuda:2": 70}
    monkeypatch.setattr(plan, "_longest", lambda *_: 0)
    monkeypatch.setattr(plan, "free_memory", lambda device: free[str(device)])
    monkeypatch.setattr(plan, "working_gpus", lambda: list(free))
    job = make_job()
    job = replace(job, execution=replace(job.execution, device=torch.device("cuda", 0)))
    monkeypatch.setattr(job.training, "peak_memory", lambda checkpointing=None: 40)
    (line,) = plan.memory_advice(job, 60)
    assert line.endswith("; use --device cuda:2 or --checkpointing (about 0 MiB).")
    (line,) = plan.memory_advice(job, 80)
    assert line.endswith("; use --checkpointing (about 0 MiB).")


def test_saving_memory_is_advised_alone_where_no_size_is_small_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan, "_longest", lambda *_: 0)
    job = make_job()
    monkeypatch.setattr(plan, "free_memory", lambda _: 50)
    monkeypatch.setattr(job.training, "peak_memory", lambda checkpointing=None: 40)
    (line,) = plan.memory_advice(job, 60)
    assert line.endswith("; use --checkpointing (about 0 MiB).")
