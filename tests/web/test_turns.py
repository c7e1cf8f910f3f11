"""Nobody computes while another does, and what is given up keeps nobody waiting."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from consingan.errors import UserError
from consingan.web.turns import Turns

IMPATIENT = 0.01  # seconds


def test_the_second_is_told_that_the_machine_is_busy():
    turns = Turns(IMPATIENT)
    busy = pytest.raises(UserError, match="busy with another picture")
    with turns.alone(), busy, turns.alone():
        pass
    with turns.alone():
        pass


def test_between_two_steps_others_may_compute_and_after_giving_up_too():
    turns = Turns(IMPATIENT)
    steps = turns.step_by_step(iter("abc"))
    assert next(steps) == "a"
    with turns.alone():
        pass
    assert list(steps) == ["b", "c"]


def test_while_a_step_is_made_others_wait():
    turns = Turns(IMPATIENT)

    def steps():
        with pytest.raises(UserError), turns.alone():
            pass
        yield "made"

    assert list(turns.step_by_step(steps())) == ["made"]


def test_the_end_of_the_page_breaks_off_what_is_computed_and_lets_nothing_begin():
    turns, begun, tidied = Turns(), threading.Event(), []

    def compute():
        with contextlib.suppress(SystemExit), turns.alone():
            try:
                begun.set()
                while True:
                    time.sleep(0.001)
            finally:
                tidied.append(True)

    worker = threading.Thread(target=compute, daemon=True)
    worker.start()
    begun.wait()
    turns.end()
    worker.join(30)
    assert (worker.is_alive(), tidied) == (False, [True])
    with pytest.raises(UserError, match="has ended"), turns.alone():
        pass
