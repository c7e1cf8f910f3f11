"""Rows of option tables in words, and what was filled in for them as values and commands."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

from consingan.errors import UserError
from consingan.methods.registry import METHODS
from consingan.outputs.registry import OUTPUTS
from consingan.settings.option import check_field, flag_name, type_of, typed_as

Row = dataclasses.Field[Any]

CALLED = {
    "method": "How", "train_mode": "What for", "preset": "Effort", "max_size": "Longer side",
    "naive_img": "Picture to work on", "truth": "Original to compare with",
}  # fmt: skip
"""Labels that are not the names of their rows."""
OF_COMMANDS = ("fine_tune", "vgg_weights")
"""Settings that stand nowhere on the page: weights are larger than what may be sent."""
FLAG = re.compile(r"(?<![\w-])--([A-Za-z]\w*)")
GO_ON = re.compile(r"go on with: .* --resume --model_dir .*")


def row_of(table: type, name: str) -> Row:
    """The row of that name."""
    found: Row = table.__dataclass_fields__[name]  # type: ignore[attr-defined]
    return found


def label_of(row: Row) -> str:
    """What it is called on the page."""
    words = row.name.replace("_", " ")
    return CALLED.get(row.name, words[:1].upper() + words[1:])


def value_of(row: Row, given: Any) -> Any:
    """What was filled in, of the row's own type; None stands for nothing.

    Raises:
        UserError: it cannot be read so, or is out of range.
    """
    if row.metadata["kind"] in PARSERS:
        return _parsed(row, str(given or ""))
    if given is None or given == "":
        return None
    kind = type_of(row)
    try:
        value = kind(given) if kind in (int, float) else given
    except ValueError:
        raise UserError(f"{label_of(row)}: write a number.") from None
    check_field(row, value)
    return value


def typed(table: type, given: Mapping[str, Any], recommended: Any) -> dict[str, Any]:
    """Fields that were filled in with something else than what is recommended.

    Args:
        table: a dataclass of option rows.
        given: field -> what its part of the page holds.
        recommended: an object of the table, or of its fields.
    """
    values = {name: value_of(row_of(table, name), value) for name, value in given.items()}
    return {
        name: value
        for name, value in values.items()
        if value is not None and value != getattr(recommended, name)
    }


def words(table: type, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The same as a command takes them: --flag value ..."""
    found: list[str] = []
    for name, value in values.items():
        row = row_of(table, name)
        repeated = row.metadata["kind"] in PARSERS
        for each in in_text(value).split() if repeated else (value,):
            found += typed_as(row, each)
    return tuple(found)


def without_flags(text: str) -> str:
    """What a task does without hints at flags, whose fields may be elsewhere."""
    return re.sub(r" \(--\w+\)", "", text)


def with_labels(text: str) -> str:
    """A sentence of the commands, with what stands on the page in place of flags."""

    def field(found: re.Match[str]) -> str:
        return f'"{_labels()[found[1]]}"' if found[1] in _labels() else found[0]

    return FLAG.sub(field, GO_ON.sub('"Go on with it", under Train.', text))


@functools.cache
def _labels() -> dict[str, str]:
    """Flag -> label of its field."""
    tables: list[Any] = [method.config for method in METHODS.values()]
    tables += [output.request for output in OUTPUTS.values()]
    rows = [row for table in tables for row in dataclasses.fields(table)]
    return {flag_name(row): label_of(row) for row in rows if row.name not in OF_COMMANDS}


def in_text(value: Any) -> str:
    """A sequence as it is typed."""
    if isinstance(value, str) or value is None:
        return value or ""
    parts = [f"{v[1]}x{v[0]}" if isinstance(v, tuple) else str(v) for v in value]
    return " ".join(parts)


def _size(text: str) -> tuple[int, int]:
    width, height = re.fullmatch(r"(\d+)[xX](\d+)", text).groups()  # type: ignore[union-attr]
    return int(height), int(width)


def _stage(text: str) -> Any:
    return text if text == "all" else int(text)


PARSERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "size": (_size, "sizes as WIDTHxHEIGHT, for example 400x250"),
    "stage": (_stage, "numbers of stages, or all"),
    "factor": (float, "numbers above 0"),
    "share": (float, "numbers from 0 to 1"),
}
"""How a repeated value is read, by the `kind` of its row, and how that is said."""


def _parsed(row: Row, text: str) -> tuple[Any, ...]:
    read, how = PARSERS[row.metadata["kind"]]
    try:
        return tuple(read(part) for part in re.split(r"[\s,;]+", text.strip()) if part)
    except (ValueError, AttributeError):
        raise UserError(f"{label_of(row)}: write {how}.") from None
