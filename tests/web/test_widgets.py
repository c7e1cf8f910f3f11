"""Parts of the page that are off until it has bound what they do."""

from __future__ import annotations

import gc
import time
import warnings
from contextvars import copy_context

import pytest

pytest.importorskip("gradio")

import gradio as gr
from gradio.context import LocalContext

from consingan.web.widgets import AGAIN, awaken, draw, drop_place, fold, turned_on


def test_a_part_is_told_again_for_some_seconds_that_it_may_be_used() -> None:
    """One answer may be lost, and the part would be off for as long as the page is open."""
    *on, timer, began = turned_on(2, 0.0)
    assert [told["interactive"] for told in on] == [True, True]
    *on, timer, again = turned_on(2, began)
    assert (timer["active"], again) == (True, began)
    *on, timer, _ = turned_on(2, time.monotonic() - AGAIN - 1)
    assert [told["interactive"] for told in on] == [True, True]
    assert timer["active"] is False


def test_what_is_told_makes_no_part_of_the_page() -> None:
    """One that is made in a handler joins the visitor's page, again with every tick."""
    assert not any(isinstance(told, gr.blocks.Block) for told in turned_on(2, 0.0))


def test_what_was_drawn_before_may_still_tick() -> None:
    """It does until the browser has what is drawn now; the server knows that alone by then."""

    def ticks(page: gr.Blocks) -> list[int]:
        LocalContext.blocks_config.set(page.default_config)
        page.renderables[0].apply(None)
        return [i for i, event in page.fns.items() if event.targets[0][1] == "tick"]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Gradio leaves event loops open
        with gr.Blocks() as page:
            button = gr.Button()
            gr.render(inputs=[button])(lambda _: awaken(button))
        assert copy_context().run(ticks, page) == copy_context().run(ticks, page)
        gc.collect()


def test_what_is_drawn_anew_stays_as_the_visitor_left_it_where_it_is_the_same() -> None:
    """The browser keeps what it is told nothing of: a part's being open, a picture."""

    def form(now: str, before: str | None) -> None:
        with fold("More", before is not None):
            drop_place("Mask", stays=now == before)

    def drawn(page: gr.Blocks) -> list[tuple[object, ...]]:
        LocalContext.blocks_config.set(page.default_config)
        (drawing,), last, found = page.renderables, [], []
        for now in ("a", "a", "b"):
            drawing.apply(now, last)
            parts = page.default_config.get_config(drawing)["components"]
            told = {part["type"]: part["props"] for part in parts}
            found.append((told["accordion"].get("open", ...), told["file"].get("value", ...)))
        return found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Gradio leaves event loops open
        with gr.Blocks() as page:
            draw(gr.State("a"), form)
        assert copy_context().run(drawn, page) == [(False, None), (..., ...), (..., None)]
        gc.collect()
