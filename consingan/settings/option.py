"""What a setting carries beside its default: help, range, choices, flag.

Tables of options are dataclasses, each of whose fields is made by `option`: the command line, the
checks, the documentation and the Python API read the same row.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection
from typing import Any

from consingan.errors import UserError


def option(
    default: Any,
    help: str,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    choices: Collection[str] | None = None,
    flag: str | None = None,
    group: str = "training",
    kind: str | None = None,
    metavar: str | None = None,
    shown: str | None = None,
    before: Any = None,
) -> Any:
    """A field of a table of options.

    Args:
        default: what holds where nobody says anything; its type is the option's.
        help: what it does to the picture, in one line.
        minimum: the least number.
        above: a number that all must be above.
        maximum: the greatest number.
        choices: the words that are allowed.
        flag: the long flag without its dashes, where it is not the field's name.
        group: heading in the help.
        kind: how a text or a repeated value is read on the command line: "path", "terms", "size"
            (WxH), "stage" (a number or all), "factor" (above 0), "share" (0 to 1); "count" and
            "level" (0 to 1) where nothing is the default; of a setting, "words" where words may
            stand in place of a file.
        metavar: what stands for the value in the help.
        shown: the default in words, where it is not the value itself.
        before: what runs were made with that were kept before there was this option; None: the
            default.
    """
    metadata = {
        "help": help,
        "minimum": minimum,
        "above": above,
        "maximum": maximum,
        "choices": choices,
        "flag": flag,
        "group": group,
        "kind": kind,
        "metavar": metavar,
        "shown": shown,
        "before": before,
    }
    return dataclasses.field(default=default, metadata=metadata)


def flag_name(field: dataclasses.Field[Any]) -> str:
    """The long flag of a field without its dashes, as the articles write it."""
    return field.metadata["flag"] or field.name


def flag_names(field: dataclasses.Field[Any]) -> tuple[str, ...]:
    """All long flags of a field without their dashes: with capitals also as the field is called."""
    flag = flag_name(field)
    alike = flag.lower().replace("_", "") == field.name.replace("_", "")
    return (flag, field.name) if alike and flag != field.name else (flag,)


def typed_as(field: dataclasses.Field[Any], value: object) -> tuple[str, ...]:
    """A field's value as the words that one types."""
    flag = flag_name(field)
    if isinstance(value, bool):
        return (f"--{flag}" if value else f"--no_{flag}",)
    return f"--{flag}", str(value)


OPTIONAL = {"count": int, "level": float}
"""Types of values whose default is nothing, by the `kind` of their rows."""


def type_of(field: dataclasses.Field[Any]) -> Any:
    """The type of a field's values."""
    return OPTIONAL.get(field.metadata["kind"], type(field.default))


def as_kind(field: dataclasses.Field[Any], value: Any) -> Any:
    """A value as texts give it: whole numbers of real-valued options as real ones, 10 as 10.0."""
    if type_of(field) is not float or type(value) is not int:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf


_IN_WORDS = {int: "a whole number", float: "a number", bool: "True or False", str: "text"}


def check_field(field: Any, value: Any) -> None:
    """Hold one value to its row.

    Raises:
        UserError: it is of another type, unknown or out of range.
    """
    if field.default is None and value is None:
        return
    kind = type_of(field)
    if kind in _IN_WORDS:
        _check_type(flag_name(field), kind, value, field.metadata["choices"])
    _check_range(f"--{flag_name(field)}", field.metadata, value)


def _check_type(flag: str, kind: type, value: Any, choices: Any) -> None:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return
    if type(value) is not kind:
        wanted = f"one of {', '.join(choices)}" if choices else _IN_WORDS[kind]
        raise UserError(f"--{flag} {value!r} must be {wanted}.")


def _check_range(flag: str, meta: Any, value: Any) -> None:
    if meta["choices"] and value not in meta["choices"]:
        raise UserError(f"{flag} {value} is unknown; choose one of {', '.join(meta['choices'])}.")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    if not math.isfinite(value):
        raise UserError(f"{flag} {value} must be a finite number.")
    if meta["minimum"] is not None and value < meta["minimum"]:
        raise UserError(f"{flag} {value} must be {meta['minimum']} or more.")
    if meta["above"] is not None and value <= meta["above"]:
        raise UserError(f"{flag} {value} must be above {meta['above']}.")
    if meta["maximum"] is not None and value > meta["maximum"]:
        raise UserError(f"{flag} {value} must be {meta['maximum']} or less.")
