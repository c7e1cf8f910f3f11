"""The folder that a run is made in: hidden, gone in the end, and cleared where its maker died."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from filelock import FileLock
from helpers import make_job, new_folder

from consingan.machine.locking import LOCK, lock_of
from consingan.runs.draft import clear_drafts, draft, is_draft


def abandoned(parent: Path) -> Path:
    """What a training leaves that was killed while its folder was being made."""
    hidden = parent / ".2026_01.x1y2.tmp"
    (hidden / "2026_01").mkdir(parents=True)
    (hidden / "2026_01" / "config.json").write_text("{")
    (hidden / LOCK).touch()
    return hidden


def test_a_draft_is_hidden_and_goes_whatever_happens(tmp_path: Path) -> None:
    with contextlib.suppress(ZeroDivisionError), draft(tmp_path, "run") as path:
        assert path.name == "run"
        assert is_draft(path.parent.name)
        assert path.parent.parent == tmp_path
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_the_next_training_clears_what_a_killed_one_left(tmp_path: Path) -> None:
    hidden = abandoned(tmp_path / "picture")
    run = new_folder(tmp_path, make_job()).path
    assert not hidden.exists()
    assert list((tmp_path / "picture").iterdir()) == [run]


def test_a_draft_whose_maker_lives_is_left_to_it(tmp_path: Path) -> None:
    hidden = abandoned(tmp_path)
    with lock_of(hidden).acquire(0):
        clear_drafts(tmp_path)
        assert hidden.is_dir()
    with draft(tmp_path, "run") as path:
        clear_drafts(tmp_path)
        assert path.is_dir()


def test_a_maker_that_ends_meanwhile_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = abandoned(tmp_path)

    def ended(folder: Path) -> FileLock:
        shutil.rmtree(hidden)  # by its maker, after the look and before the lock
        return lock_of(folder)

    monkeypatch.setattr("consingan.runs.draft.lock_of", ended)
    clear_drafts(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_made_so_or_is_only_just_begun_stays(tmp_path: Path) -> None:
    begun = tmp_path / ".2026_02.a.tmp"
    begun.mkdir()
    (begun / LOCK).touch()
    (tmp_path / ".other.tmp" / "2026_01").mkdir(parents=True)
    (tmp_path / ".file.tmp").touch()
    before = sorted(tmp_path.iterdir())
    clear_drafts(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_where_files_cannot_be_locked_drafts_are_made_and_not_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def acquire(*_: object) -> None:
        raise NotImplementedError

    hidden = abandoned(tmp_path)
    monkeypatch.setattr("filelock.FileLock.acquire", acquire)
    with draft(tmp_path, "run") as path:
        assert path.is_dir()
    assert [p for p in tmp_path.iterdir()] == [hidden]
