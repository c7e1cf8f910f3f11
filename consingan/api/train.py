"""The one way in to a training: begin it, go on with it, or see that it is done.

Commands, notebook and Python API set a training up by `prepare` and come here with it. Whoever
watches is made by a `Watch` once the run is there.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from consingan.api.asked import arguments_named, asked_in_python
from consingan.api.given import GivenDevice, device_name, path_of
from consingan.api.trained import CALLER, TrainedModel
from consingan.errors import UserError
from consingan.images.arrays import Given, picture_from
from consingan.images.names import ARRAY_NAME, SCIKIT_IMAGE
from consingan.machine.execution import Execution, Wanted, as_before, choose_execution
from consingan.machine.files import at_home
from consingan.machine.usual import random_numbers_kept
from consingan.methods.choose import checked_settings
from consingan.methods.registry import method_of
from consingan.runs.about import about_this_run
from consingan.runs.folder import RunFolder
from consingan.runs.manifest import saves_of
from consingan.runs.newest import find_run
from consingan.settings.config import Config
from consingan.settings.reading import AUTO, BY_FLAG, Reading
from consingan.training.loop import Trainer
from consingan.training.observers import Saturation
from consingan.training.plan import refuse_too_large
from consingan.training.prepare import Job, check_engine, prepare
from consingan.training.records import Record
from consingan.training.resume import refuse_finished, resume
from consingan.training.session import Observer, Session


@dataclass(frozen=True)
class Run:
    """A training with its folder, ready to be driven.

    Attributes:
        trainer: set up, perhaps in the middle of a stage.
        folder: where everything goes; None keeps nothing.
        execution: where and how it computes.
        naive: the user's own picture, (1, 3, H, W) in [-1, 1].
        seconds: spent in the present stage before.
    """

    trainer: Trainer
    folder: RunFolder | None
    execution: Execution
    naive: Tensor | None = None
    seconds: float = 0.0

    @property
    def path(self) -> Path | None:
        """Of the folder."""
        return self.folder.path if self.folder else None


Watch = Callable[[Run], contextlib.AbstractContextManager[Sequence[Observer]]]


@contextlib.contextmanager
def unwatched(run: Run) -> Iterator[Sequence[Observer]]:  # noqa: ARG001 - a Watch
    """Nobody but the warnings."""
    yield ()


@dataclass(frozen=True)
class Outcome:
    """A run and what it took: "trained", "resumed" or "finished before"."""

    folder: RunFolder
    how: Literal["trained", "resumed", "finished before"]


def begin(job: Job, output_dir: Path | None, save_every: int | None = None) -> Run:
    """Make the folder of a new run, which keeps how often it is to be saved.

    Raises:
        UserError: it cannot be made there, or memory is too small for the training.
    """
    refuse_too_large(job)
    folder = None
    if output_dir is not None:
        pictures = pictures_of(job.chosen.config)
        about = about_this_run(job.execution, job.chosen.origin, job.base, pictures)
        about |= {"save_every": save_every} if save_every else {}
        folder = RunFolder.create(output_dir, job.training, about, job.naive)
    return Run(Trainer(job.training), folder, job.execution, job.naive)


def pictures_of(config: Config) -> dict[str, Path]:
    """Files that a training's settings name, by the setting or the input that they are."""
    named = {"input_name": config.input_name, "naive_img": config.naive_img}
    named |= method_of(config.method).pictures(config)
    return {
        name: Path(file)
        for name, file in named.items()
        if file and file != ARRAY_NAME and not file.startswith(SCIKIT_IMAGE)
    }


def finish(run: Run, watch: Watch = unwatched, save_every: int | None = None) -> TrainedModel:
    """Train to the end.

    Raises:
        UserError: another process is training in the folder.
        consingan.errors.InterruptedRunError: stopped; the state is saved.
        consingan.errors.DivergedError: a loss stopped being finite.
    """
    with watch(run) as observers:
        told = [*observers, Saturation()]
        Session(run.trainer, run.folder, told, save_every, run.seconds).run()
    return TrainedModel(run.trainer.model, run.path)


def go_on(
    folder: RunFolder,
    wanted: Wanted,
    watch: Watch = unwatched,
    save_every: int | None = None,
    told: Callable[[Run], None] = lambda _: None,
) -> TrainedModel:
    """Go on with a run where it was stopped, executed as it was where nothing else is wanted.

    Args:
        folder: of the run.
        wanted: where and how to compute now.
        watch: makes those who watch.
        save_every: iterations between saves; None: as the run was saved before.
        told: called before the work begins.

    Raises:
        UserError: it is finished, used by another process or damaged.
        consingan.errors.InterruptedRunError: stopped; the state is saved.
        consingan.errors.DivergedError: a loss stopped being finite.
    """
    refuse_finished(folder)  # before its folder is locked, which leaves a file
    execution = as_before(wanted, folder.manifest.get("execution", {}))
    check_engine(folder.method, execution)
    with folder.locked():
        trainer, seconds = resume(folder, execution)
        run = Run(trainer, folder, execution, folder.naive(), seconds)
        told(run)
        before = saves_of(folder.manifest)
        if save_every and save_every != before:
            folder.note(save_every=save_every)
        return finish(run, watch, save_every or before)


def train_or_resume(
    job: Job,
    earlier: RunFolder | None,
    output_dir: Path,
    wanted: Wanted,
    watch: Watch,
    save_every: int | None = None,
    told: Callable[[Job | Run | RunFolder], None] = lambda _: None,
) -> Outcome:
    """A finished run of a training, with as little work as it takes.

    Args:
        job: ready to begin.
        earlier: the run that it was begun in before, see `runs.earlier.earlier_run_of`.
        output_dir: where a new run goes.
        wanted: where and how to compute.
        watch: makes those who watch.
        save_every: iterations between saves.
        told: called before the work begins: with the job of a new training, with the run that
            goes on, with the folder of one that is finished.

    Raises:
        UserError: the run found cannot be used.
        consingan.errors.InterruptedRunError: stopped; the state is saved.
        consingan.errors.DivergedError: a loss stopped being finite.
    """
    if earlier is None:
        told(job)
        run = begin(job, output_dir, save_every)
        assert run.folder is not None
        finish(run, watch, save_every)
        return Outcome(run.folder, "trained")
    if earlier.manifest["status"] == "finished":
        told(earlier)
        return Outcome(earlier, "finished before")
    go_on(earlier, wanted, watch, save_every, told)
    return Outcome(earlier, "resumed")


@dataclass(frozen=True)
class _Callback:
    """Calls a function with every record."""

    function: Callable[[Record], Any]

    def observe(self, record: Record, trainer: Trainer) -> None:  # noqa: ARG002
        """Pass the record on."""
        self.function(record)


@asked_in_python(model_dir="base")
def train(
    image: Given,
    *,
    output_dir: str | Path | None = None,
    device: GivenDevice = "auto",
    precision: str = "auto",
    engine: str = "auto",
    base: str | Path | None = None,
    callback: Callable[[Record], Any] | None = None,
    **settings: Any,
) -> TrainedModel:
    """Train a model on one image.

    Args:
        image: a picture file, "skimage:NAME", a picture of Pillow, an array (H, W, 3) of uint8 or
            of floats in [0, 1], or a tensor (1, 3, H, W) in [-1, 1]; other layouts and types are
            understood or refused. What there is to say of it are warnings.
        output_dir: where to make the run's folder; None writes nothing.
        device: auto, cpu, cuda, cuda:N or mps, a torch.device, or N.
        precision: auto, float32, tf32 or bf16.
        engine: auto, or another of the method's, see `consingan methods`.
        base: with fine_tune=True and naive_img=..., the run to go on from, as `load` takes it.
        callback: called with every record (StepRecord, StageRecord ...), see
            `consingan.training.records`.
        **settings: method="consingan" and fields of that method's Config, for example
            train_mode="retarget", max_size=128, niter=500, manual_seed=1.

    Raises:
        UserError: a setting, the picture, the device or a folder cannot be used, or memory is too
            small for the training.
        KeyboardInterrupt: by Ctrl+C; with `output_dir` the state is saved.
        consingan.errors.DivergedError: a loss stopped being finite.
    """
    settings = checked_settings(settings)
    folder = None if output_dir is None else path_of(output_dir)
    if callback is not None and not callable(callback):
        raise UserError(f"callback={callback!r} is no function; give one that takes a record.")
    if bool(settings.get("fine_tune")) != bool(base):
        raise UserError("fine_tune=True and base=..., the folder of a run, go together; give both.")
    wanted = Wanted(device=device_name(device), precision=precision, engine=engine)
    execution = choose_execution(wanted)
    named = isinstance(image, (str, os.PathLike))
    reading = Reading(settings.get("value_range") or AUTO, settings.get("page") or 0, BY_FLAG)
    picture = None if named else picture_from(image, reading)
    name = at_home(os.fspath(image)) if isinstance(image, (str, os.PathLike)) else ARRAY_NAME
    settings.setdefault("manual_seed", 0)
    typed = {**settings, "input_name": name}
    with random_numbers_kept():  # not for longer: a callback's are the caller's
        job = prepare(typed, execution, picture, find_run(path_of(base)) if base else None)
    for note in job.said_of_pictures:
        warnings.warn(arguments_named(note.removesuffix(".")), stacklevel=CALLER)

    @contextlib.contextmanager
    def watch(_: Run) -> Iterator[Sequence[Observer]]:
        yield [_Callback(callback)] if callback else []

    return finish(begin(job, folder), watch)
