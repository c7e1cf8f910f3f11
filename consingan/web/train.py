"""The Train tab: choose a method, see what it takes, put it into the queue, watch it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from consingan.methods.choose import default_task
from consingan.methods.contract import Method
from consingan.methods.registry import METHODS, method_of
from consingan.settings.config import DEFAULT_METHOD
from consingan.web.answers import answering, told
from consingan.web.desk import Desk
from consingan.web.fields import without_flags
from consingan.web.forms import (
    Name,
    filled_in,
    keep_pictures,
    more_settings,
    refuse_another,
)
from consingan.web.orders import (
    cost_of,
    prepared,
    recommended,
    settings_of,
    suggested_preset,
    train_words,
)
from consingan.web.pictures import at_hand
from consingan.web.watch import watch_panel
from consingan.web.widgets import awaken, by_hand, draw

LARGEST, LEAST = 1024, 16  # px
Names = tuple[Name, ...]
There = tuple[tuple[str, ...], Names, tuple[Any, ...]]
"""Method and task, and the pictures that stand under "More" for these."""
NONE_THERE: There = (), (), ()


@dataclass(frozen=True)
class Parts:
    """The components of the left side; `together` holds method, task and preset that fit."""

    upload: gr.File
    shown: gr.Image
    brought: gr.State
    method: gr.Dropdown
    task: gr.Dropdown
    preset: gr.Dropdown
    together: gr.State
    size: gr.Slider
    cost: gr.HTML
    start: gr.Button
    message: gr.HTML
    there: gr.State

    @property
    def chosen(self) -> list[Any]:
        """What is chosen outside of "More"."""
        return [self.brought, self.method, self.task, self.preset, self.size]

    @property
    def estimated(self) -> list[Any]:
        """The same of which the time is told.

        By then another method may have other choices, and Gradio refuses what is none of them.
        """
        return [self.brought, self.together, self.size]


def task_choices(method: Method) -> list[tuple[str, str]]:
    """Its tasks in words."""
    return [(f"{name}: {without_flags(row.summary)}", name) for name, row in method.tasks.items()]


def train_tab(desk: Desk, page: gr.Blocks, tab: gr.Tab) -> None:  # noqa: ARG001
    """Lay the tab out and connect its parts."""
    gr.Markdown("A model learns your picture, to make others like it under Runs. It takes minutes "
                "to hours, also when you close this page.")  # fmt: skip
    with gr.Row(elem_classes="row"):
        with gr.Column(scale=1, min_width=300):
            _left(desk)
        with gr.Column(scale=1, min_width=300):
            watch_panel(desk, page)


def _left(desk: Desk) -> None:
    first = method_of(DEFAULT_METHOD)
    task, preset = default_task(first), suggested_preset(first)
    upload = gr.File(label="The picture to learn from", type="filepath", height=140,
                     elem_id="train-drop")  # fmt: skip
    shown = gr.Image(label="As it was read", interactive=False, height=200, buttons=[],
                     elem_id="train-shown",
                     visible=False, elem_classes="whole")  # fmt: skip
    methods = [(m.title, m.name) for m in METHODS.values()]
    method = gr.Dropdown(methods, value=first.name, label="How", info=first.summary,
                         elem_id="train-method")  # fmt: skip
    tasks = gr.Dropdown(task_choices(first), value=task, label="What for", elem_id="train-task")
    presets = gr.Dropdown(list(first.presets), value=preset, label="Effort",
                          info="paper is as published; others take less time.",
                          elem_id="train-preset")  # fmt: skip
    best = recommended(first.name, task, preset)
    size = gr.Slider(LEAST, LARGEST, best.max_size, step=1, label="Longer side, px",
                     info="Larger is sharper and slower.", interactive=False,
                     elem_id="train-size")  # fmt: skip
    cost = gr.HTML(told("Drop a picture to see how long it takes."), elem_id="train-cost")
    start = gr.Button("Train", variant="primary", elem_id="train-start",
                      interactive=False)  # fmt: skip
    message = gr.HTML(elem_id="train-message")
    together = gr.State((first.name, task, preset))
    parts = Parts(upload, shown, gr.State(None), method, tasks, presets, together, size, cost,
                  start, message, gr.State(NONE_THERE))  # fmt: skip
    _connect(desk, parts)
    _starting(desk, parts)


PRIVATE: dict[str, Any] = {"api_visibility": "private"}
LAST: dict[str, Any] = {"trigger_mode": "always_last", **PRIVATE}
"""However quickly one choice follows the other, what is shown is of the last."""
QUIET: dict[str, Any] = {
    "concurrency_id": "estimate",
    "trigger_mode": "always_last",
    "show_progress": "hidden",
    **PRIVATE,
}


def _connect(desk: Desk, parts: Parts) -> None:
    """Bring a picture, choose: after each the estimate is made anew."""

    @answering(parts.message)
    def receive(file: str | None, request: gr.Request) -> dict[Any, Any]:
        if file is None:
            return {parts.brought: None, parts.shown: gr.update(visible=False)}
        brought = desk.bring_in(file, request, "training")
        return {parts.brought: brought, parts.message: told(*brought.notes),
                parts.shown: gr.update(value=str(brought.shown), visible=True)}  # fmt: skip

    @answering(parts.cost)
    def first_estimate(
        request: gr.Request, brought: Any, chosen: tuple[str, ...], size: int, there: There
    ) -> Mapping[Any, Any]:
        names, stay = still_there(there, chosen)
        return _estimate(desk, parts, names, (brought, *chosen, size, *stay), request)

    def other_effort(*together: str) -> dict[Any, Any]:
        return {parts.together: together, parts.size: recommended(*together).max_size}

    def other_task(*together: str) -> dict[Any, Any]:
        return {**other_effort(*together), parts.there: NONE_THERE}

    three = [parts.method, parts.task, parts.preset]
    sized = [parts.together, parts.size]
    anew = [*sized, parts.there]
    heard = [
        parts.upload.change(receive, parts.upload, [parts.brought, parts.shown, parts.message],
                            **PRIVATE),
        parts.method.input(partial(_other_method, parts), parts.method, [*three, *anew], **LAST),
        parts.task.input(other_task, three, anew, **LAST),
        parts.preset.input(other_effort, three, sized, **LAST),
    ]  # fmt: skip
    for event in heard:
        event.then(first_estimate, [*parts.estimated, parts.there], [parts.cost], **QUIET)


def _other_method(parts: Parts, name: str) -> dict[Any, Any]:
    """Its tasks and presets, and what is recommended for the first of each."""
    method = method_of(name)
    task, preset = default_task(method), suggested_preset(method)
    best = recommended(name, task, preset)
    return {parts.method: gr.update(info=method.summary),
            parts.task: gr.update(choices=task_choices(method), value=task),
            parts.preset: gr.update(choices=list(method.presets), value=preset),
            parts.together: (name, task, preset), parts.there: NONE_THERE,
            parts.size: best.max_size}  # fmt: skip


def still_there(there: There, chosen: tuple[str, ...]) -> tuple[Names, tuple[Any, ...]]:
    """The pictures that stay under "More" when it is drawn for what is chosen now."""
    return there[1:] if there[0] == chosen[:2] else ((), ())


def _starting(desk: Desk, parts: Parts) -> None:
    """The rest of the settings, and the button.

    They hang on one state: drawn anew where the method alone has changed, they would be asked with
    the preset of the method before, which gradio refuses.
    """

    def more(together: tuple[str, str, str], before: tuple[str, ...] | None) -> None:
        fields = more_settings(together, before, "train-more")
        names, typed = tuple(fields), list(fields.values())

        @answering(parts.cost)
        def estimate(
            request: gr.Request, brought: Any, chosen: tuple[str, ...], *values: Any
        ) -> Mapping[Any, Any]:
            refuse_another(together, chosen)
            return _estimate(desk, parts, names, (brought, *chosen, *values), request)

        @answering(parts.message)
        def order(request: gr.Request, *values: Any) -> Mapping[Any, Any]:
            refuse_another(together, values[1:4])
            return _order(desk, parts, names, values, request)

        events = [event for field in (parts.size, *typed) for event in by_hand(field)]
        gr.on(events, estimate, inputs=[*parts.estimated, *typed], outputs=[parts.cost], **QUIET)
        if pictures := {name: field for name, field in fields.items() if name[1]}:
            gr.on([event for field in pictures.values() for event in by_hand(field)],
                  lambda *stay: (together[:2], tuple(pictures), stay),
                  list(pictures.values()), parts.there, **PRIVATE)  # fmt: skip
        parts.start.click(order, [*parts.chosen, *typed], [parts.message], **PRIVATE)
        awaken(parts.start, parts.size)

    draw(parts.together, more)


def _settings(
    desk: Desk, names: Names, values: tuple[Any, ...], request: gr.Request
) -> dict[str, Any]:
    """What was filled in, pictures still the visitor's own.

    Raises:
        UserError: something is missing or cannot work.
    """
    brought, method, task, preset, size, *rest = values
    filled = filled_in(desk, method_of(method), names, rest, request)
    chosen = {"method": method, "train_mode": task, "preset": preset, "max_size": size}
    return settings_of(chosen, filled) | {"input_name": str(at_hand(brought).path)}


def _estimate(
    desk: Desk, parts: Parts, names: Names, given: tuple[Any, ...], request: gr.Request
) -> Mapping[Any, Any]:
    if given[0] is None:
        return {parts.cost: told("Drop a picture to see how long it takes.")}
    cost = cost_of(prepared(_settings(desk, names, given, request)))
    return {parts.cost: told(cost.in_words(), *cost.notes)}


def _order(
    desk: Desk, parts: Parts, names: Names, given: tuple[Any, ...], request: gr.Request
) -> Mapping[Any, Any]:
    settings = _settings(desk, names, given, request)
    job = prepared(settings)
    title = f"{job.method.title}, {settings['train_mode']}, {given[0].path.stem}"
    kept = keep_pictures(desk, settings, request)
    desk.trainings.add(title, train_words(kept, desk.root))
    return {parts.message: told(f"Put into the queue: {title}.")}
