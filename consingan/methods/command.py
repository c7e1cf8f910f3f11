"""The command that repeats a training."""

from __future__ import annotations

import dataclasses
import itertools
import shlex
from typing import Any

from consingan.images.names import ARRAY_NAME
from consingan.machine.program import started_as
from consingan.methods.choose import choose_settings
from consingan.settings.config import Config
from consingan.settings.option import flag_name


def training_command(config: Config, typed: str | None = None) -> str:
    """The command that trains the same model again.

    Written from the settings, so that it holds the seed even where that was drawn. Fine-tuning
    starts from another run, which only the command that was typed knows; a tensor comes from
    Python.

    Args:
        config: the settings.
        typed: the command that was typed, if it is known.
    """
    if config.input_name == ARRAY_NAME:
        return _python_call(config)
    if config.fine_tune and typed:
        return typed
    given = [field for field in dataclasses.fields(config) if _must_be_given(field.name, config)]
    words = (_words(flag_name(field), getattr(config, field.name)) for field in given)
    return shlex.join(itertools.chain(started_as("train"), *words))


def _must_be_given(name: str, config: Config) -> bool:
    """Whether a training has another value of a field unless it is told this one."""
    if name in ("method", "train_mode", "preset"):
        usual = type(config).__dataclass_fields__[name].default
        if name == "method":
            usual = Config.__dataclass_fields__[name].default
        return bool(getattr(config, name) != usual)
    if name == "manual_seed":
        return True  # drawn if nobody gives it
    told = {key: getattr(config, key) for key in ("method", "train_mode", "preset")}
    return bool(getattr(config, name) != getattr(choose_settings(told).config, name))


def _python_call(config: Config) -> str:
    given = (
        f"{field.name}={getattr(config, field.name)!r}"
        for field in dataclasses.fields(config)
        if field.name != "input_name" and _must_be_given(field.name, config)
    )
    return f"consingan.train({', '.join([ARRAY_NAME, *given])})"


def _words(flag: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no_{flag}"]
    return [f"--{flag}", str(value)]
