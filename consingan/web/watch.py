"""What is being trained: how far, for how long, what it looks like, what waits; stop and resume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from consingan.errors import UserError
from consingan.machine.progress import in_words
from consingan.runs.folder import RunFolder
from consingan.runs.manifest import MANIFEST
from consingan.runs.progress import Progress, read_progress
from consingan.web.answers import answering, refused, told
from consingan.web.cards import card_of, cards
from consingan.web.desk import Desk, copy_to_show
from consingan.web.orders import resume_words

EVERY = 2.0  # seconds between two looks


@dataclass(frozen=True)
class View:
    """What the panel shows, so that only what has changed is sent again."""

    state: str = ""
    sheet: tuple[str, int] | None = None
    curves: tuple[str, int] | None = None
    unfinished: tuple[tuple[str, str], ...] = ()
    waiting: tuple[tuple[str, int], ...] = ()
    going: tuple[tuple[int, Path | None], ...] = ()


@dataclass(frozen=True)
class Panel:
    """The components."""

    state: gr.HTML
    stop: gr.Button
    resume: gr.Button
    unfinished: gr.Dropdown
    waiting: gr.Dropdown
    drop: gr.Button
    message: gr.HTML
    sheet: gr.Image
    curves: gr.Image
    seen: gr.State

    @property
    def shown(self) -> list[Any]:
        """What `_changes` gives values for."""
        return [self.state, self.sheet, self.curves, self.unfinished, self.resume, self.waiting,
                self.drop, self.message, self.seen]  # fmt: skip


QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def watch_panel(desk: Desk, page: gr.Blocks) -> None:
    """Lay the panel out and let it look again every few seconds."""
    panel = _laid_out()

    def look(before: View, request: gr.Request) -> list[Any]:
        return _changes(desk, before, view_of(desk), request)

    def first_look(request: gr.Request) -> list[Any]:
        return look(View(), request)

    page.load(first_look, None, panel.shown, **QUIET)
    gr.Timer(EVERY).tick(look, panel.seen, panel.shown, **QUIET)
    _buttons(desk, panel, look)


def _laid_out() -> Panel:
    image: dict[str, Any] = {"interactive": False, "buttons": ["fullscreen"], "visible": False,
                             "elem_classes": "whole"}  # fmt: skip
    state = gr.HTML(told("Looking for trainings ..."), elem_id="watch-state")
    stop = gr.Button("Stop", elem_id="watch-stop")
    unfinished = gr.Dropdown([], label="Unfinished trainings", elem_id="watch-unfinished",
                             interactive=True, visible=False)  # fmt: skip
    resume = gr.Button("Go on with it", elem_id="watch-resume", visible=False)
    waiting = gr.Dropdown([], label="Waiting in the queue", visible=False, interactive=True)
    drop = gr.Button("Take it out of the queue", visible=False)
    message = gr.HTML(elem_id="watch-message")
    sheet = gr.Image(label="Samples after each stage", elem_id="watch-sheet", **image)
    curves = gr.Image(label="Curves", **image)
    return Panel(state, stop, resume, unfinished, waiting, drop, message, sheet, curves,
                 gr.State(View()))  # fmt: skip


def _buttons(desk: Desk, panel: Panel, look: Callable[[View, gr.Request], list[Any]]) -> None:
    """Stop, go on, take out of the queue; the panel looks again after each."""
    message = panel.message

    @answering(message)
    def stop(seen: View) -> dict[Any, Any]:
        desk.trainings.stop(dict(seen.going))
        return {message: told("Stopping: the state is being saved.")}

    @answering(message)
    def resume(name: str | None) -> dict[Any, Any]:
        card = card_of(desk.root, name)
        if read_progress(card.path) is not None:
            raise UserError("That training is going on.")
        if desk.trainings.holds(resume_words(card.path)):
            raise UserError("That is in the queue already.")
        desk.trainings.add(f"Going on with {card.title}", resume_words(card.path))
        return {message: told("In the queue.")}

    @answering(message)
    def drop(number: int | None) -> dict[Any, Any]:
        desk.trainings.drop(int(number or 0))
        return {message: told("Taken out.")}

    for button, handler, given in (
        (panel.stop, stop, panel.seen), (panel.resume, resume, panel.unfinished),
        (panel.drop, drop, panel.waiting),
    ):  # fmt: skip
        button.click(handler, given, message, api_visibility="private").then(
            look, panel.seen, panel.shown, **QUIET
        )


def view_of(desk: Desk) -> View:
    """What there is to see now."""
    running = desk.trainings.running()
    run = next(iter(running.values()), None)
    order = desk.trainings.current()
    last = desk.trainings.last()
    path = run or (order.run if order else None) or (last.run if last else None)
    return View(
        _state(desk, running),
        _newest(path, "*/samples.png"),
        _newest(path, "losses.png"),
        tuple(_unfinished(desk.root, set(running))),
        tuple((o.title, o.number) for o in desk.trainings.waiting()),
        tuple(desk.trainings.going(running).items()),
    )


def _changes(desk: Desk, before: View, now: View, request: gr.Request) -> list[Any]:
    """Of each part of the panel its new value, or nothing where it is as it was."""

    def changed(name: str, value: Any) -> Any:
        return gr.skip() if getattr(before, name) == getattr(now, name) else value

    def picture(name: str) -> Any:
        if getattr(before, name) == getattr(now, name):
            return gr.skip()
        file = getattr(now, name)
        shown = file and str(copy_to_show(Path(file[0]), desk.fresh(request, name)))
        return gr.update(value=shown, visible=file is not None)

    first = now.unfinished[0][1] if now.unfinished else None
    some, waits = bool(now.unfinished), bool(now.waiting)
    choice = now.waiting[0][1] if waits else None
    return [
        changed("state", now.state),
        picture("sheet"),
        picture("curves"),
        changed("unfinished", gr.update(choices=list(now.unfinished), value=first, visible=some)),
        changed("unfinished", gr.update(visible=some)),
        changed("waiting", gr.update(choices=list(now.waiting), value=choice, visible=waits)),
        changed("waiting", gr.update(visible=waits)),
        changed("unfinished", ""),  # what was answered to a click has come about
        now,
    ]


def _state(desk: Desk, running: dict[str, Path]) -> str:
    titles = {card.name: card.title for card in cards(desk.root)} if running else {}
    parts = [
        bar(titles.get(name, name), progress) for name, run in running.items()
        if (progress := read_progress(run)) is not None
    ]  # fmt: skip
    order, last = desk.trainings.current(), desk.trainings.last()
    if order is not None and not parts:
        parts.append(told(f"{order.title}: getting ready ..."))
    if order is None and last is not None and last.ended:
        parts.append(refused(f"{last.title}: {last.ended}"))
    elif order is None and last is not None and not parts:
        parts.append(told(f"{last.title}: {_how_it_ended(last.run)}"))
    return "".join(parts) or told("Nothing is being trained.")


def bar(name: str, progress: Progress) -> str:
    """A bar with the time left, as HTML."""
    percent = round(100 * progress.done)
    left = "" if progress.left is None else f", about {in_words(progress.left)} left"
    words = (
        f"stage {progress.stage} of {progress.stages}, iteration {progress.iteration} of "
        f"{progress.iterations}: {percent} %{left}"
    )
    return (
        f'<p class="told" role="status">{escape(name)}<br>{escape(words)}</p>'
        f'<div class="bar" role="progressbar" aria-label="Training" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent}"><div style="width:{percent}%"></div></div>'
    )


def _how_it_ended(run: Path | None) -> str:
    if run is None or not (run / MANIFEST).is_file():
        return "ended."
    status = str(RunFolder(run).manifest.get("status"))
    return {
        "finished": "finished; see Runs.",
        "interrupted": "stopped; it can go on.",
        "training": "ended, and could not note that down; it can go on.",  # the disk is full
    }.get(status, f"{status}.")


def _unfinished(root: Path, running: set[str]) -> list[tuple[str, str]]:
    """Runs that can go on: in words, and by name."""
    return [
        (card.title, card.name)
        for card in cards(root)
        if card.name not in running and card.status != "finished" and card.learns
    ]


def _newest(run: Path | None, pattern: str) -> tuple[str, int] | None:
    """The newest file of that pattern in a run, and when it was written."""
    found = [(p.stat().st_mtime_ns, str(p)) for p in run.glob(pattern)] if run else []
    return max(found)[::-1] if found else None
