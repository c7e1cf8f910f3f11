"""`main_train.py`, also `consingan train`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.command import (
    CONTEXT,
    MethodCommand,
    typed_method,
    was_typed,
)
from consingan.cli.folder import train_folder
from consingan.cli.messages import explained, guarded
from consingan.cli.options import (
    decorated,
    execution_options,
    note_idle_execution,
    note_idle_settings,
    run_named,
    say,
    seed_of,
    wanted_of,
)
from consingan.cli.setting_options import GroupedOption
from consingan.cli.watching import (
    foretell,
    note_busy_cores,
    say_finished,
    say_position,
    watching,
)
from consingan.errors import UserError
from consingan.machine.program import command_line, started_as
from consingan.settings.config import RUNS
from consingan.settings.option import flag_name

if TYPE_CHECKING:
    from consingan.api.train import Run
    from consingan.runs.folder import RunFolder

EXAMPLES = (
    "--input_name Images/Generation/aurora.jpg --preset fast",
    "--train_mode animation --input_name Images/Animation/campfire.jpg",
    "--input_name Images/Generation  # each picture of the folder",
)

_MACHINE: dict[str, Any] = {"cls": GroupedOption, "group": "machine"}
_RUN: dict[str, Any] = {"cls": GroupedOption, "group": "run"}
OPTIONS = (
    execution_options,
    click.option("--engine", metavar="NAME", help="How a step is executed; auto is the fastest.",
           **_MACHINE),
    click.option("--checkpointing", is_flag=True, default=None,
           help="Less memory, more time, the same result.", **_MACHINE),
    click.option("--model_dir", type=click.Path(path_type=Path),
           help="The run to resume or fine-tune: its folder; of a folder of runs, or latest, the "
           "newest.", **_RUN),
    click.option("--resume", is_flag=True, help="Go on with the run in --model_dir.", **_RUN),
    click.option("--output_dir", type=click.Path(path_type=Path), default=RUNS,
           show_default=True, help="Where run folders are made.", **_RUN),
    click.option("--save_every", type=click.IntRange(1), metavar="N",
           help="Iterations between saves; by default as often as costs 1 % of the time.", **_RUN),
    click.option("--dry_run", is_flag=True, help="Print the plan, memory and time; train nothing.",
           **_RUN),
    click.option("--tensorboard/--no_tensorboard", default=True,
           help="Write curves and pictures for TensorBoard.", **_RUN),
)  # fmt: skip


def _training_options(command: Any) -> Any:
    return decorated(command, OPTIONS)


@click.command(cls=MethodCommand, context_settings=CONTEXT, examples=EXAMPLES)
@_training_options
@guarded
def train(model_dir: Path | None, resume: bool, **options: Any) -> None:
    """Train a model on ONE image, or one on each image of a folder.

    It learns to make new images like that one.
    """
    method = typed_method()
    typed = {f.name: options.pop(f.name) for f in dataclasses.fields(method.config)}
    if model_dir is not None:
        model_dir = run_named(model_dir, options["output_dir"])
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
    if base is None and not typed["input_name"] and not typed["fine_tune"]:
        raise UserError("--input_name is missing: name the training image, or skimage:coffee.")

    from consingan.api.train import begin
    from consingan.machine.execution import choose_execution, settled
    from consingan.training import plan
    from consingan.training.prepare import prepare

    wanted = wanted_of(options)
    execution = settled(choose_execution(wanted), wanted)
    job = prepare({**typed, "manual_seed": seed_of(typed)}, execution, base=base)
    for line in plan.introduction(job):
        say(line)
    note_idle_settings(job.method, typed, job.chosen.config)
    note_idle_execution(job.training, options)
    if options["dry_run"]:
        for line in plan.estimate(job):
            click.echo(line)
        return
    foretell(job, typed)
    _finish(begin(job, options["output_dir"], options["save_every"]), options)


def _finish(run: Run, options: Mapping[str, Any]) -> None:
    """Train to the end; whatever ends it early, say how to go on."""
    from consingan.api.train import finish

    assert run.folder is not None
    note_busy_cores(run.execution)
    with explained(run.folder.path):
        finish(run, watching(options), options["save_every"])
    _say_next(run)


def _resume(path: Path | None, typed: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    if path is None:
        raise UserError("--resume needs --model_dir, the folder of the run to go on with.")
    from consingan.api.train import go_on
    from consingan.runs.folder import RunFolder
    from consingan.training import plan
    from consingan.training.longer import lengthen

    taken: list[Run] = []

    def told(run: Run) -> None:
        taken.append(run)
        for line in (plan.execution_line(run.execution, folder.method), *run.execution.notes):
            say(line)
        note_idle_execution(run.trainer.training, options)
        say_position(run)
        _say_saves(folder, options["save_every"])
        note_busy_cores(run.execution)

    folder = RunFolder.open(path)
    counts = _counts_of(folder, typed)
    if counts:
        lengthen(folder, counts)
    with explained(path):
        go_on(folder, wanted_of(options), watching(options), options["save_every"], told)
    _say_next(taken[0])


def _say_saves(folder: RunFolder, typed: int | None) -> None:
    """Say how often a run is saved that goes on, where that was or is typed."""
    from consingan.runs.manifest import saves_of

    before = saves_of(folder.manifest)
    if typed and before and typed != before:
        say(f"Note: it was saved every {before} iterations, from here on every {typed}.")
    elif before:
        say(f"saved every {before} iterations, as before")


def _counts_of(folder: RunFolder, typed: Mapping[str, Any]) -> dict[str, int]:
    """What was typed to train a finished run longer.

    Raises:
        UserError: something else was typed that a run keeps.
    """
    fields = {field.name: field for field in dataclasses.fields(typed_method().config)}
    given = {name: value for name, value in typed.items() if value is not None}
    others = [flag_name(fields[name]) for name in given if name not in folder.method.counts]
    others += [name for name in ("dry_run", "output_dir") if was_typed(name)]
    if others:
        raise UserError(f"--resume goes on with the run's own settings; leave out --{others[0]}.")
    return given


def _say_next(run: Run) -> None:
    """Say how long it took and what can be done now."""
    assert run.folder is not None
    say_finished(run.folder)
    words = (*started_as("evaluate"), "--model_dir", str(run.folder.path))
    following = f"next: {command_line(words)}"
    wanting = run.trainer.model.task.takes_naive and run.naive is None
    click.echo(following + (" --naive_img PICTURE" if wanting else ""))
