"""Parts of the page that are off until it has bound what they do."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("gradio")

from consingan.web.widgets import AGAIN, turned_on


def test_a_part_is_told_again_for_some_seconds_that_it_may_be_used() -> None:
    """One answer may be lost, and the part would be off for as long as the page is open."""
    *on, timer, began = turned_on(2, 0.0)
    assert [told["interactive"] for told in on] == [True, True]
    *on, timer, again = turned_on(2, began)
    assert (timer.active, again) == (True, began)
    *on, timer, _ = turned_on(2, time.monotonic() - AGAIN - 1)
    assert [told["interactive"] for told in on] == [True, True]
    assert not timer.active
