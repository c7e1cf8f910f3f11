"""Calls from a program: torch is as usual in them, and errors name arguments, not flags."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Iterator
from typing import TypeVar

from consingan.errors import UserError
from consingan.machine.usual import torch_as_usual
from consingan.methods.registry import METHODS
from consingan.settings.option import flag_names

T = TypeVar("T")
COMMAND = re.compile(r"\bpython (-m consingan|\S+\.py)\b|\bconsingan [a-z]")
FLAG = re.compile(r"--(no_)?(\w+)")
ARGUMENTS = {"num_samples": "n", **{
    flag: field.name
    for method in METHODS.values()
    for field in dataclasses.fields(method.config)
    for flag in flag_names(field)
}}  # fmt: skip


@contextlib.contextmanager
def asked_in_python(**names: str) -> Iterator[None]:
    """For as long as a call takes; also a decorator.

    Args:
        **names: flag -> argument, where this call has another one than a training.
    """
    with torch_as_usual():
        try:
            yield
        except UserError as error:
            error.args = tuple(arguments_named(str(text), **names) for text in error.args)
            raise


def each_asked_in_python(items: Iterator[T]) -> Iterator[T]:
    """What an iterator gives, each made as it is asked for; between, all is the caller's."""
    while True:
        with asked_in_python():
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


def arguments_named(text: str, **names: str) -> str:
    """A sentence with arguments in place of flags; a command in it stays, with all that follows."""
    command = COMMAND.search(text)
    place = command.start() if command else len(text)
    known = ARGUMENTS | names
    return FLAG.sub(lambda flag: _argument(flag, known), text[:place]) + text[place:]


def _argument(flag: re.Match[str], known: dict[str, str]) -> str:
    name = known.get(flag[2], flag[2])
    return f"{name}=False" if flag[1] else name
