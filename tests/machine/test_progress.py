"""The bar of counted work: seen on a terminal alone, and only where it takes a while."""

from __future__ import annotations

import io
import os
import sys

import pytest

from consingan.machine import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "patience", "shown"),
    [(Terminal, 0.0, True), (Terminal, float("inf"), False), (io.StringIO, 0.0, False)],
)
def test_bar(stream, patience, shown, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", patience)
    seen = stream()
    monkeypatch.setattr(sys, "stderr", seen)
    passed = progress.tracked(iter("abc"), 3, "making letters")
    assert next(passed) == "a"
    assert ("making letters" in seen.getvalue()) is shown
    assert ("/3 [" in seen.getvalue()) is shown
    assert list(passed) == ["b", "c"]
    assert seen.getvalue().split("\r")[-1].strip() == ""  # wiped off


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="Windows has none")
def test_a_terminal_that_knows_no_width_has_a_bar_of_the_usual_one(monkeypatch):
    """As `docker exec -t` opens them."""
    reader, writer = os.openpty()
    os.set_blocking(reader, False)
    with os.fdopen(reader, "rb", buffering=0) as screen, os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setattr(progress, "PATIENCE", 0.0)
        assert next(progress.tracked(iter("ab"), 2, "making letters")) == "a"
        terminal.flush()
        assert "making letters" in (screen.read(1000) or b"").decode()
