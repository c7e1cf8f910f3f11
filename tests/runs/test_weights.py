"""Whether figures are of the weights that a run has."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from consingan.runs.files import WEIGHTS
from consingan.runs.folder import RunFolder
from consingan.runs.load import load_run
from consingan.runs.weights import is_of_the_run, weights_digest

LAST = f"2/{WEIGHTS}"


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def test_a_loaded_run_knows_its_weights(run: Path) -> None:
    assert load_run(run).weights == weights_digest(run / LAST) != ""


def test_figures_are_of_the_weights_that_they_name(run: Path) -> None:
    record = {"stages": 3, "weights": load_run(run).weights}
    assert is_of_the_run(record, run)
    (run / LAST).write_bytes((run / f"1/{WEIGHTS}").read_bytes())
    assert not is_of_the_run(record, run)


def test_figures_of_fewer_stages_are_not_of_the_run(run: Path) -> None:
    assert not is_of_the_run({"stages": 2}, run)


@pytest.mark.parametrize("longer", [False, True])
def test_figures_without_weights_are_of_no_run_that_was_trained_longer(
    run: Path, longer: bool
) -> None:
    if longer:
        entry = {"iterations": 3, "before": {"niter": 3}, "counts": {"niter": 4}}
        RunFolder.open(run).note(lengthened=[entry])
    assert is_of_the_run({"stages": 3}, run) != longer
