"""Settings of a new training: what was typed over those of its preset and of its task."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import Field
from types import MappingProxyType
from typing import Any

from consingan.errors import UserError
from consingan.machine.files import at_home
from consingan.methods.contract import FineTuning, Method, Task
from consingan.methods.registry import METHODS, method_of, methods_with
from consingan.settings.config import Config
from consingan.settings.layers import Chosen, choose
from consingan.settings.option import check_field, flag_name, type_of
from consingan.settings.reading import RGB

RANGES = ("value_range", "condition_range")  # two numbers, as text
MASK = "mask"  # field of `contract.Inputs` that is a hole, not a picture
# Outputs that are made of the training's own picture alone, and what is done to it.
OF_ONE_PICTURE = {"enlargement": "enlarges", "fill": "fills the hole of"}


def choose_settings(
    typed: Mapping[str, Any], usual: Mapping[str, Any] = MappingProxyType({})
) -> Chosen[Any]:
    """Settings of a new training: what was typed over those of its preset and of its task.

    Args:
        typed: fields that the user gave.
        usual: what the caller has in place of the method's defaults.

    Raises:
        UserError: a value that cannot work.
    """
    method = method_of(typed.get("method"))
    task = task_of(method, typed.get("train_mode"))
    recommended = _recommended(task, typed)
    preset = preset_of(method, task, typed, recommended)
    layers = {"usual": usual, "task": recommended, "preset": preset, "typed": typed}
    return choose(method.config, layers)


def choose_fine_tuning(
    trained: Config, fine_tuning: FineTuning, typed: Mapping[str, Any]
) -> Chosen[Any]:
    """Settings of a fine-tuning: what was typed over the preset, over what is recommended for it,
    over the trained run's own.

    Raises:
        UserError: a value that cannot work.
    """  # noqa: D205 - one sentence
    method = method_of(trained.method)
    own = {k: v for k, v in trained.to_json().items() if k not in ("fine_tune", "naive_img")}
    task = task_of(method, typed.get("train_mode") or own["train_mode"])
    preset = fine_tuning.preset(preset_of(method, task, typed, fine_tuning.settings), typed)
    layers = {"run": own, "fine-tuning": fine_tuning.settings, "preset": preset, "typed": typed}
    return choose(method.config, layers)


def task_of(method: Method, name: str | None) -> Task:
    """The row of a method's task, by default its first one.

    Raises:
        UserError: the method has none of that name; the sentence says which methods have.
    """
    name = name or default_task(method)
    if name in method.tasks:
        return method.tasks[name]
    others = methods_with(name)
    if others:
        raise UserError(
            f"--train_mode {name} is not a task of --method {method.name}; use --method "
            f"{' or '.join(others)}, or a --train_mode of {', '.join(method.tasks)}."
        )
    raise UserError(
        f"--train_mode {name} is unknown; --method {method.name} has {', '.join(method.tasks)}; "
        "consingan methods shows those of all."
    )


def default_task(method: Method) -> str:
    """What a method does where nobody says."""
    return str(method.config.__dataclass_fields__["train_mode"].default)


def preset_of(
    method: Method, task: Task, typed: Mapping[str, Any], beneath: Mapping[str, Any]
) -> dict[str, Any]:
    """The settings of the preset that the user asked for, as the task has them.

    A preset never trains longer than `beneath`, what it is laid over, or what was typed asks for.

    Raises:
        UserError: the method has no such preset.
    """
    default = method.config.__dataclass_fields__["preset"].default
    name = str(typed.get("preset") or beneath.get("preset") or default)
    if name not in method.presets:
        known = ", ".join(method.presets)
        raise UserError(f"--preset {name} is unknown; choose one of {known}.")
    settings = dict({**method.presets, **task.presets}[name])
    usual = method.config.__dataclass_fields__["niter"].default
    full = typed.get("niter") or beneath.get("niter", usual)
    for count in settings.keys() & set(method.counts):
        if isinstance(full, int):
            settings[count] = min(settings[count], full)
    return settings


def _recommended(task: Task, typed: Mapping[str, Any]) -> dict[str, Any]:
    """A task's own settings, with a min_size that does not contradict a max_size typed."""
    settings = dict(task.overrides)
    if typed.get("max_size") is not None and "min_size" in settings:
        settings["min_size"] = min(settings["min_size"], typed["max_size"])
    return settings


def refuse_foreign_settings(method: Method, names: Mapping[str, str]) -> None:
    """Refuse settings of other methods.

    Args:
        method: that was asked for.
        names: field -> how the user wrote it, of everything that was given.

    Raises:
        UserError: one of them is not this method's; the sentence names those that have it.
    """
    for name, written in names.items():
        if name in method.config.__dataclass_fields__:
            continue
        others = [m.name for m in METHODS.values() if name in m.config.__dataclass_fields__]
        if others:
            raise UserError(
                f"{written} is a setting of --method {' or '.join(others)}, not of "
                f"{method.name}; leave it out, or name that method."
            )


def trainable(method: Method, config: Config) -> tuple[str, ...]:
    """The channels that these settings can train of a picture; around a hole only RGB."""
    holed = MASK in method.pictures(config)
    return (RGB,) if holed else method.tasks[config.train_mode].channels


def no_naive_image(config: Config) -> UserError:
    """The error that says which tasks work on a picture of the user's own, the method's first."""
    own = {config.method: METHODS[config.method]} if config.method in METHODS else {}
    takes = any(m.tasks[config.train_mode].takes_naive for m in own.values())
    if takes and any(MASK in m.pictures(config) for m in own.values()):
        return UserError(
            "--naive_img does not go with a hole of the training itself (--mask); leave it out to "
            "fill that one, or train without --mask to fill the holes of other pictures."
        )
    outputs = {m.tasks[config.train_mode].output for m in own.values()}
    for output in outputs & OF_ONE_PICTURE.keys():
        return UserError(
            f"--naive_img does not go with --train_mode {config.train_mode}, which "
            f"{OF_ONE_PICTURE[output]} the picture that it was trained on; for another one train "
            "anew, with that as --input_name."
        )
    for methods in (own, METHODS):
        rows = (row for method in methods.values() for row in method.tasks.items())
        takers = [name for name, task in rows if task.takes_naive and name != config.train_mode]
        if takers:
            break
    return UserError(
        f"--naive_img does not go with --train_mode {config.train_mode}; it needs a model trained "
        f"with --train_mode {' or '.join(dict.fromkeys(takers))}."
    )


def checked_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by the names of their fields, paths as text, NumPy's numbers as Python's own.

    Raises:
        UserError: there is no such setting, and the sentence names the nearest; or a value is of
            another type or out of range.
    """
    method = method_of(settings.get("method"))
    fields = method.config.__dataclass_fields__
    flags = {flag_name(field): name for name, field in fields.items()}
    refuse_foreign_settings(method, {name: repr(name) for name in settings})
    for name in settings:
        if name == "input_name":
            raise UserError("The picture is the first argument of train; leave input_name out.")
        if name not in fields:
            near = [flags[name]] if name in flags else []
            near = near or difflib.get_close_matches(name, fields, 1)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"see {method.config.__module__}.{method.config.__name__}."
            )
            raise UserError(f"There is no setting {name!r}; {hint}")
    plain = {name: _plain(fields[name], value) for name, value in settings.items()}
    for name, value in plain.items():
        if value is not None:
            check_field(fields[name], value)
    return plain


def _plain(field: Field[Any], value: Any) -> Any:
    """A value as the command line would have it: "0,255" of a pair, too, but no picture itself."""
    if getattr(value, "shape", None) == ():
        value = value.item()
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if isinstance(path, str):
        return at_home(path)
    if type_of(field) is not str:
        return value
    if field.name in RANGES and value is not None:
        listed = value.tolist() if hasattr(value, "tolist") else value
        return ",".join(map(str, listed if isinstance(listed, (list, tuple)) else [listed]))
    if field.default == "" and not field.metadata["choices"] and value is not None:
        shape = getattr(value, "shape", None)
        kind = type(value).__name__ if shape is None else f"an array of shape {(*shape,)}"
        raise UserError(f"{field.name} is {kind}; give the path of a file as text.")
    return value
