"""The settings of the methods as options, each with the heading that it stands under."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import click

from consingan.methods.contract import Method
from consingan.methods.registry import METHODS
from consingan.settings.config import Config
from consingan.settings.option import flag_name, flag_names


class GroupedOption(click.Option):
    """An option with the heading that it stands under in the help."""

    def __init__(self, *args: Any, group: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group


class Word(click.Choice):  # type: ignore[type-arg] # click 8.1 knows no argument
    """A choice in the help; what is none of it is left to what knows the method."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The choice that is meant, else what was typed."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            return value


def settings_called(typed: str) -> Iterator[dataclasses.Field[Any]]:
    """The settings of any method that have a flag of that name."""
    for method in METHODS.values():
        for field in dataclasses.fields(method.config):
            if typed in (*flag_names(field), f"no_{flag_name(field)}"):
                yield field


def shared_settings(method: Method | None = None) -> Iterator[click.Parameter]:
    """An option for every setting that all methods have; None means that it was not typed.

    Args:
        method: whose own defaults, choices and words are shown; None stands for all methods, whose
            tasks and presets are shown, and any word is taken: what a method lacks is refused by
            a better sentence.
    """
    methods = [method] if method else list(METHODS.values())
    choices = {
        "method": list(METHODS),
        "train_mode": list(dict.fromkeys(t for m in methods for t in m.tasks)),
    }
    shared = Config.__dataclass_fields__
    for field in dataclasses.fields(method.config if method else Config):
        if field.name in shared:
            yield _setting(field, choices.get(field.name))


def method_settings(method: Method) -> Iterator[click.Parameter]:
    """An option for every setting that a method adds."""
    shared = Config.__dataclass_fields__
    for field in dataclasses.fields(method.config):
        if field.name not in shared:
            yield _setting(field, None)


def _setting(field: dataclasses.Field[Any], choices: list[str] | None) -> click.Parameter:
    flag, meta = flag_name(field), field.metadata
    kind: Any = type(field.default)
    settings: dict[str, Any] = {"default": None, "help": _help(field)}
    names = [f"--{name}" for name in flag_names(field)]
    allowed = choices or meta["choices"]
    if kind is bool:
        names = [f"--{flag}/--no_{flag}"]
    elif allowed:
        settings["type"] = (Word if choices else click.Choice)(tuple(allowed))
    else:
        settings["type"] = kind
        usual = "PATH" if kind is str else "N" if kind is int else "X"
        settings["metavar"] = meta["metavar"] or usual
    # The function's argument is the field's name, whatever the flag is called.
    return GroupedOption([field.name, *names], group=meta["group"], **settings)


def _help(field: dataclasses.Field[Any]) -> str:
    text, shown = field.metadata["help"], field.metadata["shown"]
    if not shown and (isinstance(field.default, bool) or field.default == ""):
        return f"{text}"
    return f"{text}  [default: {shown or field.default}]"
