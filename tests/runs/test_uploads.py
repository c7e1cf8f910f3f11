"""What somebody brought stays what it was, whatever is brought later."""

from __future__ import annotations

from consingan.runs.uploads import keep_content


def test_another_picture_of_the_same_name_replaces_none(tmp_path):
    first = keep_content(b"first", "photo.png", tmp_path)
    second = keep_content(b"second", "photo.png", tmp_path)
    assert (first.read_bytes(), second.read_bytes()) == (b"first", b"second")
    assert first.name == second.name == "photo.png"


def test_the_same_picture_lies_there_once(tmp_path):
    assert keep_content(b"x", "a.png", tmp_path) == keep_content(b"x", "a.png", tmp_path)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
