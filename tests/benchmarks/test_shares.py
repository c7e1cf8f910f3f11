"""The benchmark of what gives contents their shares: both finishes of each run, nothing changed."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from commands import trained

from benchmarks import shares
from consingan.methods.registry import METHODS, UNTRAINED


def test_both_finishes_of_a_run_are_judged(tmp_path: Path) -> None:
    run = trained("generation", "--finish", "0.5")
    output = tmp_path / "shares"
    words = [str(run), "--samples", "2", "--output", str(output)]
    done = CliRunner().invoke(shares.main, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    tables = json.loads(output.with_suffix(".json").read_text("utf-8"))
    (row,) = tables["By run"]
    assert row["swd, before"] != row["swd, now"]
    (ratio,) = tables["Now to before"]
    assert abs(ratio["swd"] - row["swd, now"] / row["swd, before"]) < 1e-9
    assert METHODS[UNTRAINED].finishing is shares.NOW
