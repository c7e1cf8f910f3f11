"""What the command says of a training."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from consingan.cli.watching import say_finished


@pytest.mark.parametrize(
    ("stages", "said"), [([4.0, 5.0], "finished, trained for 9 s: run"), ([], "finished: run")]
)
def test_the_time_of_a_finished_run_is_that_of_its_stages_and_named_so(
    stages: list[float], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its starts also draw pictures and write files, which the lines of the stages count."""
    folder = SimpleNamespace(manifest={"seconds_per_stage": stages}, path=Path("run"))
    say_finished(folder)  # type: ignore[arg-type]
    assert capsys.readouterr().out == f"{said}\n"
