"""Train with everything that watches: progress, pictures, curves, TensorBoard."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.options import choose_execution

if TYPE_CHECKING:
    from torch import Tensor

    from consingan.machine.execution import Execution
    from consingan.runs.folder import RunFolder
    from consingan.training.loop import Trainer
    from consingan.training.session import Observer


def run_to_end(
    folder: RunFolder,
    trainer: Trainer,
    naive: Tensor | None,
    execution: Execution,
    options: Mapping[str, Any],
    seconds: float = 0.0,
) -> None:
    """Train to the end and say how long it took.

    Args:
        folder: of the run.
        trainer: set up, perhaps resumed.
        naive: the user's own picture, (1, 3, H, W) in [-1, 1].
        execution: where and how it computes.
        options: of the command; `save_every` and `tensorboard` count here.
        seconds: already spent in the present stage.
    """
    from consingan.machine import progress
    from consingan.training.session import Session

    click.echo(f"run folder: {folder.path}")
    observers, close = _observers(folder, trainer, naive, execution, options)
    with contextlib.ExitStack() as stack:
        stack.callback(close)
        Session(trainer, folder, observers, options["save_every"], seconds).run()
    seconds = sum(folder.manifest["seconds_per_stage"])
    click.echo(f"finished in {progress.in_words(seconds)}: {folder.path}")


def note_busy_cores(execution: Execution) -> None:
    """Say where other programs make the training slow, and what helps."""
    from consingan.machine.device import crowded

    if advice := crowded(execution.device):
        click.echo(f"Note: {advice}", err=True)


def execution_of(folder: RunFolder, options: Mapping[str, Any]) -> Execution:
    """How to go on with a run: as it was begun, where nothing else was typed."""
    return choose_execution(options, folder.manifest.get("execution", {}))


def said_position(folder: RunFolder, trainer: Trainer) -> None:
    """Say where a run goes on."""
    click.echo(
        f"going on with {folder.path} at stage {trainer.stage + 1}/{trainer.config.train_stages}, "
        f"iteration {trainer.iteration}/{trainer.iterations}"
    )


def _observers(
    folder: RunFolder,
    trainer: Trainer,
    naive: Tensor | None,
    execution: Execution,
    options: Mapping[str, Any],
) -> tuple[list[Observer], Callable[[], None]]:
    """Everything that watches a training, and what ends it."""
    from consingan.training.observers import Collapse, Pictures, ProgressBar, TensorBoard
    from consingan.training.snapshots import Snapshots

    pictures = Pictures(folder.path, naive, execution.arithmetic)
    bar = ProgressBar(trainer, click.echo)
    observers: list[Observer] = [bar, pictures, Collapse()]
    closing: list[Callable[[], None]] = [bar.close]
    if trainer.config.fine_tune:
        assert naive is not None
        observers.insert(0, Snapshots(folder.path, naive, execution.arithmetic))
    if options["tensorboard"]:
        board = TensorBoard(folder.path, pictures)
        observers.append(board)
        closing.append(board.close)

    def close() -> None:
        for one in closing:
            one()

    return observers, close
