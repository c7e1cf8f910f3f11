"""`main_train.py`, also `consingan train`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.folder import train_folder
from consingan.cli.messages import explained, guarded, quoted
from consingan.cli.options import (
    CONTEXT,
    CarefulCommand,
    choose_execution,
    config_options,
    examples,
    execution_options,
    note_idle_settings,
    seed_of,
    was_typed,
)
from consingan.cli.watching import execution_of, note_busy_cores, run_to_end, said_position
from consingan.errors import UserError
from consingan.machine.program import started_as
from consingan.settings.config import Config
from consingan.settings.option import flag_name

if TYPE_CHECKING:
    from torch import Tensor

    from consingan.machine.execution import Execution
    from consingan.runs.folder import RunFolder
    from consingan.training.loop import Trainer

TRAINING_EXAMPLES = (
    "python main_train.py --input_name Images/Generation/aurora.jpg",
    "python main_train.py --train_mode animation --input_name Images/Animation/campfire.jpg",
    "python main_train.py --input_name Images/Generation  # each picture of the folder",
)


@click.command(cls=CarefulCommand, context_settings=CONTEXT, epilog=examples(*TRAINING_EXAMPLES))
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
def train(model_dir: Path | None, resume: bool, **options: Any) -> None:
    """Train a generative model on ONE image, or one on each image of a folder."""
    typed = {f.name: options.pop(f.name) for f in dataclasses.fields(Config)}
    if resume:
        _resume(model_dir, typed, options)
    elif typed["input_name"] and _is_folder(typed["input_name"]):
        if model_dir is not None:
            raise UserError("--model_dir names one run; --input_name must not be a folder then.")
        train_folder(Path(typed["input_name"]), typed, options)
    else:
        _train_anew(model_dir, typed, options)


def _is_folder(name: str) -> bool:
    from consingan.images.folder import is_folder

    return is_folder(name)


def _train_anew(base: Path | None, typed: dict[str, Any], options: Mapping[str, Any]) -> None:
    if not typed["input_name"] and not typed["fine_tune"]:
        raise UserError("--input_name is missing: name the training image, or skimage:coffee.")

    from consingan.runs.about import about_this_run
    from consingan.runs.folder import RunFolder
    from consingan.training import plan, prepare

    execution = choose_execution(options)
    job = prepare.prepare({**typed, "manual_seed": seed_of(typed)}, execution, base=base)
    for line in plan.introduction(job):
        click.echo(line)
    note_idle_settings(typed, job.chosen.config)
    if options["dry_run"]:
        for line in plan.estimate(job):
            click.echo(line)
        return
    about = about_this_run(execution, job.chosen.origin)
    folder = RunFolder.create(options["output_dir"], job.trainer, about, job.naive)
    _run(folder, job.trainer, job.naive, execution, options)


def _resume(path: Path | None, typed: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    if path is None:
        raise UserError("--resume needs --model_dir, the folder of the run to go on with.")
    flags = {field.name: flag_name(field) for field in dataclasses.fields(Config)}
    given = [flags[name] for name, value in typed.items() if value is not None]
    given += [name for name in ("dry_run", "output_dir") if was_typed(name)]
    if given:
        raise UserError(f"--resume goes on with the run's own settings; leave out --{given[0]}.")

    from consingan.runs.folder import RunFolder
    from consingan.training import plan, resume
    from consingan.training.resume import refuse_finished

    folder = RunFolder.open(path)
    refuse_finished(folder)  # before its folder is locked, which leaves a file
    execution = execution_of(folder, options)
    with folder.locked():
        with explained(path):
            trainer, seconds = resume.resumed(folder, execution)
        for line in (plan.execution_line(execution), *execution.notes):
            click.echo(line)
        said_position(folder, trainer)
        _run(folder, trainer, folder.naive(), execution, options, seconds)


def _run(
    folder: RunFolder,
    trainer: Trainer,
    naive: Tensor | None,
    execution: Execution,
    options: Mapping[str, Any],
    seconds: float = 0.0,
) -> None:
    """Train; whatever ends it early, say how to go on."""
    note_busy_cores(execution)
    with explained(folder.path):
        run_to_end(folder, trainer, naive, execution, options, seconds)
    following = f"next: {' '.join(started_as('evaluate'))} --model_dir {quoted(folder.path)}"
    wanting = trainer.model.mode.takes_naive_image and naive is None
    click.echo(following + (" --naive_img PICTURE" if wanting else ""))
