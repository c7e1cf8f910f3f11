"""A training run from start to end: drives the loop, keeps the folder, tells the observers."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Protocol

from consingan.errors import DivergedError, InterruptedRunError, UserError
from consingan.runs.folder import RunFolder
from consingan.training.loop import Trainer
from consingan.training.records import Record, StageRecord, StageStarted, StepRecord

SAVE_SHARE = 0.01  # of the time that automatic saving may take
FIRST_SAVE = 20  # iterations; sooner is never worth it


class Observer(Protocol):
    """Somebody who looks at a training: progress bar, curves, pictures."""

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Take note of a record; `trainer` is in the state right after it."""
        ...


def _terminals() -> list[int]:
    """Descriptors of output and errors, as far as they lead to a terminal."""
    return [output for output in (1, 2) if os.isatty(output)]


@dataclass
class StopSignal:
    """Ctrl+C, SIGTERM and a closed terminal as a wish that is granted between two iterations.

    A second Ctrl+C stops at once; the state saved last is then what remains. On Windows Ctrl+Break
    is Ctrl+C, which no other process can send there.
    """

    number: int = 0
    terminals: list[int] = field(default_factory=_terminals)

    @contextlib.contextmanager
    def listening(self) -> Iterator[StopSignal]:
        """Take the signals over for a while (in the main thread, elsewhere nothing happens)."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        numbers = [signal.SIGINT, signal.SIGTERM]
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            numbers.append(signal.SIGHUP)  # else it was begun to outlive its terminal
        if (broken := getattr(signal, "SIGBREAK", None)) is not None:
            numbers.append(broken)
        before = {number: signal.signal(number, self._note) for number in numbers}
        try:
            yield self
        finally:
            for number, handler in before.items():  # None: one that Python cannot put back
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if number == getattr(signal, "SIGHUP", None):
            _silence(self.terminals)
        elif self.number:
            raise KeyboardInterrupt
        as_ctrl_c = number == getattr(signal, "SIGBREAK", None)
        self.number = self.number or (signal.SIGINT if as_ctrl_c else number)


def _silence(outputs: list[int]) -> None:
    """Let what is still printed go nowhere: a terminal that is gone would fail the training."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in outputs:
        os.dup2(nowhere, output)
    os.close(nowhere)


@dataclass
class SaveClock:
    """Decides when to save: every `every` iterations, or so that saving takes 1 % of the time."""

    every: int | None = None
    cost: float = 0.0
    saved_at: float = field(default_factory=time.perf_counter)

    def due(self, iteration: int) -> bool:
        """Whether to save after `iteration` (counted from 1) of a stage."""
        if self.every is not None:
            return iteration % self.every == 0
        if iteration < FIRST_SAVE:
            return False
        return time.perf_counter() - self.saved_at >= self.cost / SAVE_SHARE

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Time a save."""
        start = time.perf_counter()
        yield
        self.saved_at = time.perf_counter()
        self.cost = self.saved_at - start


@dataclass
class Session:
    """Runs a trainer to its end and keeps its folder.

    Attributes:
        trainer: set up, perhaps resumed.
        folder: where everything goes; None keeps nothing.
        observers: told of every record.
        save_every: iterations between saves in mid-stage; None saves as often as costs 1 % of
            the time.
        seconds: time already spent in the present stage (of a resumed run).
    """

    trainer: Trainer
    folder: RunFolder | None
    observers: Sequence[Observer] = ()
    save_every: int | None = None
    seconds: float = 0.0

    def run(self) -> None:
        """Train to the end, with the folder locked.

        Raises:
            UserError: another process is training in the folder.
            InterruptedRunError: a signal came; the state is saved.
            DivergedError: a loss, weight or moment is not finite; the last good state is kept.
        """
        lock = self.folder.locked() if self.folder else contextlib.nullcontext()
        with lock, StopSignal().listening() as stop:
            try:
                self._loop(SaveClock(self.save_every), stop)
            except BaseException as error:
                self._note_failure(error)
                raise
            if self.folder:  # a signal by now is too late
                self.folder.finish()

    def _loop(self, clock: SaveClock, stop: StopSignal) -> None:
        begun = time.perf_counter() - self.seconds
        for record in self.trainer.run():
            self.seconds = time.perf_counter() - begun
            if isinstance(record, StageStarted) and self.folder:
                anchor = self.trainer.training.anchor(record.stage)
                self.folder.save_anchor(record.stage, anchor)
            elif isinstance(record, StageRecord) and self.folder:
                self.folder.save_progress(self.trainer.state(), self.seconds)
                self.folder.save_stage(record.stage, self.trainer.training, record.losses)
            for observer in self.observers:
                observer.observe(record, self.trainer)
            # After the observers: what they did not see must be done again by a resumed run.
            stopping = bool(stop.number)
            if isinstance(record, StepRecord):
                self._after_step(record, clock, stopping)
            elif isinstance(record, StageRecord):
                if self.folder:
                    self.folder.count_stage(record.stage, self.seconds)
                begun = time.perf_counter()
            if stopping and not self._complete(record):
                raise InterruptedRunError(stop.number)

    def _complete(self, record: Record) -> bool:
        """Whether nothing is left to do after `record`."""
        return isinstance(record, StageRecord) and record.stage + 1 == self.trainer.stages

    def _after_step(self, record: StepRecord, clock: SaveClock, stopping: bool) -> None:
        if self.folder and (stopping or clock.due(record.iteration + 1)):
            self.trainer.check_finite()
            with clock.timed():
                self.folder.save_progress(self.trainer.state(), self.seconds)

    def _note_failure(self, error: BaseException) -> None:
        if self.folder is None:
            return
        stopped = isinstance(error, (InterruptedRunError, KeyboardInterrupt))
        status = "interrupted" if stopped else "failed"
        if isinstance(error, DivergedError):
            status = "diverged"
        # A full disk, or a folder that is gone, must not hide the first error.
        with contextlib.suppress(OSError, UserError):
            self.folder.note(status=status)
