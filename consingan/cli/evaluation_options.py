"""The options of `evaluate_model.py`, and which of them count for which run.

No option is dead: one that changes nothing for a run is answered with a note, one that contradicts
the others with an error.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.command import flag_of, was_typed
from consingan.cli.options import Command, execution_options, request_options, say
from consingan.cli.setting_options import GroupedOption
from consingan.errors import UserError
from consingan.outputs.registry import OUTPUTS

if TYPE_CHECKING:
    from consingan.api.evaluate import Evaluation
    from consingan.outputs.contract import Request
    from consingan.runs.load import LoadedRun

_RUN: dict[str, Any] = {"cls": GroupedOption, "group": "run"}


def evaluation_options(command: Command) -> Command:
    """Add all options of an evaluation: its own, and those of every output."""
    command = click.option(
        "--no_baseline", is_flag=True, help="No samples without training to compare with.", **_RUN
    )(command)
    command = click.option(
        "--no_metrics", is_flag=True, help="Make pictures only: no metrics, no report.", **_RUN
    )(command)
    command = click.option(
        "--inception_weights",
        metavar="PATH|URL",
        default="",
        help="Also give SIFID, with these weights of Inception-v3 "
        "(torchvision's or pytorch-fid's).",
        **_RUN,
    )(command)
    command = click.option("--iteration", type=click.IntRange(1), metavar="N",
                           help="Of a fine-tuned run, take the snapshot of this iteration.",
                           **_RUN)(command)  # fmt: skip
    for option in reversed(request_options(*(output.request for output in OUTPUTS.values()))):
        command = _added(option, command)
    command = execution_options(command)
    return click.option(
        "--model_dir",
        type=click.Path(path_type=Path),
        help="The run: its folder; of a folder of runs, or latest, the newest.",
        **_RUN,
    )(command)


def _added(option: click.Option, command: Command) -> Command:
    if not hasattr(command, "__click_params__"):
        command.__click_params__ = []  # type: ignore[attr-defined]
    command.__click_params__.append(option)  # type: ignore[attr-defined]
    return command


def request_of(run: LoadedRun, options: Mapping[str, Any]) -> Request:
    """What was typed as the run's output takes it; what it does not take is said and left out.

    Raises:
        UserError: an option cannot be meant with the others or with this run.
    """
    table = OUTPUTS[run.model.task.output].request
    names = [field.name for field in dataclasses.fields(table)]
    if options["no_metrics"] and options["inception_weights"]:
        raise UserError("--inception_weights is for metrics; leave it or --no_metrics out.")
    if options["naive_img"] and not run.model.task.takes_naive:
        from consingan.methods.choose import no_naive_image

        raise no_naive_image(run.model.config)
    why = f"for a model trained for {run.model.config.train_mode}"
    every = (field.name for o in OUTPUTS.values() for field in dataclasses.fields(o.request))
    for name in dict.fromkeys(every):  # in the order of the help
        if name not in names:
            _note_idle(name, why)
    return table(**{name: options[name] for name in names if was_typed(name)})


def note_idle_options(evaluation: Evaluation) -> None:
    """Say which options were typed that change nothing beside the others."""
    for name, why in evaluation.idle():
        _note_idle(name, why)


def _note_idle(name: str, why: str) -> None:
    if was_typed(name):
        say(f"Note: {flag_of(name)} does nothing {why}.")
