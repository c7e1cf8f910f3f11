"""Whether figures are of the weights that a run has."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from consingan.runs.files import WEIGHTS
from consingan.runs.folder import RunFolder
from consingan.runs.load import load_run
from consingan.runs.weights import is_of_the_run, weights_digest

LAST = f"2/{WEIGHTS}"


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def noted(run: Path, record: dict[str, Any]) -> Path:
    file = run / "metrics.json"
    file.write_text(json.dumps(record))
    return file


def test_a_loaded_run_knows_its_weights(run: Path) -> None:
    assert load_run(run).weights == weights_digest(run / LAST) != ""


def test_figures_are_of_the_weights_that_they_name(run: Path) -> None:
    record = {"stages": 3, "weights": load_run(run).weights}
    file = noted(run, record)
    assert is_of_the_run(record, file, run)
    (run / LAST).write_bytes((run / f"1/{WEIGHTS}").read_bytes())
    assert not is_of_the_run(record, file, run)


def test_figures_of_fewer_stages_are_not_of_the_run(run: Path) -> None:
    record = {"stages": 2}
    assert not is_of_the_run(record, noted(run, record), run)


@pytest.mark.parametrize("longer", [False, True])
@pytest.mark.parametrize("later", [-1, 1])
def test_figures_of_earlier_releases_go_by_time_where_a_run_was_trained_longer(
    run: Path, longer: bool, later: int
) -> None:
    record = {"stages": 3}
    file = noted(run, record)
    if longer:
        entry = {"iterations": 3, "before": {"niter": 3}, "counts": {"niter": 4}}
        RunFolder.open(run).note(lengthened=[entry])
    stamp = file.stat().st_mtime_ns + later * 10**9
    os.utime(run / LAST, ns=(stamp, stamp))
    assert is_of_the_run(record, file, run) == (not longer or later < 0)
