"""The Paint tab: brush over a picture or drop an object in, and let a model make it one."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from consingan.images.io import read_picture, write_image
from consingan.images.paste import Placed, paste
from consingan.methods.registry import method_of
from consingan.outputs.requests import CompositeRequest
from consingan.web import painting
from consingan.web.answers import answering, told
from consingan.web.desk import Desk
from consingan.web.easel import HINTS, Parts, laid_out, method_choices, size_for, what_it_does
from consingan.web.fields import typed
from consingan.web.forms import filled_in, keep_pictures, more_settings, refuse_another
from consingan.web.orders import cost_of, default_preset, prepared, settings_of
from consingan.web.pictures import SHOWN, Brought, at_hand, keep, reduced
from consingan.web.widgets import awaken, by_hand, component, draw, fold

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
OPAQUE = "The object has no transparent background: all of its rectangle is dropped in."


@dataclass(frozen=True)
class Given:
    """What a visitor painted and chose."""

    brought: Brought | None
    editor: Any
    dropped: Brought | None
    across: float
    down: float
    width: float
    task: str
    method: str
    size: int

    def place(self) -> Placed:
        """In shares of the picture; the sliders go by percent."""
        return Placed(self.across / 100, self.down / 100, self.width / 100)


def paint_tab(desk: Desk, page: gr.Blocks, tab: gr.Tab) -> None:  # noqa: ARG001
    """Lay the tab out and connect its parts."""
    parts = laid_out()
    _timing(desk, parts, [_bringing(desk, parts), *_choosing(parts)])
    _making(desk, parts)


def _bringing(desk: Desk, parts: Parts) -> Any:
    """The picture, and an object to drop in; returns the event after which the picture is known."""

    @answering(parts.message)
    def receive(file: str | None, request: gr.Request) -> dict[Any, Any]:
        if file is None:
            return {parts.brought: None, parts.editor: None,
                    parts.placed: gr.update(value=None, visible=False)}  # fmt: skip
        brought = desk.bring_in(file, request, "painted", easel=True)
        shown: dict[str, Any] = {"background": str(brought.shown), "layers": [], "composite": None}
        return {parts.brought: brought, parts.editor: shown, parts.message: told(*brought.notes)}

    @answering(parts.message)
    def receive_object(file: str | None, request: gr.Request) -> dict[Any, Any]:
        if file is None:
            return {parts.object: None, parts.placed: gr.update(value=None, visible=False)}
        brought = desk.bring_in(file, request, "object")
        opaque = read_picture(brought.path).alpha is None
        return {parts.object: brought, parts.message: told(OPAQUE) if opaque else ""}

    @answering(parts.message)
    def look(request: gr.Request, brought: Any, dropped: Any, *where: float) -> dict[Any, Any]:
        return {parts.placed: _placed(desk, brought, dropped, where, request)}

    @answering(parts.message)
    def click(brought: Brought | None, event: gr.SelectData) -> dict[Any, Any]:
        height, width = read_picture(at_hand(brought).shown).size
        return {parts.across: round(100 * event.index[0] / width),
                parts.down: round(100 * event.index[1] / height)}  # fmt: skip

    seen, placed = [parts.brought, parts.object, *parts.place], [parts.placed, parts.message]
    parts.dropped.change(receive_object, parts.dropped, [parts.object, parts.placed, parts.message],
                         **QUIET).then(look, seen, placed, **QUIET)  # fmt: skip
    parts.placed.select(click, parts.brought, [parts.across, parts.down, parts.message],
                        **QUIET).then(look, seen, placed, **QUIET)  # fmt: skip
    moved = [event for slider in parts.place for event in by_hand(slider)]
    gr.on(moved, look, seen, placed, trigger_mode="always_last", **QUIET)
    return parts.upload.change(receive, parts.upload,
                               [parts.brought, parts.editor, parts.placed, parts.message],
                               **QUIET).then(look, seen, placed, **QUIET)  # fmt: skip


def _placed(
    desk: Desk, brought: Brought | None, dropped: Brought | None, where: tuple[float, ...],
    request: gr.Request,
) -> Any:  # fmt: skip
    """How the picture looks with the object, at the size of the page."""
    if brought is None or dropped is None:
        return gr.update(value=None, visible=False)
    place, object_file = Placed(*(share / 100 for share in where)), at_hand(dropped).path
    picture, _ = paste(read_picture(at_hand(brought).shown).image, read_picture(object_file), place)
    path = desk.fresh(request, "placed") / "placed.png"
    write_image(path, picture)
    return gr.update(value=str(path), visible=True)


def _choosing(parts: Parts) -> list[Any]:
    """What to do decides how; returns the events after which both are known."""

    def other_task(task: str) -> dict[Any, Any]:
        row, choices = painting.tasks()[task], method_choices(task)
        return {
            parts.task: gr.update(info=what_it_does(choices[0][1], task)),
            parts.hint: told(HINTS[painting.is_hole(row)]),
            parts.dropping: gr.update(visible=not painting.is_hole(row)),
            parts.method: gr.update(choices=choices, value=choices[0][1]),
            parts.together: (choices[0][1], task),
            parts.size: size_for(choices[0][1], task),
        }

    def other_method(method: str, task: str) -> dict[Any, Any]:
        return {
            parts.task: gr.update(info=what_it_does(method, task)),
            parts.together: (method, task),
            parts.size: size_for(method, task),
        }

    last = {"trigger_mode": "always_last", **QUIET}  # however quickly one follows the other
    return [
        parts.task.input(other_task, parts.task,
                         [parts.task, parts.hint, parts.dropping, parts.method, parts.together,
                          parts.size], **last),
        parts.method.input(other_method, [parts.method, parts.task],
                           [parts.task, parts.together, parts.size], **last),
    ]  # fmt: skip


def _timing(desk: Desk, parts: Parts, events: list[Any]) -> None:
    """After each of the events, and for another size, say how long a training takes."""

    @answering(parts.cost)
    def cost(
        request: gr.Request, brought: Brought | None, together: tuple[str, str], size: int
    ) -> dict[Any, Any]:
        method, task = together
        if brought is None or not painting.learns(method_of(method)):
            return {parts.cost: ""}
        row, folder = painting.tasks()[task], desk.fresh(request, "estimate")
        kept = painting.yet_unpainted(at_hand(brought).path, row, folder)
        chosen = settings_of(_chosen(method, task, size), {})
        job = prepared(chosen | painting.told_of(kept, method_of(method), row))
        return {parts.cost: told(f"The training: {cost_of(job).in_words()}.")}

    asked = [parts.brought, parts.together, parts.size]
    for listen in (*(event.then for event in events), partial(gr.on, by_hand(parts.size))):
        listen(cost, asked, parts.cost, concurrency_id="estimate", trigger_mode="always_last",
               **QUIET)  # fmt: skip


def _making(desk: Desk, parts: Parts) -> None:
    """The rest of the options, and the button."""

    def options(together: tuple[str, str], before: tuple[str, ...] | None) -> None:
        method, task = method_of(together[0]), together[1]
        settings = more_settings((*together, default_preset(method)), before, "paint-more",
                                 painting.painted_settings(method.tasks[task]))  # fmt: skip
        rows = painting.asked_of_result(method.tasks[task])
        with fold("More about the result", before is not None), gr.Row():
            request_parts = [component(row, row.default, min_width=150) for row in rows]
        names, count = tuple(settings), len(parts.given)

        @answering(parts.message)
        def make(request: gr.Request, *values: Any) -> dict[Any, Any]:
            given, rest = Given(*values[:count]), values[count:]
            refuse_another(together, (given.method, given.task))
            filled = filled_in(desk, method_of(given.method), names, rest[: len(names)], request)
            about = dict(zip((row.name for row in rows), rest[len(names) :], strict=True))
            return _made(desk, parts, given, filled, about, request)

        parts.start.click(make, [*parts.given, *settings.values(), *request_parts],
                          [parts.before_after, parts.save, parts.message],
                          concurrency_id="compute", api_visibility="private")  # fmt: skip
        awaken(parts.start, parts.size)

    draw(parts.together, options)


def _chosen(method: str, task: str, size: int) -> dict[str, Any]:
    preset = default_preset(method_of(method))
    return {"method": method, "train_mode": task, "preset": preset, "max_size": size}


def _made(
    desk: Desk, parts: Parts, given: Given, filled: dict[str, Any], about: dict[str, Any],
    request: gr.Request,
) -> dict[Any, Any]:  # fmt: skip
    """Make it now, or put it into the queue where a training comes first."""
    picture = at_hand(given.brought)
    method, folder = method_of(given.method), desk.fresh(request, "strokes")
    dropped = (at_hand(given.dropped).path, given.place()) if given.dropped else None
    strokes = painting.strokes_of((given.editor or {}).get("layers"))
    made = painting.painted(picture.path, strokes, dropped, method.tasks[given.task], folder)
    chosen = settings_of(_chosen(given.method, given.task, given.size), filled)
    kept = dataclasses.replace(made, **{
        field.name: keep(path, desk.root)
        for field in dataclasses.fields(made) if (path := getattr(made, field.name))
    })  # fmt: skip
    settings = keep_pictures(desk, chosen, request) | painting.told_of(
        kept, method, method.tasks[given.task]
    )
    asked = typed(CompositeRequest, about, CompositeRequest())
    with desk.turns.alone():
        job = prepared(settings)
        made_now = painting.made_at_once(job, kept, asked, desk.root)
        if made_now is not None:
            result = desk.fresh(request, "result") / f"{kept.picture.stem}_made.png"
            shutil.copyfile(made_now, result)
    if made_now is None:
        title = f"{method.title}, {given.task}, {kept.picture.stem}"
        desk.trainings.add(title, *painting.commands(settings, kept, asked, desk.root))
        return {parts.message: told(
            f"{title} is trained first: the tab Train shows how far it is, the tab Runs the result."
        )}  # fmt: skip
    pair = (
        str(_small(kept.naive, result.with_name("before.png"))),
        str(_small(result, result.with_name("after.png"))),
    )
    return {
        parts.before_after: gr.update(value=pair, visible=True),
        parts.save: gr.update(value=str(result), visible=True),
        parts.message: told(*job.notes),
    }  # fmt: skip


def _small(file: Path, path: Path) -> Path:
    """A picture for the page."""
    write_image(path, reduced(read_picture(file), SHOWN))
    return path
