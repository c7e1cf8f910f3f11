"""What of the page can be used before the browser has bound what it does."""

from __future__ import annotations

import contextvars
import copy
import gc
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page; Gradio, which takes seconds, is imported here alone."""
    folder = tmp_path_factory.mktemp("page")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Gradio leaves event loops open
        pytest.importorskip("gradio")
        from consingan.web.page import build

        blocks, _ = build(folder, folder / "logs", folder / "sessions")
        gc.collect()
        yield blocks
        gc.collect()


def test_what_would_be_lost_is_off_at_first(page: Any) -> None:
    """A click would do nothing, and a number would be put back."""
    components = page.get_config_file()["components"]
    parts = {c["props"].get("elem_id"): c["props"] for c in components}
    for name in ("train-start", "train-size", "paint-start", "paint-size"):
        assert parts[name]["interactive"] is False


def test_nothing_is_drawn_while_something_else_is(page: Any) -> None:
    """Gradio would number events of both alike."""
    drawing = [event for event in page.fns.values() if event.renderable]
    assert len(drawing) == 3
    assert {(event.concurrency_id, event.concurrency_limit) for event in drawing} == {
        ("drawing", 1)
    }


def test_an_estimate_goes_by_nothing_whose_choices_another_method_changes(page: Any) -> None:
    """When its turn comes they may be those of another, and Gradio would refuse what it has."""
    estimates = [event for event in page.fns.values() if event.concurrency_id == "estimate"]
    assert len(estimates) == 8
    parts = {part.get_block_name() for event in estimates for part in event.inputs}
    assert parts == {"state", "slider"}


def test_a_slider_is_heard_when_its_keys_are_used(page: Any) -> None:
    """They are input alone; a release comes of the mouse."""
    heard = {target for event in page.fns.values() for target in event.targets}
    released = {part for part, name in heard if name == "release"}
    assert len(released) == 4
    assert {(part, "input") for part in released} <= heard


@pytest.mark.parametrize(
    ("sent", "given"),
    [([None, 9999, "a"], [None, 1024, "a"]), ([None, None], [None, 16]),
     ([None, -1, "a", "more"], [None, 16, "a", "more"])],
)  # fmt: skip
def test_a_slider_is_given_within_its_ends_and_nothing_that_was_sent_is_lost(
    page: Any, monkeypatch: pytest.MonkeyPatch, sent: list[Any], given: list[Any]
) -> None:
    """Gradio refuses what is beyond them, and says itself what is missing."""
    import gradio as gr

    async def answer(_page: Any, _event: Any, inputs: list[Any], *_: Any) -> list[Any]:
        return inputs

    monkeypatch.setattr(gr.Blocks, "preprocess_data", answer)
    parts = {getattr(part, "elem_id", None): part for part in page.blocks.values()}
    event = SimpleNamespace(inputs=[gr.State(), parts["train-size"], parts["train-method"]])
    with pytest.raises(StopIteration) as answered:
        page.preprocess_data(event, sent, None).send(None)
    assert answered.value.value == given


def test_what_is_stopped_is_stopped_at_once_and_nothing_that_begins_later(page: Any) -> None:
    """The browser waits for the end of each before it cancels the next, which may be a new one."""
    stops = [event.cancels for event in page.fns.values() if event.cancels]
    assert [len(cancelled) for cancelled in stops] == [1, 1]
    dropped, pressed = (page.fns[cancelled] for (cancelled,) in stops)
    assert dropped.trigger_mode == "always_last"  # of the last picture, whatever is being made
    assert pressed.trigger_mode == "once"


def test_what_a_visitor_has_may_grow_while_gradio_goes_through_it(page: Any) -> None:
    """It does with nearly every event, and what is drawn at the time would never come."""
    own = copy.copy(page.default_config)
    for parts in (own.blocks, own.fns):
        before = len(parts)
        for way in (parts, parts.keys(), parts.values(), parts.items()):
            for _ in way:
                parts[-len(parts)] = None
        assert len(parts) > before
    assert -1 not in page.default_config.blocks
    assert len(page.default_config.blocks) < len(own.blocks)


def test_what_an_event_has_just_replaced_is_drawn_all_the_same(page: Any) -> None:
    """A tick of what was drawn before replaces the timer of what is being drawn."""
    import gradio as gr
    from gradio.context import LocalContext

    own, painting = copy.copy(page.default_config), page.renderables[0]

    def draw() -> list[Any]:
        LocalContext.blocks_config.set(own)
        painting.apply(("patches", "harmonization"), [])
        drawn = [part for part in own.blocks.values() if part.rendered_in is painting]
        for timer in (part for part in drawn if isinstance(part, gr.Timer)):
            own.blocks[timer._id] = gr.Timer(render=False)  # as Gradio does with an update
        return own.get_config(painting)["components"]

    components = contextvars.copy_context().run(draw)
    (timer,) = (part for part in components if part["type"] == "timer")
    assert timer["rendered_in"] == painting._id
