from __future__ import annotations

import math
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import (
    ENGINES,
    Curves,
    FailAt,
    StopAt,
    all_finite,
    assert_same,
    final_state,
    litter,
    make_job,
    make_trainer,
    new_folder,
    outcome,
    resume_to_end,
    train_folder,
)
from safetensors.torch import load_file

from consingan.errors import DivergedError, InterruptedRunError
from consingan.runs.folder import RunFolder
from consingan.training.loop import Trainer
from consingan.training.records import Record, StageRecord, StepRecord
from consingan.training.session import FIRST_SAVE, SAVE_SHARE, SaveClock, Session, StopSignal


def test_save_clock_by_number() -> None:
    clock = SaveClock(every=3)
    assert [n for n in range(1, 11) if clock.due(n)] == [3, 6, 9]


def test_save_clock_by_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("consingan.training.session.time.perf_counter", lambda: now[0])
    clock = SaveClock(saved_at=now[0])
    assert not clock.due(FIRST_SAVE - 1)
    assert clock.due(FIRST_SAVE)
    with clock.timed():
        now[0] += 0.5  # a save takes half a second
    pause = 0.5 / SAVE_SHARE
    now[0] += 0.99 * pause
    assert not clock.due(1000)
    now[0] += 0.02 * pause
    assert clock.due(1000)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_signal_is_a_wish_and_the_second_an_order(number: int) -> None:
    before = signal.getsignal(number)
    with StopSignal().listening() as stop:
        signal.raise_signal(number)
        assert stop.number == number
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_handler_that_python_cannot_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that embeds Python may have one; `signal.signal` gives None for it."""
    set_handler, seen = signal.signal, []

    def foreign(number: int, handler: Any) -> Any:
        seen.append(handler)
        return None if len(seen) == 1 else set_handler(number, handler)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(signal, "signal", foreign)
    try:
        with StopSignal().listening():
            pass
        assert signal.SIG_DFL in seen
    finally:
        set_handler(signal.SIGINT, before)


def test_training_works_outside_the_main_thread(tmp_path: Path) -> None:
    job = make_job()
    folder = new_folder(tmp_path, job)
    thread = threading.Thread(target=Session(Trainer(job.training), folder).run)
    thread.start()
    thread.join()
    assert folder.manifest["status"] == "finished"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_record_saves_that_very_state(tmp_path: Path, number: int) -> None:
    """Whenever the signal comes, nothing that was computed before it is lost."""
    for at in range(9):
        job = make_job(train_stages=2)
        folder = new_folder(tmp_path, job)
        with pytest.raises(InterruptedRunError) as caught:
            Session(Trainer(job.training), folder, [StopAt(at, number)]).run()
        assert caught.value.number == number
        assert folder.manifest["status"] == "interrupted"
        stage, done = divmod(at, 5)
        position = [stage, min(done, 3)]
        if done in (0, 4):  # set up, or finished
            assert folder.finished_stages == stage + (done == 4)
        else:
            assert load_file(folder.path / "resume.safetensors")["position"].tolist() == position
        assert not litter(tmp_path)


def test_a_signal_in_the_very_end_does_not_spoil_it(tmp_path: Path) -> None:
    job = make_job(train_stages=2)
    folder = new_folder(tmp_path, job)
    Session(Trainer(job.training), folder, [StopAt(9)]).run()
    assert folder.manifest["status"] == "finished"


def test_a_finished_run_holds_what_it_should(finished_run: Path) -> None:
    manifest = RunFolder.open(finished_run).manifest
    assert manifest["status"] == "finished"
    assert manifest["finished_stages"] == manifest["stages"] == 3
    assert manifest["seed"] == 7
    assert len(manifest["seconds_per_stage"]) == 3
    assert all(seconds > 0 for seconds in manifest["seconds_per_stage"])
    assert {"consingan", "python", "torch"} <= manifest["versions"].keys()
    assert manifest["command"]
    names = {str(p.relative_to(finished_run)) for p in finished_run.rglob("*") if p.is_file()}
    stages = {f"{k}/{n}" for k in range(3) for n in _STAGE_FILES}
    assert names == {"manifest.json", "config.json", "pyramid.safetensors"} | stages


_STAGE_FILES = ("anchor.safetensors", "weights.safetensors", "losses.csv")


def test_observers_see_every_iteration_again_that_was_not_saved_after_them(tmp_path: Path) -> None:
    """An observer that was cut off (a snapshot half written) is asked again after a resume."""
    seen: list[tuple[str, int, int]] = []

    class Watch:
        def observe(self, record: Record, trainer: Trainer) -> None:
            seen.append((type(record).__name__, record.stage, getattr(record, "iteration", -1)))

    for at in (1, 3, 4, 6, 9):
        seen.clear()
        job = make_job(train_stages=2)
        folder = new_folder(tmp_path, job)
        with pytest.raises(RuntimeError, match="a crash"):
            Session(Trainer(job.training), folder, [FailAt(at), Watch()], save_every=1).run()
        resume_to_end(folder.path, observers=[Watch()])
        expected = {("StepRecord", k, i) for k in range(2) for i in range(3)}
        expected |= {("StageRecord", k, -1) for k in range(2)}
        assert expected <= set(seen), at


class PoisonWeight:
    """Observer that spoils a weight after one iteration."""

    def __init__(self, stage: int, iteration: int, network: str) -> None:
        self.place, self.network = (stage, iteration), network

    def observe(self, record: Record, trainer: Trainer) -> None:
        if isinstance(record, StepRecord) and (record.stage, record.iteration) == self.place:
            training: Any = trainer.training
            networks = {"generator": training.model.generator, "critic": training.discriminator}
            with torch.no_grad():
                networks[self.network].tail.weight.fill_(math.nan)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What each engine ends with that nothing disturbs."""
    root = tmp_path_factory.mktemp("whole")
    return {name: outcome(train_folder(root, name, train_stages=2).path) for name in ENGINES}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("network", ["generator", "critic"])
@pytest.mark.parametrize("iteration", [0, 1, 2])
def test_the_last_good_state_is_kept(
    tmp_path: Path, outcomes: dict[str, Any], engine: str, network: str, iteration: int
) -> None:
    job = make_job(engine, train_stages=2)
    folder = new_folder(tmp_path, job)
    poison = PoisonWeight(1, iteration, network)
    with pytest.raises(DivergedError) as caught:
        Session(Trainer(job.training), folder, [poison], save_every=1).run()
    assert caught.value.stage == 1
    assert folder.manifest["status"] == "diverged"
    assert all_finite(folder.path)
    resume_to_end(folder.path, engine)
    assert_same(outcome(folder.path), outcomes[engine])


class PoisonMoment(PoisonWeight):
    """Observer that spoils a moment: the weights stay finite until the next step."""

    def observe(self, record: Record, trainer: Trainer) -> None:
        if isinstance(record, StepRecord) and (record.stage, record.iteration) == self.place:
            assert trainer.training.engine is not None
            engine = trainer.training.engine
            optimizer = engine.optimizer_g if self.network == "generator" else engine.optimizer_d
            list(optimizer.state.values())[-1]["exp_avg_sq"].fill_(math.inf)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("network", ["generator", "discriminator"])
@pytest.mark.parametrize("save_every", [1, None])
def test_a_state_with_a_moment_that_is_not_finite_is_not_kept(
    tmp_path: Path, engine: str, network: str, save_every: int | None
) -> None:
    """It is found when the state is to be saved, at the latest at the end of the stage."""
    job = make_job(engine, train_stages=2)
    folder = new_folder(tmp_path, job)
    poison = PoisonMoment(1, 1, network)
    with pytest.raises(DivergedError, match=f"a moment of the {network}'s Adam is not finite"):
        Session(Trainer(job.training), folder, [poison], save_every=save_every).run()
    assert folder.manifest["status"] == "diverged"
    assert folder.finished_stages == 1
    assert all_finite(folder.path)


def test_without_a_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Session(make_trainer(), None).run()
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_watching_does_not_change_the_training(tmp_path: Path) -> None:
    from consingan.training.observers import Pictures, ProgressBar, TensorBoard

    job = make_job()
    plain, watched = make_trainer(), Trainer(job.training)
    Session(plain, None).run()
    folder = new_folder(tmp_path, job)
    pictures = Pictures(folder.path)
    board = TensorBoard(folder.path, pictures)
    said: list[str] = []
    observers: list[Any] = [ProgressBar(watched, said.append), pictures, board]
    Session(watched, folder, observers, save_every=1).run()
    board.close()
    assert_same(final_state(watched), final_state(plain))
    assert len(said) == 3
    made = {p.name for p in folder.path.iterdir()}
    assert {"reconstruction.png", "losses.png", "tensorboard"} <= made
    assert not litter(folder.path)


def test_exact_curves_reach_the_observers(tmp_path: Path) -> None:
    job, curves = make_job(), Curves()
    folder = new_folder(tmp_path, job)
    Session(Trainer(job.training), folder, [curves]).run()
    for stage in range(3):
        rows = (folder.path / str(stage) / "losses.csv").read_text().splitlines()[1:]
        values = torch.tensor([[float(x) for x in row.split(",")] for row in rows])
        torch.testing.assert_close(
            values, curves.of_stage[f"curves.{stage}"], rtol=1e-5, atol=1e-30
        )


def test_a_stage_counts_only_when_everything_of_it_is_there(tmp_path: Path) -> None:
    class Look:
        def observe(self, record: Record, trainer: Trainer) -> None:
            if isinstance(record, StageRecord):
                assert folder.finished_stages == record.stage
                assert (folder.path / str(record.stage) / "weights.safetensors").is_file()

    job = make_job()
    folder = new_folder(tmp_path, job)
    Session(Trainer(job.training), folder, [Look()]).run()
    assert folder.finished_stages == 3


def test_a_run_that_is_killed_while_it_is_being_finished_keeps_no_state_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(folder: RunFolder, **changes: Any) -> None:
        note(folder, **changes)
        if "status" in changes:
            raise Killed

    job, note = make_job(), RunFolder.note
    folder = new_folder(tmp_path, job)
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "note", killed)
        with pytest.raises(Killed):
            Session(Trainer(job.training), folder).run()
    assert folder.manifest["status"] == "finished"
    assert not (folder.path / "resume.safetensors").exists()


def test_a_run_that_was_killed_before_it_was_noted_as_finished_is_finished_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    folder = new_folder(tmp_path, job)
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "finish", lambda _: None)
        Session(Trainer(job.training), folder).run()
    (folder.path / "resume.safetensors").unlink()
    before = folder.tensors()
    resume_to_end(folder.path)
    assert folder.manifest["status"] == "finished"
    assert all(torch.equal(value, before[name]) for name, value in folder.tensors().items())


def test_a_signal_in_the_last_moment_lets_the_run_be_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, finish = make_job(), RunFolder.finish

    def disturbed(folder: RunFolder) -> None:
        signal.raise_signal(signal.SIGINT)
        finish(folder)

    monkeypatch.setattr(RunFolder, "finish", disturbed)
    folder = new_folder(tmp_path, job)
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    try:
        Session(Trainer(job.training), folder).run()
    finally:
        signal.signal(signal.SIGINT, usual)
    assert folder.manifest["status"] == "finished"
    assert not (folder.path / "resume.safetensors").exists()
