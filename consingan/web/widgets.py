"""Rows of option tables as parts of the page."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from consingan.settings.option import type_of
from consingan.web.fields import PARSERS, Row, in_text, label_of, with_labels

AGAIN = 6.0  # seconds for which a part is told that it may be used


def component(row: Row, value: Any, **more: Any) -> Any:
    """The part of the page that a row becomes.

    Args:
        row: made by `settings.option.option`.
        value: that it shows first.
        **more: for the component.
    """
    meta, kind = row.metadata, type_of(row)
    told = {
        "label": label_of(row),
        "info": with_labels(row.metadata["help"]),
        "interactive": True,
        **more,
    }
    if meta["choices"]:
        return gr.Dropdown(list(meta["choices"]), value=value, **told)
    if meta["kind"] in PARSERS:
        return gr.Textbox(in_text(value), placeholder=meta["shown"] or "", **told)
    if kind is bool:
        return gr.Checkbox(value, **told)
    if (
        kind in (int, float) and value is not None
    ):  # ranges are checked by `value_of`, which says what is right
        return gr.Number(value, precision=0 if kind is int else None, **told)
    return gr.Textbox("" if value is None else str(value), **told)


def drop_place(label: str, stays: bool = False) -> gr.File:
    """Where a picture is brought for a row; empty when it is drawn, unless it `stays`.

    The browser goes on to show, and to send, the picture that was brought for what was drawn before
    where it is not told that there is none; of what has no key Gradio leaves that out.
    """
    none = {} if stays else {"value": None}
    return gr.File(label=label, type="filepath", height=120, interactive=True, key=label,
                   preserved_by_key=None, **none)  # fmt: skip


def fold(label: str, again: bool, **more: Any) -> gr.Accordion:
    """What is folded away at first; drawn `again` it is as the visitor left it."""
    part = gr.Accordion(label, open=False, key=label, **more)
    if again:
        part.open = None  # the browser is told nothing, and leaves it
    return part


def by_hand(part: Any) -> list[Any]:
    """What happens to a part when a visitor changes it.

    Its `change` would come of drawing it too, when what it was drawn for may be gone again.
    """
    if isinstance(part, gr.File):
        return [part.upload, part.clear]
    # A slider's keys are input alone, and its way back to where it was a release alone.
    return [part.input, part.release] if isinstance(part, gr.Slider) else [part.input]


def draw(given: Any, drawn: Callable[[Any, Any], None]) -> None:
    """Draw parts of the page by what is given, anew whenever that changes.

    One after the other: of two that are drawn at once for a visitor Gradio may number events alike,
    or fail as one's parts come while it goes through the other's, and buttons would be dead.

    Args:
        given: a part that holds what is to be drawn.
        drawn: draws it; takes that, and what was drawn for this visitor before, None at first.
    """

    def anew(now: Any, last: list[Any]) -> None:
        before = last[0] if last else None
        last[:] = [now]
        drawn(now, before)

    gr.render(inputs=[given, gr.State([])], concurrency_id="drawing", concurrency_limit=1)(anew)


def awaken(*parts: Any) -> None:
    """Let parts be used that were off until the page has bound what they do.

    Called where that is bound, in what is drawn: a click before would do nothing, without a word,
    and a number that was typed before would be put back. The timer's own event arrives with theirs.
    An answer that comes while a tab is being drawn is lost, so it is given again for some seconds.
    """
    timer, began = gr.Timer(0.5), gr.State(0.0)
    timer.tick(
        partial(turned_on, len(parts)), began, [*parts, timer, began],
        api_visibility="private", show_progress="hidden", trigger_mode="multiple",
        # One that was drawn before still ticks when the server has forgotten what has no key.
        key=f"awaken {parts[0]._id}",
    )  # fmt: skip


def turned_on(count: int, began: float) -> tuple[Any, ...]:
    """For each part that it may be used, whether that is to be said again, and since when it is.

    Args:
        count: of parts.
        began: seconds of the monotonic clock, 0 at first.
    """
    now = time.monotonic()
    began = began or now
    on = (gr.update(interactive=True) for _ in range(count))
    # A component made here would join the visitor's page, and fail what is being drawn beside.
    return (*on, gr.update(active=now - began < AGAIN), began)
