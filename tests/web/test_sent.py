"""A file that a browser sent lies there as long as anybody who sent it is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from consingan.web.sent import SentFiles, lies_below, paths_in


def test_a_file_is_deleted_with_the_last_who_sent_it(tmp_path):
    file, sent = tmp_path / "digest" / "a", SentFiles()
    file.parent.mkdir()
    file.touch()
    for visitor in ("first", "second", "first"):
        sent.add(visitor, [file])
    sent.add("third")
    sent.drop("first", tmp_path)
    assert file.exists()
    sent.drop("second", tmp_path)
    assert not file.exists()
    assert not sent.senders


def test_what_nobody_named_is_deleted_when_nobody_is_there(tmp_path):
    file, result, sent = tmp_path / "digest" / "a", tmp_path / "x" / "y" / "z", SentFiles()
    for path in (file, result):
        path.parent.mkdir(parents=True)
        path.touch()
    for visitor in ("first", "second"):
        sent.add(visitor)
    sent.drop("first", tmp_path)
    assert file.exists()
    sent.drop("second", tmp_path)
    assert not file.exists()
    assert result.exists()


def test_a_file_that_is_gone_is_no_error(tmp_path):
    sent = SentFiles()
    sent.add("first", [tmp_path / "gone"])
    sent.drop("first", tmp_path)
    assert not sent.senders


def test_files_are_found_wherever_they_stand():
    editor = {"background": {"path": "b"}, "layers": [{"path": "l"}], "composite": None}
    found = paths_in([None, 3, "x", editor, [{"path": "g"}], {"path": 7}])
    assert list(found) == [Path("b"), Path("l"), Path("g")]


def test_only_what_lies_in_the_folder_lies_below_it(tmp_path):
    assert lies_below(tmp_path / "digest" / "a", tmp_path)
    for path in (tmp_path.parent, tmp_path / ".." / "a", Path("a"), Path("http://a.b/c"), Path()):
        assert not lies_below(path, tmp_path)


def test_a_folder_may_have_two_names(tmp_path):
    folder, name = tmp_path / "folder", tmp_path / "name"
    folder.mkdir()
    try:
        name.symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("no links may be made here")
    for home in (folder, name):
        assert lies_below(home / "digest" / "a", name)
