"""Runs are named from their root, and only a run below it can be removed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from commands import copy_of_run

from consingan.errors import UserError
from consingan.machine.locking import holding, lock_of
from consingan.runs.listing import remove_run, run_called, runs_below
from consingan.runs.progress import Progress, write_progress


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return copy_of_run("generation", tmp_path / "runs" / "scene")


def test_a_run_is_found_by_its_name_below_the_root(run):
    root = run.parents[1]
    assert runs_below(root) == {f"scene/{run.name}": run}
    assert run_called(root, f"scene/{run.name}") == run


@pytest.mark.parametrize("name", ["..", "../outside", "/etc", "scene", "", None])
def test_no_other_name_becomes_a_path(run, tmp_path, name):
    shutil.copytree(run, tmp_path / "outside")
    with pytest.raises(UserError, match="run"):
        remove_run(run.parents[1], name)
    assert run.is_dir()
    assert (tmp_path / "outside").is_dir()


def test_a_link_that_leads_out_is_no_run(run, tmp_path):
    root = tmp_path / "other"
    (root / "scene").mkdir(parents=True)
    (root / "scene" / run.name).symlink_to(run)
    assert runs_below(root) == {}


def test_removing_takes_the_folder_and_the_pictures_folder_if_it_is_empty(run):
    root = run.parents[1]
    remove_run(root, f"scene/{run.name}")
    assert list(root.iterdir()) == []


def test_a_run_that_is_being_trained_is_not_removed(run):
    write_progress(run, Progress(1, 2, 1, 2, 0.1, None))
    with holding(lock_of(run)), pytest.raises(UserError, match="stop it first"):
        remove_run(run.parents[1], f"scene/{run.name}")
    assert run.is_dir()
