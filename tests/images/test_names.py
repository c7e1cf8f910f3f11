"""Names of pictures, of folders made for them, and as they are shown."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consingan.images.names import distinct_stems, image_stem, result_name, shown


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Images/Generation/aurora.jpg", "aurora"),
        ("a b/my-photo.v2.jpeg", "my-photo.v2"),
        ("x.webp", "x"),
        ("X.PNG", "X"),
        ("scan.tiff", "scan"),
        ("no_extension", "no_extension"),
        ("version.2", "version.2"),
        ("ünï cödé.gif", "ünï cödé"),
        ("skimage:coffee", "coffee"),
    ],
)
def test_name_without_extension(name, stem):
    assert image_stem(name) == stem


@pytest.mark.parametrize("name", [".", "..", "...", "a/..", ". .", " ", "..png", "skimage:.."])
def test_a_name_of_dots_is_no_way_out_of_a_folder(name):
    assert image_stem(name) not in ("", ".", "..")
    assert image_stem(name).strip(". ")


@pytest.mark.parametrize(
    ("raw", "stem", "shape"),
    [
        (b"caf\xe9.png", "caf%E9", "caf\\xe9.png"),
        (b"\xff\xfe.jpg", "%FF%FE", "\\xff\\xfe.jpg"),
        (b"\x1b[31mred.png", "%1B[31mred", "\\x1b[31mred.png"),
        (b"two\nlines.png", "two%0Alines", "two\\nlines.png"),
        ("right\u202eleft.png".encode(), "right%E2%80%AEleft", "right\\u202eleft.png"),
    ],
)
def test_what_is_not_text_is_escaped(raw, stem, shape):
    name = os.fsdecode(raw)
    assert image_stem(name) == stem
    assert shown(name) == shape


@given(st.binary(min_size=1, max_size=12))
def test_every_name_can_be_printed_and_be_a_folder(raw):
    name = os.fsdecode(raw)
    assert shown(name).isprintable()
    stem = image_stem(name)
    assert "/" not in stem
    assert stem.isprintable()
    assert stem not in ("", ".", "..")


def test_an_ordinary_name_is_shown_as_it_is():
    assert shown("a b/été à Zürich (2).png") == "a b/été à Zürich (2).png"


@pytest.mark.parametrize("raw", [b"\n" * 90, b"\xe9" * 90, "\u202e".encode() * 80])
def test_a_name_that_escapes_make_too_long_is_cut_and_still_its_own(raw):
    stems = distinct_stems([os.fsdecode(raw + b"1.png"), os.fsdecode(raw + b"2.png")])
    assert all(len(stem.encode()) <= 255 for stem in stems)
    assert len(set(stems)) == 2
    assert "_2" not in stems[1]


@pytest.mark.parametrize("name", ["n" * 251, "n" * 255, "é" * 127])
def test_a_name_that_a_folder_can_have_stays_as_it_is(name):
    assert image_stem(name) == name
    assert image_stem(f"{name[:125]}.png") == name[:125]


@pytest.mark.parametrize("stem", ["n" * 244, "n" * 251, "n" * 255, "é" * 127])
def test_results_of_a_picture_with_a_long_name_have_names_that_fit(stem):
    names = [result_name(stem, ending) for ending in ("", "_0", "_1")]
    assert all(len(f"{name}.png".encode()) <= 255 for name in names)
    assert len(set(names)) == 3
    assert (names[0] == stem) == (len(stem.encode()) <= 251)


def test_a_folder_on_windows_does_not_end_in_what_windows_takes_off(monkeypatch):
    monkeypatch.setattr("consingan.images.names.LOST_AT_END", ". ")
    assert image_stem("IMG (2) .jpg") == "IMG (2)"
    assert image_stem("photo..png") == "photo"
