"""Runs that earlier releases left behind go on giving what they gave; see stored_runs.py.

Runs of the authors' program are stored beside the conformance files and tested with them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from stored_runs import (
    FOLDER,
    KINDS,
    SNAPSHOT,
    Arrays,
    end_of,
    evaluate,
    files_below,
    finished,
    pictures_of,
    pixels_of,
    resume,
    take_back,
)

STORED = sorted(file.with_suffix("") for file in FOLDER.glob("*/*.npz"))
OF_PICTURES = 1e-5  # of [-1, 1]: processors round differently
OF_THE_END = 1e-3  # after further iterations, which move weights by 8e-3 and more


@pytest.fixture(params=STORED, ids=lambda path: f"{path.parent.name}-{path.name}")
def stored(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def run(stored: Path, tmp_path: Path) -> Path:
    """A copy, which may be written to."""
    return Path(shutil.copytree(stored, tmp_path / stored.name))


def recorded(stored: Path) -> Arrays:
    with np.load(stored.with_suffix(".npz")) as file:
        return dict(file)


def pictures(stored: Path) -> Path:
    return stored.parent / "pictures"


def assert_close(actual: Arrays, expected: Arrays, tolerance: float) -> None:
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(actual[name], array, rtol=0, atol=tolerance, err_msg=name)


def test_every_kind_is_stored() -> None:
    assert {path.name for path in STORED} == KINDS.keys()


def test_it_gives_the_same_pictures(stored: Path) -> None:
    made = pictures_of(stored, pictures(stored))
    expected = recorded(stored)
    assert_close(made, {name: expected[name] for name in made}, OF_PICTURES)
    assert made.keys() == expected.keys() - other_records(expected)


def other_records(arrays: Arrays) -> set[str]:
    """Names of what is recorded beside the pictures that the Python API makes."""
    return {name for name in arrays if name in ("files", "snapshot") or name.startswith("end.")}


def test_an_evaluation_leaves_the_same_files(stored: Path, run: Path) -> None:
    results = evaluate(run, pictures(stored))
    assert lasting(files_below(results)) == lasting(recorded(stored)["files"].tolist())


def lasting(names: Iterable[str]) -> set[str]:
    """Without the record and the folders of naive images, which runs of format 1 did not have."""
    return {name for name in names if name != "evaluation.json" and not name.startswith("naive/")}


@pytest.mark.parametrize("stored", [path for path in STORED if path.name == "fine_tuned"])
def test_a_snapshot_gives_the_same_picture(stored: Path, run: Path) -> None:
    results = evaluate(run, pictures(stored), "--iteration", SNAPSHOT)
    made = pixels_of(results / f"iteration_{SNAPSHOT}" / "harmonized_wo_mask.png").astype(int)
    assert np.abs(made - recorded(stored)["snapshot"]).max() <= 1  # of 255: rounded to them


def test_it_is_trained_to_the_same_end(stored: Path, run: Path) -> None:
    """An interrupted run to the end that was recorded, others anew to the end that they have."""
    if finished(run):
        expected = end_of(run)
        take_back(run)
    else:
        expected = {
            name.removeprefix("end."): array
            for name, array in recorded(stored).items()
            if name.startswith("end.")
        }
    resume(run)
    assert finished(run)
    assert_close(end_of(run), expected, OF_THE_END)
