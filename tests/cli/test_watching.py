"""What the command says of a training."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from consingan.cli.watching import say_finished, say_position


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


@pytest.mark.parametrize("then", ["1.13.0", "1.15.0"])
def test_a_run_that_goes_on_by_another_release_says_so(
    then: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some of what is computed may be mended since: it is not the training that it began as."""
    way = {"stage": 0, "iteration": 3, "execution": {}, "machine": {}}
    manifest = {
        "versions": {"consingan": then},
        "resumed": [{**way, "versions": {"consingan": "1.15.0"}}],
    }
    trainer = SimpleNamespace(stage=0, stages=2, iteration=3, iterations=9)
    run = SimpleNamespace(path="run", trainer=trainer, folder=SimpleNamespace(manifest=manifest))
    say_position(run)  # type: ignore[arg-type]
    said = capsys.readouterr()
    assert ("begun by ConSinGAN 1.13.0 and goes on by 1.15.0" in said.err) == (then == "1.13.0")
