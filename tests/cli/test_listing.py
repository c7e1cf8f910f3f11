"""`consingan methods` can be shown anywhere, and names commands that are there."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from consingan.cli import main


def test_a_terminal_that_lacks_a_character_shows_a_question_mark() -> None:
    shown = CliRunner(charset="cp932").invoke(main, ["methods"])  # of Japanese Windows
    assert shown.exit_code == 0
    assert "?" in shown.output


def test_a_full_disk_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("consingan.cli.listing.table", full)
    said = CliRunner().invoke(main, ["methods"])
    assert said.output.startswith("Error: ")
    assert "make room there" in said.output


def test_its_commands_are_those_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/consingan", "methods"])
    shown = CliRunner().invoke(main, ["methods"])
    assert "its settings: consingan train --method patches --help" in shown.output
