"""The commands that repeat a training."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from consingan.errors import UserError
from consingan.images.io import read_picture
from consingan.images.names import ARRAY_NAME
from consingan.machine.program import command_line, started_as
from consingan.methods.choose import choose_settings
from consingan.methods.pairs import CONDITION
from consingan.methods.registry import method_of
from consingan.settings.config import DEFAULT_METHOD, Config
from consingan.settings.option import typed_as
from consingan.settings.reading import AUTO

EXECUTION = ("device", "precision", "engine", "threads")  # what changes the last digits, or more


def training_commands(config: Config, manifest: Mapping[str, Any], run: Path) -> Iterator[str]:
    """The command that trains the same model again, and those that trained it longer.

    Args:
        config: the settings, as they are now.
        manifest: of the run; {} where there is none.
        run: its folder.
    """
    longer, execution = manifest.get("lengthened", []), manifest.get("execution", {})
    begun = config.replace(**longer[0]["before"]) if longer else config
    if config.fine_tune and manifest.get("base"):
        yield _fine_tuning(begun, manifest, execution)
    else:
        yield training_command(begun, execution)
    now = begun
    for entry in longer:
        counts = {name: value for name, value in entry["counts"].items()
                  if value != getattr(now, name)}  # fmt: skip
        now = now.replace(**counts)
        yield command_line((*started_as("train"), "--resume", "--model_dir", str(run),
                            *_flags(now, counts)))  # fmt: skip


def training_command(config: Config, execution: Mapping[str, Any] | None = None) -> str:
    """The command that trains the same model again, executed alike.

    Written from the settings, so that it holds the seed even where that was drawn. A tensor comes
    from Python.

    Args:
        config: the settings.
        execution: what `Execution.to_json` gave, as far as it is known.
    """
    execution, config = execution or {}, _with_range_of_a(config)
    given = [f.name for f in dataclasses.fields(config) if _must_be_given(f.name, config)]
    if config.input_name == ARRAY_NAME:
        return _python_call(config, given, execution)
    words = (*_flags(config, given), *execution_words(execution))
    return command_line((*started_as("train"), *words))


def execution_words(execution: Mapping[str, Any]) -> Iterator[str]:
    """Flags that let a command be executed as `execution`, see `Execution.to_json`, says."""
    for name in EXECUTION:
        if name in execution:
            yield from (f"--{name}", str(execution[name]))
    if execution.get("checkpointing"):
        yield "--checkpointing"


def _fine_tuning(config: Config, manifest: Mapping[str, Any], execution: Mapping[str, Any]) -> str:
    """With what was typed over the settings of the run that it started from, and the seed."""
    typed = [name for name, origin in manifest.get("origin", {}).items() if origin == "typed"]
    fields = type(config).__dataclass_fields__
    names = {"manual_seed", *(name for name in typed if name in fields)} - {"method", "input_name"}
    if config.method != DEFAULT_METHOD:  # else its own settings would not be known
        names.add("method")
    if config.channels == AUTO:
        names.discard("channels")  # nobody needs to type it, and older releases refuse it
    given = [name for name in fields if name in names]
    words = (*_flags(config, given), "--model_dir", str(manifest["base"]))
    return command_line((*started_as("train"), *words, *execution_words(execution)))


def _with_range_of_a(config: Any) -> Any:
    """Settings that say how a deep A was read, which earlier releases did not keep.

    By its own numbers it was, and --range, which must be given for B, now counts for it, too.
    """
    path = method_of(config.method).pictures(config).get(CONDITION)
    if path is None or config.condition_range != AUTO or config.value_range == AUTO:
        return config
    try:
        return config.replace(condition_range=read_picture(path).value_range)
    except UserError:  # it is no longer there
        return config


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


def _python_call(config: Config, names: list[str], execution: Mapping[str, Any]) -> str:
    given = [f"{name}={getattr(config, name)!r}" for name in names if name != "input_name"]
    how = ("device", "precision", "engine")
    given += [f"{name}={execution[name]!r}" for name in how if name in execution]
    return f"consingan.train({', '.join([ARRAY_NAME, *given])})"


def _flags(config: Config, names: Any) -> Iterator[str]:
    for name in names:
        yield from typed_as(type(config).__dataclass_fields__[name], getattr(config, name))
