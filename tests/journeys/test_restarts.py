"""A stage that is stuck at one flat color begins anew, and nothing else does."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import StopAt, assert_same, final_state, make_job, make_trainer, new_folder, outcome
from torch import Tensor

import consingan
from consingan.errors import InterruptedRunError
from consingan.methods.consingan import saturation
from consingan.methods.consingan.method import LOSSES
from consingan.runs.folder import RunFolder
from consingan.runs.snapshots import snapshot_file
from consingan.training import loop, resume
from consingan.training.loop import ATTEMPTS, Trainer
from consingan.training.observers import ProgressBar, Saturation
from consingan.training.records import Record, StageRecord, StageRestarted, StageStarted, StepRecord
from consingan.training.session import Session
from consingan.training.snapshots import Snapshots

EVERY = 4  # iterations between looks, here
NITER = 6


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saturation, "ENOUGH", EVERY)
    monkeypatch.setattr(saturation, "STUCK", 1e-9)  # so few iterations change next to nothing
    monkeypatch.setattr(saturation, "is_saturated", lambda _: True)
    monkeypatch.setattr(loop, "WATCH_EVERY", EVERY)


def stick(watched: Trainer, stage: int = 1, attempts: int = 1, loss: float = 99.0) -> Trainer:
    """Let the reconstruction loss stand still at the first attempts at a stage."""
    make = watched.training.make_engine

    def make_engine(task: Any) -> Any:
        engine = make(task)
        step = engine.step

        def flat(draws: Any, iteration: int) -> Tensor:
            losses = step(draws, iteration)
            if watched.stage == stage and watched.attempt < attempts:
                losses[LOSSES.index("g_reconstruction")] = loss
            return losses

        engine.step = flat  # type: ignore[method-assign]
        return engine

    watched.training.make_engine = make_engine
    return watched


def restarts(records: list[Record]) -> list[StageRestarted]:
    return [record for record in records if isinstance(record, StageRestarted)]


def test_a_stuck_stage_begins_anew_with_other_draws() -> None:
    watched = stick(make_trainer(niter=NITER))
    numbers: list[int] = []
    draws = watched.training.randomness.draws

    def noted(stage: int, number: int, *rest: Any) -> Any:
        numbers.extend([number] if stage == 1 else [])
        return draws(stage, number, *rest)

    watched.training.randomness = type("Noted", (), {"draws": staticmethod(noted)})()
    plain = make_trainer().training.randomness
    for name in ("initialize", "fixed_noise"):
        setattr(watched.training.randomness, name, getattr(plain, name))
    weights, records = {}, []
    for record in watched.run():
        if isinstance(record, (StageStarted, StageRestarted)) and record.stage == 1:
            weights[watched.attempt] = {k: v.clone() for k, v in watched.training.weights().items()}
        records.append(record)
    assert restarts(records) == [StageRestarted(1, EVERY, 1)]
    assert numbers == [*range(EVERY), *range(NITER, 2 * NITER)]
    assert_same(weights[1], weights[0])
    finished = [len(r.losses) for r in records if isinstance(r, StageRecord)]
    assert finished == [NITER] * 3
    assert watched.attempt == 0
    assert (records[-1].losses[:, -1] < 99).all()  # type: ignore[union-attr]


def test_after_some_attempts_it_goes_on_as_it_is() -> None:
    records = list(stick(make_trainer(niter=NITER), attempts=99).run())
    assert restarts(records) == [StageRestarted(1, EVERY, k) for k in range(1, ATTEMPTS)]
    assert len([r for r in records if isinstance(r, StageRecord)]) == 3


@pytest.mark.parametrize("niter", [EVERY - 1, EVERY + 1])
def test_a_healthy_training_is_left_alone(niter: int) -> None:
    assert not restarts(list(make_trainer(niter=niter).run()))


@pytest.mark.parametrize(
    ("settings", "loss"),
    [({}, 1e-3), ({"niter": EVERY - 1}, 99.0), ({"alpha": 0.0}, 99.0)],
    ids=["as good as the image", "too short to tell", "no reconstruction loss"],
)
def test_standing_still_is_not_being_stuck_where(settings: dict[str, Any], loss: float) -> None:
    watched = stick(make_trainer(**{"niter": NITER, **settings}), loss=loss)
    assert not restarts(list(watched.run()))


REAL = torch.linspace(-0.9, 0.9, 22 * 26).view(1, 1, 22, 26).expand(1, 3, 22, 26)
WHITE = torch.ones(1, 3, 22, 26)


def losses(*reconstruction: float) -> Tensor:
    return torch.tensor(reconstruction)


@pytest.mark.parametrize(
    ("curve", "real", "made", "stuck"),
    [
        (losses(*[99.0] * 50), REAL, WHITE, True),
        (losses(*[1.0] * 50, *[99.0] * 50), REAL, WHITE, True),
        (losses(*range(99, 149)), REAL, WHITE, False),  # it moves
        (9.3 - 0.005 * torch.arange(50), REAL, WHITE, True),  # so slowly that it will not come back
        (losses(*[99.0] * 49), REAL, WHITE, False),  # too few to tell
        (losses(*[0.5] * 50), REAL, WHITE, False),  # better than one color
        (losses(*[99.0] * 50), REAL, 0.1 * REAL, False),  # it learns slowly
        (losses(*[1e-3] * 50), 0.999 * WHITE, WHITE, False),  # the image is one color
        (losses(*[40.0] * 50), 0.999 * WHITE, -WHITE, True),
    ],
)
def test_what_stuck_is(
    monkeypatch: pytest.MonkeyPatch, curve: Tensor, real: Tensor, made: Tensor,
    stuck: bool,
) -> None:  # fmt: skip
    monkeypatch.undo()
    assert saturation.is_stuck(curve, real, 10.0, lambda: made) is stuck


def test_snapshots_of_what_is_thrown_away_are_thrown_away(tmp_path: Path) -> None:
    keeper = Snapshots(tmp_path, torch.zeros(1, 3, 8, 8))
    (tmp_path / "snapshots").mkdir()
    for suffix in (".safetensors", ".png"):
        (tmp_path / snapshot_file(50)).with_suffix(suffix).touch()
    keeper.observe(StageRestarted(2, 100, 1), make_trainer())
    assert list((tmp_path / "snapshots").iterdir()) == []


def test_a_caller_of_the_api_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(Saturation, "observe", lambda self, record, _: told.append(type(record)))
    image = torch.linspace(-0.9, 0.9, 24 * 30).view(1, 1, 24, 30).expand(1, 3, 24, 30)
    settings = {"train_stages": 1, "niter": 1, "nfc": 2, "min_size": 16, "max_size": 24}
    consingan.train(image, device="cpu", **settings)
    assert StageRecord in told


@pytest.mark.parametrize(
    ("attempt", "stop"), [(0, EVERY - 2), (0, EVERY - 1), (1, 0), (1, EVERY - 1), (1, NITER - 1)]
)
def test_a_stop_beside_a_restart_changes_nothing(tmp_path: Path, attempt: int, stop: int) -> None:
    whole, stopped = (make_job(niter=NITER) for _ in "ab")
    trainer = stick(Trainer(whole.training))
    Session(trainer, new_folder(tmp_path / "a", whole)).run()
    folder = new_folder(tmp_path / "b", stopped)
    interrupted = stick(Trainer(stopped.training))

    class Stop(StopAt):
        def observe(self, record: Record, trainer: Trainer) -> None:
            here = isinstance(record, StepRecord) and (record.stage, record.iteration) == (1, stop)
            if here and trainer.attempt == attempt:
                self.act()

    with pytest.raises(InterruptedRunError):
        Session(interrupted, folder, [Stop(0)]).run()
    again, seconds = resume.resume(RunFolder.open(folder.path), stopped.execution)
    assert again.attempt == attempt
    Session(stick(again), folder, (), None, seconds).run()
    assert_same(final_state(again), final_state(trainer))
    assert_same(outcome(folder.path), outcome(only(tmp_path / "a")))


def only(root: Path) -> Path:
    (run,) = [manifest.parent for manifest in root.glob("*/*/manifest.json")]
    return run


def test_it_is_said_and_the_bar_ends_full() -> None:
    watched = stick(make_trainer(niter=NITER))
    watched.training.flat = lambda *_: False  # after so few iterations every stage is
    bar = ProgressBar(watched, lambda _: None)
    counted: list[float] = []
    bar.bar = type(
        "Bar", (), {"n": 0.0, "disable": False, "refresh": lambda _: None,
                    "close": lambda _: None, "set_postfix_str": lambda *_, **__: None,
                    "update": lambda self, by: setattr(self, "n", self.n + by)}
    )()  # fmt: skip

    def watch() -> None:
        for record in watched.run():
            bar.observe(record, watched)
            Saturation().observe(record, watched)
            counted.append(bar.bar.n)

    with pytest.warns(UserWarning, match=r"stage 2 ended in one flat color after 4 iter.*2 of 3"):
        watch()
    assert bar.bar.n == NITER * sum(bar.costs)
    assert min(later - earlier for earlier, later in itertools.pairwise(counted)) < 0
