"""One training of a study from start to end, as every worker does it: train, judge, note down."""

from __future__ import annotations

import contextlib
import os
import platform
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consingan.api.advice import advice
from consingan.batch import ledger
from consingan.batch.done import is_longer
from consingan.batch.ledger import Ended, Ledger
from consingan.batch.named import files_of
from consingan.batch.orders import Order, asked_of, is_of_training, picture_facts
from consingan.errors import DivergedError, UserError
from consingan.machine.files import make_folder
from consingan.machine.locking import alone_in
from consingan.settings.reading import AUTO, BY_FLAG, Reading

if TYPE_CHECKING:
    from consingan.api.train import Run, Watch
    from consingan.machine.execution import Execution
    from consingan.runs.load import LoadedRun
    from consingan.training.loop import Trainer
    from consingan.training.prepare import Job
    from consingan.training.records import Record
    from consingan.training.session import Observer

NOTE_EVERY = 1.0  # seconds between two notes of where a training is
GRACE = 20.0  # seconds that a worker whose parent died has for saving

Changed = Callable[[Path], None]


def perform(
    order: Order,
    study: Path,
    changed: Changed = lambda _: None,
    picture: Path | None = None,
    observers: Sequence[Observer] = (),
) -> Ended:
    """Do what is left of an order; its ledger says how far it is, and what became of it.

    Args:
        order: what is asked for.
        study: the study's folder.
        changed: called with the order's folder when something in it may be new.
        picture: where the training image lies here, if not where the order says.
        observers: who else watches the training.
    """
    try:
        folder = make_folder(study / order.name)
        with alone_in(folder, "training", GRACE):
            return _noted(order, Ledger(folder, changed), picture, observers)
    except (UserError, OSError) as error:  # that of one order: the others can be worked on
        return Ended(order.name, ledger.FAILED, _words(order, error))


def _noted(
    order: Order, book: Ledger, picture: Path | None, observers: Sequence[Observer]
) -> Ended:
    """The same with its ledger, in which it is noted down."""
    began = time.perf_counter()
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", UserWarning)
            _work(order, book, picture, observers)
        notes = list(dict.fromkeys(str(warning.message) for warning in said)) or None
        spent = book.entry.get("spent", 0.0) + time.perf_counter() - began
        book.note(status=ledger.FINISHED, notes=notes, spent=round(spent, 3), left=None)
        return Ended(order.name, ledger.FINISHED)
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):  # `Plan.begin` does it where the disk is full
            book.note(status=ledger.STOPPED)
        return Ended(order.name, ledger.STOPPED)
    except Exception as error:  # whatever it was, the other orders can be worked on
        words = _words(order, error)
        hopeless = isinstance(error, DivergedError) or None  # it would only diverge again
        bug = traceback.format_exc() if advice(error) is None else None
        with contextlib.suppress(OSError):  # a full disk must not hide the first error
            book.note(status=ledger.FAILED, error=words, hopeless=hopeless, traceback=bug)
        return Ended(order.name, ledger.FAILED, words)


def _words(order: Order, error: Exception) -> str:
    from consingan.methods.choose import choose_settings

    config = choose_settings(order.typed).config
    return advice(error, config) or f"{type(error).__name__}: {error}"


def _work(order: Order, book: Ledger, picture: Path | None, observers: Sequence[Observer]) -> None:
    from consingan.api.train import train_or_resume
    from consingan.machine.execution import Wanted, choose_execution
    from consingan.runs.earlier import earlier_run_of
    from consingan.runs.load import load_run

    image = str(picture or order.picture)
    facts = picture_facts(image)
    if not is_of_training(book.entry, order, image) or is_longer(book.folder, book.entry):
        book.entry = {}  # what another training came to is not shown as this one's
    book.note(
        status=ledger.TRAINING, asked=asked_of(order), picture=facts,
        files=files_of(order.typed) or None, error=None, traceback=None, hopeless=None,
        judgement=None, weights=None, process=os.getpid(), host=platform.node(),
    )  # fmt: skip
    wanted = Wanted(**order.machine)
    job = _prepared(order, choose_execution(wanted), picture)
    earlier = earlier_run_of(job.training, book.folder, any_seed=False, lengthened=False)
    outcome = train_or_resume(
        job, earlier, book.folder, wanted, _watching(book, observers), order.save_every
    )
    run = outcome.folder
    book.note(status=ledger.JUDGING, run=run.path.relative_to(book.folder).as_posix(), share=1.0)
    loaded = load_run(run.path, job.execution)
    book.note(
        judgement=_judged(loaded, order),
        weights=loaded.weights,
        size=list(job.training.sizes[-1]),
        seconds=sum(run.manifest["seconds_per_stage"]),
        execution=run.manifest["execution"],
    )


def _prepared(order: Order, execution: Execution, picture: Path | None) -> Job:
    from consingan.images.io import read_picture
    from consingan.training.prepare import prepare

    typed = {**order.typed, "input_name": order.picture}
    if picture is None:
        return prepare(typed, execution)
    reading = Reading(typed.get("value_range") or AUTO, typed.get("page") or 0, BY_FLAG)
    return prepare(typed, execution, read_picture(picture, reading))


def _judged(run: LoadedRun, order: Order) -> dict[str, Any]:
    """The figures of a finished run, which come about as those of all others of the study."""
    from consingan.metrics.sifid import load_inception
    from consingan.report.judging import judged_alike

    weights = load_inception(order.inception) if order.inception else None
    return judged_alike(run, order.samples, weights).to_dict()


def _watching(book: Ledger, others: Sequence[Observer]) -> Watch:
    """Whoever watches a training of a study: pictures, the ledger, others."""
    from consingan.training.observers import Sheets

    @contextlib.contextmanager
    def watch(run: Run) -> Iterator[Sequence[Observer]]:
        assert run.folder is not None
        begins = book.entry.get("begins", [])
        here = [run.trainer.stage, run.trainer.iteration]
        path = run.folder.path
        book.note(begins=[*begins, here], run=path.relative_to(book.folder).as_posix())
        yield (Sheets(path, run.naive), Position(book, run.trainer), *others)

    return watch


@dataclass
class Position:
    """Notes down how far a training is, and how long the rest will take."""

    book: Ledger
    trainer: Trainer
    noted_at: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    costs: list[float] = field(default_factory=list)
    whole: float = 0.0
    before: float = 0.0

    def __post_init__(self) -> None:
        from consingan.training.outlook import work_of

        training = self.trainer.training
        self.costs = [training.cost(stage) for stage in range(training.stages)]
        self.whole = work_of(training)
        self.before = self._done()

    def _done(self) -> float:
        """Work that is done, in the units of `contract.Training.cost`."""
        training, stage = self.trainer.training, self.trainer.stage
        past = range(training.first, min(stage, training.stages))
        now = self.trainer.iteration * self.costs[stage] if stage < training.stages else 0.0
        return sum(self.costs[k] * training.iterations(k) for k in past) + now

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Make a note now and then, and at the end of a stage."""
        from consingan.training.records import StageRecord

        now = time.perf_counter()
        if now - self.noted_at < NOTE_EVERY and not isinstance(record, StageRecord):
            return
        self.noted_at = now
        done = self._done()
        pace = (now - self.began) / max(done - self.before, 1e-9)
        self.book.note(
            stage=trainer.stage + 1,
            stages=trainer.stages,
            iteration=trainer.iteration,
            iterations=trainer.iterations,
            share=round(done / self.whole, 4),
            left=round(pace * (self.whole - done), 1) if done > self.before else None,
        )
