"""A study that is worked on, as a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from studies import tiny_study

from consingan.batch.estimate import Estimate
from consingan.batch.ledger import Ended, Ledger
from consingan.batch.orders import orders_of
from consingan.batch.plan import Plan
from consingan.batch.watching import MOST_LINES, Board


@pytest.fixture
def board(tmp_path: Path) -> Board:
    """Sixteen trainings of 60 s each, two at a time."""
    study = tiny_study(tmp_path)
    orders = tuple(orders_of(study))
    found = {order.name: Estimate(60.0, 0) for order in orders}
    return Board(Plan(study, tmp_path, orders, orders, found), 2)


def test_nothing_has_begun(board: Board) -> None:
    assert list(board.lines()) == ["0 at work, 16 waiting, about 8 min left"]


def test_those_at_work_say_where_they_are(board: Board, tmp_path: Path) -> None:
    first, second, third, *_ = board.plan.left
    Ledger(tmp_path / first.name).note(
        status="training", stage=2, stages=3, share=0.5, left=30.0, iteration=1
    )
    Ledger(tmp_path / second.name).note(status="judging")
    Ledger(tmp_path / third.name).note(status="training")
    head, *rows = board.lines()
    assert head == "3 at work, 13 waiting, about 8 min left"
    assert rows[0].endswith("0.png, lr_scale 0.1, seed 0: stage 2/3, 50 %, 30 s left")
    assert rows[1].endswith("judging")
    assert rows[2].endswith("beginning")


def test_what_has_ended_is_counted_and_said(board: Board, tmp_path: Path) -> None:
    first, second, *_ = board.plan.left
    judgement = {"metrics": {"swd": {"mean": 4.123}}}
    Ledger(tmp_path / first.name).note(status="finished", judgement=judgement)
    line = board.take(Ended(first.name, "finished"))
    assert line == "[1/16] 0.png, lr_scale 0.1, seed 0: finished, SWD 4.12"
    assert board.take(Ended(second.name, "failed", "no room")).endswith("failed: no room")
    assert next(board.lines()) == "1 finished, 1 failed, 0 at work, 14 waiting, about 7 min left"
    for order in board.plan.left[2:]:
        board.take(Ended(order.name, "finished"))
    assert next(board.lines()) == "15 finished, 1 failed, 0 at work, 0 waiting"


def test_a_large_cluster_does_not_fill_the_screen(board: Board, tmp_path: Path) -> None:
    board.several = 16
    for order in board.plan.left:
        Ledger(tmp_path / order.name).note(status="training")
    lines = list(board.lines())
    assert len(lines) == MOST_LINES + 2
    assert lines[-1] == "  and 4 more"


def test_names_are_shown_escaped(board: Board, tmp_path: Path) -> None:
    """Escape codes of a file's name would be obeyed, a new line would move the table."""
    order = replace(board.plan.left[0], label="a\n\x1b[31m.png", variant={"mask": "m\r.png"})
    study = replace(board.plan.study, settings={"mask": ("m\r.png", "n.png")})
    plan = replace(board.plan, study=study, left=(order,), orders=(order,), found={})
    Ledger(tmp_path / order.name).note(status="judging")
    board = Board(plan, 1)
    said = [*plan.introduction(), *board.lines(), board.take(Ended(order.name, "finished"))]
    assert sum(r"a\n\x1b[31m.png, mask m\r.png, seed 0" in line for line in said) == 3
    assert r"(mask m\r.png, n.png)" in said[0]
    assert all(line.isprintable() for line in said)
