"""The bar of counted work: seen on a terminal alone, and only where it takes a while."""

from __future__ import annotations

import io
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
