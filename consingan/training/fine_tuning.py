"""What a run must be so that it can be fine-tuned, and what must be typed as it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consingan.errors import UserError
from consingan.machine.program import go_on_command
from consingan.methods.choose import refuse_foreign_settings
from consingan.methods.contract import FineTuning, Method
from consingan.methods.registry import METHODS
from consingan.runs.folder import RunFolder
from consingan.runs.load import LoadedRun
from consingan.settings.option import flag_name
from consingan.settings.reading import AUTO, RGB


def rules_of(run: LoadedRun, typed: Mapping[str, Any]) -> FineTuning:
    """How a run is fine-tuned; only a finished one of the same task can be.

    Raises:
        UserError: it cannot be, or not with what was typed.
    """
    rules, config = run.method.fine_tuning, run.model.config
    if rules is None:
        able = " or ".join(m.name for m in METHODS.values() if m.fine_tuning)
        raise UserError(
            f"{run.path} was trained with --method {run.method.name}, which has no --fine_tune; "
            f"--method {able} has."
        )
    _refuse_other_method(run.method, run.path, typed)
    task = typed.get("train_mode") or config.train_mode
    same = task == config.train_mode or config.train_mode in rules.sources
    if not same or not run.method.tasks[task].takes_naive:
        fit = " or ".join(name for name, row in run.method.tasks.items() if row.takes_naive)
        raise UserError(
            f"{run.path} was trained for {config.train_mode}; --fine_tune needs a run "
            f"trained with --train_mode {fit}, and the same mode again."
        )
    if not run.finished:
        raise UserError(
            f"{run.path} is not finished; go on with it first ({go_on_command(run.path)})."
        )
    if config.fine_tune and not rules.again:
        plain = RunFolder.open(run.path).manifest.get("base")
        raise UserError(
            f"{run.path} was fine-tuned already, which --method {run.method.name} can do once; let "
            f"--model_dir name the run that it began with{f', {plain}' if plain else ''}."
        )
    for name in rules.fixed:
        value, own = typed.get(name), getattr(config, name)
        if name == "channels" and own == AUTO:
            own = RGB  # see `choose_channels`
        if value is not None and value != own:
            raise UserError(
                f"--{name} {value or 'none'} differs from the run's {own or 'none'} and "
                "cannot be changed by fine-tuning; leave it out."
            )
    return rules


def _refuse_other_method(method: Method, path: Path, typed: Mapping[str, Any]) -> None:
    """A method that was typed, and the settings of one, must be the run's."""
    asked = typed.get("method")
    if asked not in (None, method.name):
        raise UserError(
            f"{path} was trained with --method {method.name}, not {asked}; leave --method out, or "
            f"let --model_dir name a run of {asked}."
        )
    fields = (field for m in METHODS.values() for field in dataclasses.fields(m.config))
    flags = {field.name: f"--{flag_name(field)}" for field in fields}
    given = [name for name, value in typed.items() if value is not None]
    refuse_foreign_settings(method, {name: flags.get(name, name) for name in given})
