"""Train with everything that watches: progress, pictures, curves, TensorBoard."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.options import say

if TYPE_CHECKING:
    from consingan.api.train import Run, Watch
    from consingan.machine.execution import Execution
    from consingan.runs.folder import RunFolder
    from consingan.training.prepare import Job
    from consingan.training.session import Observer


def foretell(job: Job, typed: Mapping[str, Any] | None) -> None:
    """Say how long a new training takes, see `outlook`; refuse one that memory does not hold."""
    from consingan.training import plan
    from consingan.training.outlook import outlook

    plan.refuse_too_large(job)
    with contextlib.suppress(RuntimeError, MemoryError):  # what fails here, the training explains
        for line in outlook(job, typed):
            say(line)


def watching(options: Mapping[str, Any]) -> Watch:
    """Whoever watches a training of the command; `tensorboard` counts among the options."""
    from consingan.training.observers import Pictures, ProgressBar, ProgressNotes, TensorBoard
    from consingan.training.snapshots import Snapshots

    @contextlib.contextmanager
    def watch(run: Run) -> Iterator[Sequence[Observer]]:
        assert run.folder is not None
        path = run.folder.path
        click.echo(f"run folder: {path}")
        with contextlib.ExitStack() as closing:
            bar = ProgressBar(run.trainer, say)
            closing.callback(bar.close)
            notes = ProgressNotes(path)
            closing.callback(notes.close)
            pictures = Pictures(path, run.naive)
            observers: list[Observer] = [bar, notes, pictures]
            if run.trainer.config.fine_tune:
                assert run.naive is not None
                observers.insert(0, Snapshots(path, run.naive))
            if options["tensorboard"]:
                board = TensorBoard(path, pictures)
                observers.append(board)
                closing.callback(board.close)
            yield observers

    return watch


def say_finished(folder: RunFolder) -> None:
    """Say how long a finished run was trained, if it was: in all its starts, without pictures."""
    from consingan.machine.progress import in_words

    stages = folder.manifest["seconds_per_stage"]
    trained = f", trained for {in_words(sum(stages))}" if stages else ""
    click.echo(f"finished{trained}: {folder.path}")


def note_busy_cores(execution: Execution) -> None:
    """Say where other programs make the training slow, and what helps."""
    from consingan.machine.device import crowded

    if advice := crowded(execution.device):
        say(f"Note: {advice}")


def say_position(run: Run) -> None:
    """Say where a run goes on, and whether that is by another release than it began by."""
    from consingan.runs.manifest import releases_of

    trainer = run.trainer
    click.echo(
        f"going on with {run.path} at stage {trainer.stage + 1}/{trainer.stages}, "
        f"iteration {trainer.iteration}/{trainer.iterations}"
    )
    releases = releases_of(run.folder.manifest) if run.folder is not None else []
    if len(releases) > 1:
        say(
            f"Note: it was begun by ConSinGAN {releases[0]} and goes on by {releases[-1]}; what "
            "the changelog says is computed otherwise since then is so from here on."
        )
