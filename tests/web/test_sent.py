"""A file that a browser sent lies there as long as anybody who sent it is there."""

from __future__ import annotations

import os
from pathlib import Path

from consingan.web.sent import SentFiles, paths_in


def test_a_file_is_deleted_with_the_last_who_sent_it(tmp_path):
    file, sent = tmp_path / "a", SentFiles()
    file.touch()
    for visitor in ("first", "second", "first"):
        sent.add(file, visitor)
    sent.drop("first")
    assert file.exists()
    sent.drop("second")
    assert not file.exists()
    assert not sent.senders


def test_a_file_that_was_sent_anew_stays_for_who_sent_it(tmp_path):
    file, sent = tmp_path / "a", SentFiles()
    file.touch()
    sent.add(file, "first")
    os.utime(file, ns=(1, 1))  # another upload of the same content replaces it
    sent.drop("first")
    assert file.exists()


def test_a_file_that_is_gone_is_no_error(tmp_path):
    file, sent = tmp_path / "a", SentFiles()
    sent.add(file, "first")
    file.touch()
    sent.add(file, "first")
    file.unlink()
    sent.drop("first")


def test_files_are_found_wherever_they_stand():
    editor = {"background": {"path": "b"}, "layers": [{"path": "l"}], "composite": None}
    found = paths_in([None, 3, "x", editor, [{"path": "g"}], {"path": 7}])
    assert list(found) == [Path("b"), Path("l"), Path("g")]
