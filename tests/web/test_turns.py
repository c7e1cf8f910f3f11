"""Nobody computes while another does, and what is given up keeps nobody waiting."""

from __future__ import annotations

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
