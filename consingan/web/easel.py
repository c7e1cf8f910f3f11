"""The parts of the Paint tab and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from consingan.methods.registry import method_of
from consingan.web import painting
from consingan.web.answers import told
from consingan.web.fields import without_flags
from consingan.web.orders import default_preset, recommended

AT_ONCE = 500  # px, longer side that is worked at where nothing is trained
HINTS = {
    True: "Brush over what is to vanish; what is around it grows into it.",
    False: "Drop an object in, or paint into the picture. Without either the whole picture is "
    "worked on.",
}


@dataclass(frozen=True)
class Parts:
    """The components of the tab; `together` holds a method and a task that fit."""

    upload: gr.File
    brought: gr.State
    task: gr.Radio
    method: gr.Dropdown
    together: gr.State
    hint: gr.HTML
    editor: gr.ImageEditor
    dropping: gr.Group
    dropped: gr.File
    object: gr.State
    across: gr.Slider
    down: gr.Slider
    width: gr.Slider
    placed: gr.Image
    size: gr.Slider
    cost: gr.HTML
    start: gr.Button
    before_after: gr.ImageSlider
    save: gr.DownloadButton
    message: gr.HTML

    @property
    def place(self) -> list[Any]:
        """Where the object is."""
        return [self.across, self.down, self.width]

    @property
    def given(self) -> list[Any]:
        """What `paint.Given` holds, in its order."""
        return [self.brought, self.editor, self.object, *self.place, self.task, self.method,
                self.size]  # fmt: skip


def laid_out() -> Parts:
    """Left the picture and what is painted, right what is made of it."""
    with gr.Row(elem_classes="row"):
        with gr.Column(scale=1, min_width=300):
            left = _left()
        with gr.Column(scale=1, min_width=300):
            right = _right()
    return Parts(**left, **right)


def _left() -> dict[str, Any]:
    rows = painting.tasks()
    first = next(iter(rows))
    upload = gr.File(label="Your picture", type="filepath", height=120, elem_id="paint-drop")
    task = gr.Radio([(_in_words(name), name) for name in rows], value=first, label="What to do",
                    elem_id="paint-task",
                    info=what_it_does(method_choices(first)[0][1], first))  # fmt: skip
    hint = gr.HTML(told(HINTS[painting.is_hole(rows[first])]))
    editor = gr.ImageEditor(
        label="Paint here", type="numpy", image_mode="RGBA", sources=(), transforms=(),
        interactive=True, layers=False, format="png", buttons=["fullscreen"],
        elem_id="paint-editor", height=460,
        brush=gr.Brush(default_size=30, colors=["#ff2060", "#000000", "#ffffff", "#2060ff"]),
        eraser=gr.Eraser(default_size=30),
    )  # fmt: skip
    with gr.Group(visible=not painting.is_hole(rows[first])) as dropping:
        dropped = gr.File(label="An object to drop in, best with a transparent background",
                          type="filepath", height=110, elem_id="paint-object")  # fmt: skip
        placed = gr.Image(label="Click where it should be", interactive=False, visible=False,
                          buttons=[], elem_id="paint-placed")  # fmt: skip
        with gr.Row():
            across = gr.Slider(0, 100, 50, step=1, label="Left to right, %")
            down = gr.Slider(0, 100, 50, step=1, label="Top to bottom, %")
            width = gr.Slider(1, 100, 30, step=1, label="How wide, %")
    return {"upload": upload, "brought": gr.State(None), "task": task, "hint": hint,
            "editor": editor, "dropping": dropping, "dropped": dropped, "object": gr.State(None),
            "across": across, "down": down, "width": width, "placed": placed}  # fmt: skip


def _right() -> dict[str, Any]:
    first = next(iter(painting.tasks()))
    choices = method_choices(first)
    method = gr.Dropdown(choices, value=choices[0][1], label="How", elem_id="paint-method")
    size = gr.Slider(16, 1024, size_for(choices[0][1], first), step=1, elem_id="paint-size",
                     label="Longer side that is worked at, px",
                     info="The result has the picture's own size.", interactive=False)  # fmt: skip
    cost = gr.HTML(elem_id="paint-cost")
    start = gr.Button("Make the picture", variant="primary", elem_id="paint-start",
                      interactive=False)  # fmt: skip
    message = gr.HTML(elem_id="paint-message")
    slider = gr.ImageSlider(label="Before and after: move the line", interactive=False,
                            type="filepath", visible=False, elem_id="paint-result",
                            buttons=["fullscreen"])  # fmt: skip
    save = gr.DownloadButton("Save the result", visible=False, elem_id="paint-save")
    together = gr.State((choices[0][1], first))
    return {"method": method, "together": together, "size": size, "cost": cost, "start": start,
            "message": message, "before_after": slider, "save": save}  # fmt: skip


def _in_words(task: str) -> str:
    return task.replace("_", " ").capitalize()


def method_choices(task: str) -> list[tuple[str, str]]:
    """Methods that can do it, in words and by name."""
    return [(f"{m.title} ({'is trained first' if painting.learns(m) else 'at once'})", m.name)
            for m in painting.methods_for(task)]  # fmt: skip


def what_it_does(method: str, task: str) -> str:
    """What that method makes of the task, in words."""
    return without_flags(method_of(method).tasks[task].summary)


def size_for(method: str, task: str) -> int:
    """Longer side in px that it is best worked at."""
    best = recommended(method, task, default_preset(method_of(method))).max_size
    return best if painting.learns(method_of(method)) else max(best, AT_ONCE)
