"""What a setting carries beside its default: help, range, choices, flag."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection
from typing import Any

from consingan.errors import UserError


def _option(
    default: Any,
    help: str,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    choices: Collection[str] | None = None,
    flag: str | None = None,
    group: str = "training",
) -> Any:
    """A field of Config with what the command line shows and checks of it."""
    metadata = {
        "help": help,
        "minimum": minimum,
        "above": above,
        "maximum": maximum,
        "choices": choices,
        "flag": flag,
        "group": group,
    }
    return dataclasses.field(default=default, metadata=metadata)


def flag_name(field: dataclasses.Field[Any]) -> str:
    """The long flag of a Config field without its dashes, as the articles write it."""
    return field.metadata["flag"] or field.name


_IN_WORDS = {int: "a whole number", float: "a number", bool: "True or False", str: "text"}


def _check_field(field: Any, value: Any) -> None:
    flag, meta = f"--{flag_name(field)}", field.metadata
    kind = type(field.default)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise UserError(f"{flag} {value!r} must be {_IN_WORDS[kind]}.")
    if meta["choices"] and value not in meta["choices"]:
        raise UserError(f"{flag} {value} is unknown; choose one of {', '.join(meta['choices'])}.")
    if isinstance(value, (str, bool)):
        return
    if not math.isfinite(value):
        raise UserError(f"{flag} {value} must be a finite number.")
    if meta["minimum"] is not None and value < meta["minimum"]:
        raise UserError(f"{flag} {value} must be {meta['minimum']} or more.")
    if meta["above"] is not None and value <= meta["above"]:
        raise UserError(f"{flag} {value} must be above {meta['above']}.")
    if meta["maximum"] is not None and value > meta["maximum"]:
        raise UserError(f"{flag} {value} must be {meta['maximum']} or less.")
