"""The Runs tab: what was trained, pictures made with it, reports, two side by side, deleting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from consingan.errors import UserError
from consingan.web.answers import answering, notes, refused, told
from consingan.web.cards import Card, card_of, cards, facts, thumbnail
from consingan.web.closer import buttons, comparing, deleting, reporting
from consingan.web.desk import Desk, copy_to_show, digest
from consingan.web.fields import Row, label_of
from consingan.web.making import first_value, is_file, make_with, rows_of, shown_files, zipped
from consingan.web.pictures import keep
from consingan.web.widgets import component, draw, drop_place

Results = dict[str, dict[str, Any]]
"""By run what `_made` shows of it on this page."""

MEANWHILE = "Pictures are being made with it; choose it again in a while to see them."
NOBODY = "There is no run yet: train one, or paint."


@dataclass(frozen=True)
class Parts:
    """The components of the tab; `results` holds `Results`."""

    gallery: gr.Gallery
    again: gr.Button
    message: gr.HTML
    names: gr.State
    chosen: gr.State
    facts: gr.HTML
    made: gr.Gallery
    archive: gr.DownloadButton
    page: gr.HTML
    results: gr.State

    @property
    def all(self) -> list[Any]:
        """What changes when another run is chosen."""
        return [self.chosen, self.facts, self.made, self.archive, self.page, self.message]


def runs_tab(desk: Desk, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the tab out and connect its parts."""
    parts = _parts()
    with gr.Row(elem_classes="row"):
        with gr.Column(scale=1, min_width=300):
            parts.gallery.render()
            parts.again.render()
        with gr.Column(scale=2, min_width=300):
            parts.facts.render()
            # Above the options, which come a moment later and would move them.
            report, comparison, deletion = buttons()
            reporting(desk, report, parts.chosen, parts.page, parts.message)
            other = comparing(desk, comparison, parts.chosen, parts.page, parts.message)
            after = [*parts.all, parts.gallery, parts.names, other]
            sure = deleting(desk, deletion, parts.chosen, parts.message,
                            (after, partial(_deleted, desk, parts, other)))  # fmt: skip
            parts.message.render()
            parts.page.render()
            _making(desk, parts)
            parts.made.render()
            parts.archive.render()
    _choosing(desk, page, tab, parts, (other, sure))


def _parts() -> Parts:
    """All of them, to be laid out."""
    gallery = gr.Gallery(label="Runs, the newest first", columns=2, interactive=False,
                         allow_preview=False, object_fit="contain", fit_columns=False,
                         elem_id="runs-gallery", buttons=[], render=False)  # fmt: skip
    made = gr.Gallery(label="Made with it", columns=3, object_fit="contain", fit_columns=False,
                      interactive=False, visible=False, elem_id="runs-made", render=False,
                      buttons=["download", "fullscreen"])  # fmt: skip
    return Parts(
        gallery,
        gr.Button("Look again", size="sm", elem_id="runs-again", render=False),
        gr.HTML(elem_id="runs-message", render=False),
        gr.State([]),
        gr.State(None),
        gr.HTML(told("Choose a run."), elem_id="runs-facts", render=False),
        made,
        gr.DownloadButton("Save all as a zip", visible=False, elem_id="runs-zip", render=False),
        gr.HTML(elem_id="runs-page", render=False),
        gr.State({}),
    )


def _choosing(
    desk: Desk, page: gr.Blocks, tab: gr.Tab, parts: Parts, questions: tuple[gr.Row, ...]
) -> None:
    """Fill the gallery and show the run that is clicked; questions about the one before go."""

    @answering(parts.message)
    def choose(names: list[str], results: Results, event: gr.SelectData) -> dict[Any, Any]:
        card = card_of(desk.root, names[event.index] if event.index < len(names) else None)
        made = _made(parts, **results.get(card.name, {}))
        shown = {parts.chosen: card.name, parts.facts: _heading(card), parts.page: ""}
        return made | _hidden(*questions) | shown

    outputs = [parts.gallery, parts.names, parts.message]
    for listen in (page.load, tab.select, parts.again.click):
        listen(
            lambda: _gallery(desk, parts),
            None,
            outputs,
            api_visibility="private",
            show_progress="hidden",
        )
    parts.gallery.select(choose, [parts.names, parts.results], [*parts.all, *questions],
                         api_visibility="private")  # fmt: skip


def _gallery(desk: Desk, parts: Parts) -> dict[Any, Any]:
    """The runs as they are now."""
    with desk.looking:
        found = cards(desk.root)
        small = {card: thumbnail(card, desk.sessions / "thumbnails") for card in found}
    shown = [(str(picture), card.title) for card, picture in small.items() if picture]
    names = [card.name for card, picture in small.items() if picture]
    return {parts.gallery: shown, parts.names: names,
            parts.message: "" if shown else told(NOBODY)}  # fmt: skip


def _heading(card: Card) -> str:
    return told(card.title) + facts(card)


def _made(
    parts: Parts, said: str = "", shown: Sequence[Any] = (), archive: str | None = None
) -> dict[Any, Any]:
    """What was made with a run, or nothing."""
    return {
        parts.made: gr.update(value=list(shown), visible=bool(shown)),
        parts.archive: gr.update(value=archive, visible=archive is not None),
        parts.message: said,
    }


def _hidden(*rows: gr.Row) -> dict[Any, Any]:
    return {row: gr.update(visible=False) for row in rows}


def _deleted(desk: Desk, parts: Parts, other: gr.Row, title: str) -> dict[Any, Any]:
    """The tab after a run of that title is gone."""
    gone = {parts.chosen: None, parts.facts: told(f"Deleted: {title}."), parts.page: ""}
    return _made(parts) | _gallery(desk, parts) | _hidden(other) | gone


def _making(desk: Desk, parts: Parts) -> None:
    """Options of the chosen run's output, and the button that makes pictures."""

    def options(name: str | None, _before: str | None) -> None:
        card = _card_to_draw(desk, name)
        if card is None:
            return
        fields, judged = _options(card)
        start = gr.Button("Make pictures", variant="primary", elem_id="runs-make")

        @answering("said")
        def make(request: gr.Request, judge: bool, *values: Any) -> dict[Any, Any]:
            lines: list[str] = []
            filled = dict(zip(fields, values, strict=True))
            with desk.turns.alone():
                now = card_of(desk.root, card.name)  # may be gone since it was chosen
                files = make_with(now, _kept(desk, request, now, filled), judge, lines.append)
            folder = desk.fresh(request, f"made_{digest(card.name)}")  # others' are offered, too
            archive = zipped(files, folder / "pictures.zip")
            shown = [(str(copy_to_show(f, folder)), f.name) for f in shown_files(files)]
            said = told(*notes(lines), *_where(files, len(shown)))
            return {"said": said, "shown": shown, "archive": str(archive)}

        def remember(request: gr.Request, results: Results, *given: Any) -> dict[Any, Any]:
            results[card.name] = {"said": told(MEANWHILE)}
            results[card.name] = make(request, *given)
            return {parts.message: gr.skip()}

        @answering(parts.message)
        def show(results: Results, chosen: str | None) -> dict[Any, Any]:
            heading = _heading(card_of(desk.root, chosen))
            return _made(parts, **results.get(chosen or "", {})) | {parts.facts: heading}

        shown = [parts.made, parts.archive, parts.facts, parts.message]
        start.click(remember, [parts.results, judged, *fields.values()], shown,
                    concurrency_id="compute", api_visibility="private").then(
            show, [parts.results, parts.chosen], shown, api_visibility="private")  # fmt: skip

    draw(parts.chosen, options)


def _card_to_draw(desk: Desk, name: str | None) -> Card | None:
    """The chosen run; of one that is gone meanwhile it is said so where its options would be."""
    try:
        return card_of(desk.root, name) if name else None
    except UserError as error:
        gr.HTML(refused(str(error)))
        return None


def _where(files: list[Path], shown: int) -> list[str]:
    """Where to find what was made, and how much of it is not shown."""
    if not files:
        return []
    cut = f"{shown} of {len(files)} files are shown here; the zip has all of them."
    return [f"Also in {files[0].parent}."] + [cut] * (shown < len(files))


def _options(card: Card) -> tuple[dict[str, Any], gr.Checkbox]:
    """A part of the page for each option of the run's output."""
    first, rest = rows_of(card)
    with gr.Group():
        with gr.Row():
            fields = {row.name: _part(row) for row in first}
        with gr.Accordion("More", open=False), gr.Row():
            fields |= {row.name: _part(row) for row in rest}
            judged = gr.Checkbox(False, label="Judge them and write a report",
                                 info="Takes longer.", interactive=True)  # fmt: skip
    return fields, judged


def _part(row: Row) -> Any:
    if is_file(row):
        return drop_place(label_of(row))
    return component(row, first_value(row), min_width=150)


def _kept(desk: Desk, request: gr.Request, card: Card, filled: Mapping[str, Any]) -> dict[str, Any]:
    """What was filled in, with pictures where an evaluation finds them again."""
    first, rest = rows_of(card)
    files = {row.name for row in (*first, *rest) if is_file(row)}
    kept = {name: value for name, value in filled.items() if name not in files}
    for name in files:
        if filled[name]:
            brought = desk.bring_in(filled[name], request, name)
            kept[name] = str(keep(brought.path, desk.root))
    return kept
