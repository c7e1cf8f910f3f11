"""`main_train.py --input_name FOLDER`: a model for each picture of a folder.

The same command goes on where it was stopped: a picture with a finished run of the same settings is
skipped, a run that was cut short goes on, one that failed is tried again.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consingan.api.advice import advice
from consingan.cli.messages import FAILURE
from consingan.cli.options import note_idle_execution, note_idle_settings, say, seed_of, wanted_of
from consingan.cli.watching import note_busy_cores, say_finished, say_position, watching
from consingan.errors import UserError, without_frames
from consingan.images.names import shown

if TYPE_CHECKING:
    import torch

    from consingan.api.train import Run
    from consingan.batch.queue import Outcome
    from consingan.machine.execution import Execution
    from consingan.runs.folder import RunFolder
    from consingan.settings.config import Config
    from consingan.training.prepare import Job

TRAINED, PLANNED, BEFORE = "trained", "to train", "finished before"


def train_folder(folder: Path, typed: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Train on each picture of `folder`, or plan to; exit with code 1 if one of them failed."""
    for name in ("fine_tune", "naive_img"):
        if typed[name]:
            raise UserError(f"--{name} is for one training image; --input_name is a folder.")

    from consingan.batch.queue import work_through
    from consingan.images.folder import look_into
    from consingan.machine.execution import choose_execution, settled
    from consingan.methods.choose import choose_settings
    from consingan.methods.registry import method_of
    from consingan.training import plan
    from consingan.training.prepare import check_engine

    contents = look_into(folder)
    wanted = wanted_of(options)
    execution = settled(choose_execution(wanted), wanted)
    config = choose_settings({**typed, "input_name": ""}).config
    check_engine(method_of(config.method), execution)
    for line in (*plan.surroundings(execution, method_of(config.method)), *contents.notes):
        say(line)
    images = contents.pictures
    note_idle_settings(method_of(config.method), typed, config)
    queue = _Queue(typed, options, execution)
    if options["dry_run"]:
        outcomes = list(_said(work_through(images, queue.plan, click.echo), config))
        queue.say_sum()
    else:
        note_busy_cores(execution)
        trained = _while_answered(work_through(images, queue.train, click.echo), execution.device)
        outcomes = _until_stopped(trained, config)
    _summarize(outcomes, len(images), config)
    if any(outcome.error for outcome in outcomes):
        raise SystemExit(FAILURE)


class _Queue:
    """What is done to each picture."""

    def __init__(
        self, typed: Mapping[str, Any], options: Mapping[str, Any], execution: Execution
    ) -> None:
        self.typed, self.options, self.execution = typed, options, execution
        self.seconds = 0.0  # of all plans
        self.peak = 0  # bytes, of the largest
        self._stage_seconds: dict[Any, list[float]] = {}
        self._introduced = False  # what is said of all pictures is said at the first

    def _prepared(self, image: Path) -> tuple[Job, RunFolder | None]:
        """The training of one picture, and the run that it was begun in before, if any."""
        from consingan.runs.earlier import earlier_run_of
        from consingan.training.prepare import prepare

        settings = {**self.typed, "input_name": str(image), "manual_seed": seed_of(self.typed)}
        job = prepare(settings, self.execution)
        if not self._introduced:
            note_idle_execution(job.training, self.options)
            self._introduced = True
        drawn = self.typed["manual_seed"] is None
        return job, earlier_run_of(job.training, self.options["output_dir"], any_seed=drawn)

    def train(self, image: Path) -> str:
        """Train on one picture as far as that was not done before."""
        from consingan.api.train import train_or_resume

        job, earlier = self._prepared(image)
        options = self.options
        outcome = train_or_resume(
            job, earlier, options["output_dir"], wanted_of(options), watching(options),
            options["save_every"], _say_what_comes,
        )  # fmt: skip
        if outcome.how == BEFORE:
            return BEFORE
        say_finished(outcome.folder)
        return TRAINED

    def plan(self, image: Path) -> str:
        """Say what the training of one picture would take.

        Raises:
            UserError: it would be refused.
        """
        from consingan.machine.progress import in_words
        from consingan.training.plan import refuse_too_large

        job, earlier = self._prepared(image)
        if earlier is not None and earlier.manifest["status"] == "finished":
            click.echo(BEFORE)
            return BEFORE
        refuse_too_large(job)
        stages = job.training.stages
        first = 0 if earlier is None else earlier.finished_stages
        (height, width), (trained_h, trained_w) = job.input_size, job.training.sizes[-1]
        seconds = sum(self._seconds_of_stages(job)[first:])
        self.seconds += seconds
        self.peak = max(self.peak, job.training.peak_memory() or 0)
        time = f"about {in_words(seconds)}" if stages else "nothing is trained"
        begun = f", from stage {first + 1} on" if earlier is not None and first < stages else ""
        click.echo(
            f"input {width}x{height} -> training {trained_w}x{trained_h} (WxH), {time}{begun}"
        )
        return PLANNED

    def _seconds_of_stages(self, job: Job) -> list[float]:
        """Measured once for all pictures that are trained at the same sizes."""
        from consingan.training import plan

        sizes = tuple(job.training.sizes)
        if sizes not in self._stage_seconds:
            self._stage_seconds[sizes] = [
                plan.time_iteration(job, stage) * job.training.iterations(stage)
                for stage in range(job.training.stages)
            ]
        return self._stage_seconds[sizes]

    def say_sum(self) -> None:
        """Say what the pictures that are to be trained would take."""
        from consingan.machine.progress import in_words

        if self.peak:
            click.echo(
                f"in all: about {in_words(self.seconds)}, memory of the largest step up to "
                f"{self.peak / 2**20:.0f} MiB beside the program itself"
            )


def _say_what_comes(what: Job | Run | RunFolder) -> None:
    """Introduce a new training, or say where one goes on or lies."""
    from consingan.api.train import Run
    from consingan.runs.folder import RunFolder
    from consingan.training import plan

    if isinstance(what, Run):
        for note in what.execution.notes:
            say(note)
        say_position(what)
    elif isinstance(what, RunFolder):
        click.echo(f"{BEFORE}: {what.path}")
    else:
        for line in plan.about_picture(what):
            say(line)


def _while_answered(
    outcomes: Iterator[Outcome[str]], device: torch.device
) -> Iterator[Outcome[str]]:
    """The same, up to the failure after which a GPU does not compute: nothing would any more."""
    from consingan.machine.device import choose_device

    for outcome in outcomes:
        yield outcome
        if outcome.error is not None and device.type == "cuda":
            try:
                choose_device(str(device))
            except UserError:
                click.echo(
                    f"{device} answers this process nothing more. Go on with the same command.",
                    err=True,
                )
                return


def _said(outcomes: Iterator[Outcome[str]], config: Config) -> Iterator[Outcome[str]]:
    """Say of each failure what to do about it; a bug keeps its traceback."""
    for outcome in outcomes:
        if outcome.error is not None:
            if advice(outcome.error, config) is None:
                traceback.print_exception(outcome.error)
            click.echo(f"Error: {_words(outcome.error, config)}", err=True)
            without_frames(outcome.error)  # they hold the whole training
        yield outcome


def _words(error: Exception, config: Config) -> str:
    return advice(error, config) or f"{type(error).__name__}: {error}"


def _until_stopped(outcomes: Iterator[Outcome[str]], config: Config) -> list[Outcome[str]]:
    """All outcomes; a wish to stop ends the program."""
    from consingan.errors import InterruptedRunError

    try:
        return list(_said(outcomes, config))
    except KeyboardInterrupt as stop:
        click.echo("\nStopped; what was done is kept. Go on with the same command.", err=True)
        number = stop.number if isinstance(stop, InterruptedRunError) else 2
        raise SystemExit(128 + number) from None


def _summarize(outcomes: Sequence[Outcome[str]], total: int, config: Config) -> None:
    """One line in all, and one for each picture that failed."""
    counts = Counter(outcome.result or "failed" for outcome in outcomes)
    if left := total - len(outcomes):
        counts["left"] = left
    pictures = "picture" if total == 1 else "pictures"
    each = ", ".join(f"{count} {word}" for word, count in counts.items())
    click.echo(f"{total} {pictures}: {each}")
    for outcome in outcomes:
        if outcome.error is not None:
            click.echo(f"  {shown(outcome.image.name)}: {_words(outcome.error, config)}", err=True)
