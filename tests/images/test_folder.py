"""What a folder's pictures are, and that nothing is left out in silence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from consingan.errors import UserError
from consingan.images.folder import listed, look_into, pictures_in


def fill(folder, *names):
    for name in names:
        path = folder / name
        if name.endswith("/"):
            path.mkdir()
        elif path.suffix in (".png", ".jpg"):
            Image.new("L", (3, 3)).save(path)
        else:
            path.touch()


def test_what_is_left_out_is_named(tmp_path):
    fill(tmp_path, "b.png", "a.jpg", "notes.txt", ".hidden.png", "more/", "video.mov")
    contents = look_into(tmp_path)
    assert [path.name for path in contents.pictures] == ["a.jpg", "b.png"]
    (note,) = contents.notes
    assert note == (
        "Left out, no pictures by their names: .hidden.png, more/, notes.txt, video.mov."
    )


def test_nothing_is_said_where_nothing_is_left_out(tmp_path):
    fill(tmp_path, "b.png")
    assert look_into(tmp_path).notes == ()
    assert pictures_in(tmp_path) == [tmp_path / "b.png"]


def test_many_are_counted():
    assert listed([f"{k}.txt" for k in range(7)]) == (
        "7 files and folders (0.txt, 1.txt, 2.txt, 3.txt, 4.txt, ...)"
    )


def test_names_are_shown_escaped(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).touch()
    fill(tmp_path, "a.png", "\x1b[31m.txt")
    (note,) = look_into(tmp_path).notes
    assert "\\x1b[31m.txt" in note
    assert "caf\\xe9.txt" in note


def test_a_folder_without_pictures_says_what_it_holds(tmp_path):
    fill(tmp_path, "notes.txt")
    with pytest.raises(UserError, match=r"no picture in the folder .* It holds notes\.txt"):
        look_into(tmp_path)
    with pytest.raises(UserError, match="There is no folder"):
        look_into(tmp_path / "nowhere")


def test_what_cannot_be_looked_at_ends_nothing_and_is_left_to_its_reader(tmp_path, monkeypatch):
    fill(tmp_path, "a.png", "closed.png", "closed.txt")
    original = Path.stat

    def stat(self, **how):
        if self.stem == "closed":
            raise PermissionError(13, "Permission denied", str(self))
        return original(self, **how)

    monkeypatch.setattr(Path, "stat", stat)
    found = look_into(tmp_path)
    assert [path.name for path in found.pictures] == ["a.png", "closed.png"]
    assert found.others == ("closed.txt",)


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def closed(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", closed)
    with pytest.raises(UserError, match=r"The folder .* cannot be read \(Permission denied\)"):
        look_into(tmp_path)
