"""The rest of a method's settings as a form under "More", and what was filled in."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import gradio as gr

from consingan.errors import UserError
from consingan.methods.contract import Method
from consingan.methods.registry import method_of
from consingan.web.desk import Desk
from consingan.web.fields import Row, label_of
from consingan.web.orders import (
    checked_words,
    names_picture,
    recommended,
    shown_rows,
    takes_words,
)
from consingan.web.pictures import keep
from consingan.web.widgets import component, drop_place, fold

Name = tuple[str, bool]
"""A setting, and whether it is a picture that is brought for it."""


def more_settings(
    chosen: tuple[str, str, str], before: tuple[str, ...] | None, name: str,
    without: Collection[str] = (),
) -> dict[Name, Any]:  # fmt: skip
    """Parts for the settings that have no place of their own.

    Args:
        chosen: method whose settings they are, task and preset whose recommended values are shown.
        before: method and task that they were drawn for before; of the same, pictures stay.
        name: of the part in the page.
        without: settings that come from elsewhere.
    """
    best, stay = recommended(*chosen), before is not None and before[:2] == chosen[:2]
    found: dict[Name, Any] = {}
    with fold("More", before is not None, elem_id=name):
        every = shown_rows(method_of(chosen[0]))
        shown = [row for row in every if row.name not in without]
        rows = sorted(shown, key=lambda row: str(row.metadata["group"]))
        for group, members in groupby(rows, key=lambda row: str(row.metadata["group"])):
            gr.Markdown(f"**{group.capitalize()}**")
            with gr.Row():
                for row in members:
                    found |= _parts_of(row, getattr(best, row.name), stay)
    return found


def _parts_of(row: Row, value: Any, stays: bool) -> dict[Name, Any]:
    if not names_picture(row):
        return {(row.name, False): component(row, value, min_width=200)}
    bring = drop_place(f"{label_of(row)}: bring a picture", stays)
    words = {(row.name, False): component(row, value, min_width=200)} if takes_words(row) else {}
    return {**words, (row.name, True): bring}


def refuse_another(laid_out: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    """Refuse what stands in a form that was laid out for another method, task or preset.

    Raises:
        UserError: the form of what is chosen now is still on its way.
    """
    if laid_out != chosen:
        raise UserError("The settings under More are on their way; press again in a moment.")


def filled_in(
    desk: Desk, method: Method, names: Sequence[Name], values: Sequence[Any], request: gr.Request
) -> dict[str, Any]:
    """What stands in the form, by field; pictures are the visitor's own copies.

    Raises:
        UserError: a picture cannot be read, or a word stands where none may.
    """
    table = method.config.__dataclass_fields__
    filled: dict[str, Any] = {}
    for (name, is_picture), value in zip(names, values, strict=True):
        if is_picture and value:
            filled[name] = str(desk.bring_in(value, request, name).path)
        elif names_picture(table[name]) and not is_picture:
            filled[name] = checked_words(table[name], str(value or ""))
        elif not is_picture:
            filled[name] = value
    return filled


def keep_pictures(desk: Desk, settings: Mapping[str, Any], request: gr.Request) -> dict[str, Any]:
    """The same settings, the visitor's own pictures now where a training finds them again."""
    own = desk.own(request)
    return {
        name: str(keep(Path(value), desk.root))
        if isinstance(value, str) and Path(value).is_relative_to(own)
        else value
        for name, value in settings.items()
    }
