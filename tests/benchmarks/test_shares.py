"""The benchmark of what a change of the finish brought: both finishes of each run are judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import trained

from benchmarks import shares
from consingan.methods.registry import METHODS, UNTRAINED
from consingan.outputs import finisher


@pytest.mark.parametrize(("what", "patch"), [("shares", 9), ("patches", 11)])
def test_both_finishes_of_a_run_are_judged(
    what: str, patch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finisher, "LARGER", (11,) if what == "patches" else ())
    monkeypatch.setattr(finisher, "KEPT", 0.0)
    before = METHODS[UNTRAINED], finisher.LARGER
    run = trained("generation", "--finish", "0.5")
    output = tmp_path / "shares"
    words = [str(run), "--samples", "2", "--output", str(output), "--what", what]
    done = CliRunner().invoke(shares.main, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    tables = json.loads(output.with_suffix(".json").read_text("utf-8"))
    (row,) = tables["By run"]
    assert row["patch"] == patch
    assert row["swd, before"] != row["swd, now"]
    (ratio,) = tables["Now to before"]
    assert abs(ratio["swd"] - row["swd, now"] / row["swd, before"]) < 1e-9
    assert (METHODS[UNTRAINED], finisher.LARGER) == before
