"""A training's own notes count only while it runs."""

from __future__ import annotations

import json
import os
import signal

import pytest

from consingan.errors import UserError
from consingan.machine.locking import holding, lock_of
from consingan.runs import progress
from consingan.runs.progress import (
    PROGRESS,
    Progress,
    read_progress,
    remove_progress,
    stop_training,
    write_progress,
)

NOTE = Progress(1, 3, 20, 100, 0.25, 12.5)


def test_what_is_noted_is_read_while_the_lock_is_held(tmp_path):
    write_progress(tmp_path, NOTE)
    assert read_progress(tmp_path) is None
    with holding(lock_of(tmp_path)):
        assert read_progress(tmp_path) == NOTE
        remove_progress(tmp_path)
        assert read_progress(tmp_path) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"stage": 1}', "\udcff".encode("utf-8", "surrogatepass").decode("latin-1")],
)
def test_what_is_damaged_is_no_progress(tmp_path, text):
    (tmp_path / PROGRESS).write_text(text, encoding="utf-8")
    with holding(lock_of(tmp_path)):
        assert read_progress(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("done", 2), ("left", -1), ("process", 0), ("stage", "<b>"), ("iterations", 1.5)],
)
def test_what_cannot_be_is_no_progress(tmp_path, name, value):
    write_progress(tmp_path, NOTE)
    values = json.loads((tmp_path / PROGRESS).read_text()) | {name: value}
    (tmp_path / PROGRESS).write_text(json.dumps(values))
    with holding(lock_of(tmp_path)):
        assert read_progress(tmp_path) is None


def test_stopping_is_ctrl_c_for_the_process_that_noted(tmp_path, monkeypatch):
    sent = []
    kill = os.kill
    monkeypatch.setattr(progress.os, "kill", lambda p, s: sent.append((p, s)) if s else kill(p, s))
    write_progress(tmp_path, NOTE)
    with holding(lock_of(tmp_path)):
        stop_training(tmp_path)
    assert sent == [(os.getpid(), signal.SIGINT)]


@pytest.mark.parametrize("error", [OSError(22, "other console"), PermissionError(1, "other user")])
def test_one_that_cannot_be_reached_is_stopped_where_it_was_begun(tmp_path, monkeypatch, error):
    def refuse(_process, number):
        if number:
            raise error

    monkeypatch.setattr(progress.os, "kill", refuse)
    write_progress(tmp_path, NOTE)
    with (
        holding(lock_of(tmp_path)),
        pytest.raises(UserError, match="stop it in the terminal where it was begun"),
    ):
        stop_training(tmp_path)


def test_nothing_is_stopped_where_nothing_runs_or_elsewhere(tmp_path):
    with pytest.raises(UserError, match="No training runs"):
        stop_training(tmp_path)
    write_progress(tmp_path, Progress(1, 1, 1, 1, 0.5, None, machine="elsewhere"))
    with holding(lock_of(tmp_path)), pytest.raises(UserError, match="runs on elsewhere"):
        stop_training(tmp_path)
