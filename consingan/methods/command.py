"""The commands that repeat a training."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from consingan.errors import UserError
from consingan.images.channels import natural, seen
from consingan.images.io import read_picture
from consingan.images.names import ARRAY_NAME
from consingan.images.picture import Picture
from consingan.machine.program import command_line, started_as
from consingan.methods.choose import choose_settings, trainable
from consingan.methods.pairs import CONDITION
from consingan.methods.registry import method_of
from consingan.settings.config import DEFAULT_METHOD, Config
from consingan.settings.option import typed_as
from consingan.settings.reading import AUTO, FULL_8, RGB

EXECUTION = ("device", "precision", "engine", "threads")  # what changes the last digits, or more


def training_commands(
    config: Config, manifest: Mapping[str, Any], run: Path, real: Tensor | None = None
) -> Iterator[str]:
    """The command that trains the same model again, and those that trained it longer.

    Args:
        config: the settings, as they are now.
        manifest: of the run; {} where there is none.
        run: its folder.
        real: the image at its finest stage, see `training_command`.
    """
    longer, execution = manifest.get("lengthened", []), manifest.get("execution", {})
    begun = config.replace(**longer[0]["before"]) if longer else config
    if config.fine_tune and manifest.get("base"):
        yield _fine_tuning(begun, manifest, execution)
    else:
        yield training_command(begun, manifest, real)
    now = begun
    for entry in longer:
        counts = {name: value for name, value in entry["counts"].items()
                  if value != getattr(now, name)}  # fmt: skip
        now = now.replace(**counts)
        yield command_line((*started_as("train"), "--resume", "--model_dir", str(run),
                            *_flags(now, counts)))  # fmt: skip


def training_command(
    config: Config, manifest: Mapping[str, Any] | None = None, real: Tensor | None = None
) -> str:
    """The command that trains the same model again, executed alike.

    Written from the settings, so that it holds the seed even where that was drawn. A tensor comes
    from Python.

    Args:
        config: the settings.
        manifest: of the run, as far as there is one.
        real: the image at its finest stage, (1, C, h, w) in [-1, 1]. It stands for the picture
            where that can no longer be read, or where the run says all but the size of it: what
            of a training follows from it must be known.
    """
    manifest = manifest or {}
    execution, says = manifest.get("execution", {}), "channels" in manifest.get("origin", {})
    picture = None if says and real is not None else _picture(config)
    if picture is None and real is not None:
        picture = Picture(seen(real, config.channels), value_range=config.value_range)
    config = _with_range_of_a(config)
    config = config if says or picture is None else _as_trained(config, picture)
    given = _given(config, picture)
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


def _picture(config: Config) -> Picture | None:
    if config.input_name == ARRAY_NAME:
        return None
    try:
        return read_picture(config.input_name, config.reading)
    except UserError:  # it is no longer there
        return None


def _as_trained(config: Config, picture: Picture) -> Config:
    """Settings that say what of the picture was trained, which runs of earlier releases do not.

    Where nobody says, a gray or transparent picture is trained as it is, and was in colors. How
    1.0 read pictures must be said of deep ones alone.
    """
    kind, able = natural(picture), trainable(method_of(config.method), config)
    if config.channels == AUTO and kind != RGB and kind in able:
        config = config.replace(channels=RGB)
    if config.value_range == FULL_8 and picture.value_range == AUTO:
        config = config.replace(value_range=AUTO)
    return config


def _given(config: Config, picture: Picture | None) -> list[str]:
    """Names of the settings that must be told for a training of the picture to have them all."""
    names = [f.name for f in dataclasses.fields(config)]
    given = {name for name in names if _must_be_given(name, config)}
    while picture is not None:
        chosen = _chosen({name: getattr(config, name) for name in given}, picture)
        if chosen is None:
            break
        more = {name for name in names if getattr(chosen, name) != getattr(config, name)}
        if more <= given:
            break
        given |= more
    return [name for name in names if name in given]


def _chosen(typed: Mapping[str, Any], picture: Picture) -> Config | None:
    """The settings of a training of the picture that is told these; None if it is refused."""
    try:
        code = method_of(typed.get("method")).load()
        chosen, _ = code.fitted(choose_settings(typed), picture.size)
    except UserError:
        return None
    config: Config = chosen.config
    return config


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
