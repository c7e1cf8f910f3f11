"""What can be done with a run beside making pictures: report, comparison, deleting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from consingan.api.evaluate import compare
from consingan.errors import UserError
from consingan.machine.execution import Wanted, choose_execution
from consingan.runs.listing import remove_run
from consingan.web.answers import answering, told
from consingan.web.cards import card_of, cards, framed, said_of_report
from consingan.web.desk import Desk

COMPARED = 8  # samples that are judged of a run that was not evaluated
PRIVATE: dict[str, Any] = {"api_visibility": "private"}


def buttons() -> tuple[gr.Button, gr.Button, gr.Button]:
    """Those of a report, of a comparison and of deleting, in a row."""
    with gr.Row():
        return (
            gr.Button("Show the report", size="sm", elem_id="runs-report"),
            gr.Button("Compare with another", size="sm", elem_id="runs-compare"),
            gr.Button("Delete ...", size="sm", variant="stop", elem_id="runs-delete"),
        )


def reporting(desk: Desk, button: gr.Button, chosen: Any, page: Any, message: Any) -> None:
    """Let the button show the report of the chosen run in `page`."""

    @answering(message)
    def show(name: str | None) -> dict[Any, Any]:
        card = card_of(desk.root, name)
        if not card.report.is_file():
            raise UserError(
                'There is no report yet; make pictures with "Judge them and write a report", '
                "under More."
            )
        shown = framed(card.report.read_text(encoding="utf-8"), "Report")
        return {page: shown, message: told(*said_of_report(card))}

    button.click(show, chosen, [page, message], **PRIVATE)


def comparing(desk: Desk, button: gr.Button, chosen: Any, page: Any, message: Any) -> gr.Row:
    """Let the button ask for another run, then show both side by side in `page`.

    Returns:
        the question, to be hidden when another run is chosen.
    """
    with gr.Row(visible=False) as asking:
        other = gr.Dropdown([], label="The other run", elem_id="runs-other", interactive=True,
                            scale=3)  # fmt: skip
        both = gr.Button("Compare", elem_id="runs-side-by-side")

    @answering(message)
    def ask(name: str | None) -> dict[Any, Any]:
        card_of(desk.root, name)
        others = [(card.title, card.name) for card in cards(desk.root) if card.name != name]
        if not others:
            raise UserError("There is no other run to compare with.")
        choices = gr.update(choices=others, value=others[0][1])
        return {asking: gr.update(visible=True), other: choices, message: ""}

    @answering(message)
    def show(name: str | None, another: str | None) -> dict[Any, Any]:
        paths = tuple(card_of(desk.root, one).path for one in (name, another))
        with desk.turns.alone():
            made = compare(paths, choose_execution(Wanted()), COMPARED, 0, lambda _: None)
        return {page: framed(made.html, "Comparison"), asking: gr.update(visible=False)}

    button.click(ask, chosen, [asking, other, message], **PRIVATE)
    both.click(show, [chosen, other], [page, asking, message], concurrency_id="compute", **PRIVATE)
    return asking


def deleting(
    desk: Desk, button: gr.Button, chosen: Any, message: Any,
    after: tuple[list[Any], Callable[[str], Any]],
) -> gr.Row:  # fmt: skip
    """Let the button delete the chosen run, once that was asked and answered with yes.

    Args:
        desk: with the runs.
        button: that asks.
        chosen: name of the run.
        message: shows what happened.
        after: parts of the page, and what they become after a run of that title is gone.

    Returns:
        the question, to be hidden when another run is chosen.
    """
    asked = gr.State(None)  # another run may be chosen before the answer, which is about this one
    with gr.Row(visible=False) as sure:
        with gr.Column(scale=2):
            question = gr.HTML(elem_id="runs-question")
        yes = gr.Button("Yes, delete it", variant="stop", elem_id="runs-yes")
        no = gr.Button("Keep it", elem_id="runs-no")
    outputs, values = after

    @answering(message)
    def ask(name: str | None) -> dict[Any, Any]:
        card = card_of(desk.root, name)
        words = told(f"Delete {card.title} with all its pictures, for ever?")
        return {sure: gr.update(visible=True), question: words, asked: card.name, message: ""}

    @answering(message)
    def remove(name: str | None) -> dict[Any, Any]:
        title = card_of(desk.root, name).title
        remove_run(desk.root, name)
        return {**values(title), sure: gr.update(visible=False), asked: None}

    button.click(ask, chosen, [sure, question, asked, message], **PRIVATE)
    no.click(lambda: gr.update(visible=False), None, sure, **PRIVATE)
    yes.click(remove, asked, [*outputs, sure, asked, message], **PRIVATE)
    return sure
