"""`main_train.py`, also `consingan train`."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.messages import explained, guarded, quoted
from consingan.cli.options import (
    CONTEXT,
    choose_execution,
    config_options,
    examples,
    execution_options,
)
from consingan.config import Config, flag_name
from consingan.errors import UserError

if TYPE_CHECKING:
    from consingan.checkpoint import RunFolder
    from consingan.runs import Execution
    from consingan.session import Observer

TRAINING_EXAMPLES = (
    "python main_train.py --input_name Images/Generation/aurora.jpg",
    "python main_train.py --train_mode animation --input_name Images/Animation/campfire.jpg",
)


@click.command(context_settings=CONTEXT, epilog=examples(*TRAINING_EXAMPLES))
@config_options
@execution_options
@click.option(
    "--engine",
    type=click.Choice(("auto", "plain", "fast")),
    help="plain is the textbook loop, fast computes the same in less time.",
)
@click.option(
    "--checkpointing", is_flag=True, default=None, help="Less memory, more time, the same result."
)
@click.option(
    "--model_dir", type=click.Path(path_type=Path), help="The run to resume or fine-tune."
)
@click.option("--resume", is_flag=True, help="Go on with the run in --model_dir.")
@click.option(
    "--output_dir",
    type=click.Path(path_type=Path),
    default=Path("TrainedModels"),
    show_default=True,
    help="Where run folders are made.",
)
@click.option(
    "--save_every",
    type=click.IntRange(1),
    metavar="N",
    help="Iterations between saves; by default as often as costs 1 % of the time.",
)
@click.option("--dry_run", is_flag=True, help="Print the plan, memory and time; train nothing.")
@click.option("--tensorboard/--no_tensorboard", default=True, help="Write TensorBoard files.")
@guarded
def train(model_dir: Path | None, resume: bool, **options: Any) -> None:  # fmt: skip
    """Train a generative model on ONE image."""
    typed = {f.name: options.pop(f.name) for f in dataclasses.fields(Config)}
    if resume:
        _resume(model_dir, typed, options)
    else:
        _train_anew(model_dir, typed, options)


def _train_anew(base: Path | None, typed: dict[str, Any], options: Mapping[str, Any]) -> None:
    if not typed["input_name"] and not typed["fine_tune"]:
        raise UserError("--input_name is missing: name the training image, or skimage:coffee.")
    if typed["manual_seed"] is None:
        import secrets

        seed = secrets.randbelow(2**31)
    else:
        seed = typed["manual_seed"]

    from consingan import plan, runs
    from consingan.checkpoint import RunFolder

    execution = choose_execution(options)
    job = runs.prepare({**typed, "manual_seed": seed}, execution, base=base)
    for line in plan.introduction(job):
        click.echo(line)
    if options["dry_run"]:
        for line in plan.estimate(job):
            click.echo(line)
        return
    about = runs.about_this_run(execution, job.chosen.origin)
    folder = RunFolder.create(options["output_dir"], job.trainer, about, job.naive)
    _run(folder, job.trainer, job.naive, execution, options, 0.0)


def _resume(path: Path | None, typed: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    if path is None:
        raise UserError("--resume needs --model_dir, the folder of the run to go on with.")
    flags = {field.name: flag_name(field) for field in dataclasses.fields(Config)}
    given = [flags[name] for name, value in typed.items() if value is not None]
    if options["dry_run"]:
        given.append("dry_run")
    if given:
        raise UserError(f"--resume goes on with the run's own settings; leave out --{given[0]}.")

    from consingan import plan, runs
    from consingan.checkpoint import RunFolder

    folder = RunFolder.open(path)
    execution = choose_execution(options, folder.manifest.get("execution", {}))
    with explained(path):
        trainer, seconds = runs.resumed(folder, execution)
    config, naive = folder.config, folder.naive()
    for line in (plan.execution_line(execution), *execution.notes):
        click.echo(line)
    click.echo(
        f"going on with {path} at stage {trainer.stage + 1}/{config.train_stages}, "
        f"iteration {trainer.iteration}/{trainer.iterations}"
    )
    _run(folder, trainer, naive, execution, options, seconds)


def _run(
    folder: RunFolder,
    trainer: Any,
    naive: Any,
    execution: Execution,
    options: Mapping[str, Any],
    seconds: float,
) -> None:
    """Train, with everything that watches, and say how it ended."""
    from consingan import plan
    from consingan.device import crowded
    from consingan.session import Session

    click.echo(f"run folder: {folder.path}")
    observers, close = _observers(folder, trainer, naive, execution, options)
    session = Session(trainer, folder, observers, options["save_every"], seconds)
    if advice := crowded(execution.device):
        click.echo(f"Note: {advice}", err=True)
    with contextlib.ExitStack() as stack:
        stack.callback(close)
        stack.enter_context(explained(folder.path))
        session.run()
    seconds = sum(folder.manifest["seconds_per_stage"])
    click.echo(f"finished in {plan.in_words(seconds)}: {folder.path}")
    click.echo(f"next: python evaluate_model.py --model_dir {quoted(folder.path)}")


def _observers(
    folder: RunFolder, trainer: Any, naive: Any, execution: Execution, options: Mapping[str, Any]
) -> tuple[list[Observer], Callable[[], None]]:
    from consingan.fine_tuning import Snapshots
    from consingan.monitor import Pictures, ProgressBar, TensorBoard

    pictures = Pictures(folder.path, naive, execution.arithmetic)
    bar = ProgressBar(trainer, click.echo)
    observers: list[Observer] = [bar, pictures]
    closing: list[Callable[[], None]] = [bar.close]
    if trainer.config.fine_tune:
        observers.insert(0, Snapshots(folder.path, naive, execution.arithmetic))
    if options["tensorboard"]:
        board = TensorBoard(folder.path, pictures)
        observers.append(board)
        closing.append(board.close)

    def close() -> None:
        for one in closing:
            one()

    return observers, close
