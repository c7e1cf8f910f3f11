"""What is answered where a command is not there."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from consingan.cli import main


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("main_train.py --input_name a.png", "train"),
        ("evaluate_model", "evaluate"),
        ("singan main_train --input_name a.png", "train --method singan"),
        ("singan evaluate_model.py", "evaluate"),
    ],
)
def test_a_script_in_place_of_a_command_is_answered_with_the_command(
    typed: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/bin/consingan"])
    refused = CliRunner().invoke(main, typed.split())
    assert refused.exit_code == 2
    assert f"; use consingan {meant}.\n" in refused.output
