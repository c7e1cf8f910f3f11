"""Where a TIFF lies is kept for the same picture at another size."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
import torch

from consingan.errors import UserError
from consingan.images.deep import write_as
from consingan.images.georeference import MATRIX, SCALE, TIES, read_georeference

KEYS = (1, 1, 0, 2, 1024, 0, 1, 1, 1025, 0, 1, 1)
OF_POINTS = (*KEYS[:-1], 2)
NORTH_UP = [(SCALE, 12, 3, (10.0, 20.0, 0.0), True), (TIES, 12, 6, (0, 0, 0, 500, 900, 0), True)]
TURNED = [(MATRIX, 12, 16, (0, 10, 0, 500, -20, 0, 0, 900, 0, 0, 0, 0, 0, 0, 0, 1), True)]


def placed(path, tags, keys=KEYS):
    extra = [*tags, (34735, 3, len(keys), keys, True)]
    tifffile.imwrite(path, np.zeros((40, 60, 5), np.uint16), photometric="minisblack",
                     planarconfig="contig", extratags=extra, metadata=None)  # fmt: skip
    return path


def corner(path, column, row):
    """Coordinates of a place in px of the picture, from its left upper corner."""
    found = read_georeference(str(path))
    shift = 0.5 if found._is_point() else 0.0
    column, row = column - shift, row - shift
    if MATRIX in found.tags:
        matrix = np.array(found.tags[MATRIX]).reshape(4, 4)
        return tuple((matrix @ [column, row, 0, 1])[:2])
    (right, down, _), ties = found.tags[SCALE], found.tags[TIES]
    return ties[3] + (column - ties[0]) * right, ties[4] - (row - ties[1]) * down


@pytest.mark.parametrize("keys", [KEYS, OF_POINTS], ids=["area", "point"])
@pytest.mark.parametrize("tags", [NORTH_UP, TURNED], ids=["north up", "turned"])
def test_the_corners_of_a_smaller_picture_lie_where_they_lay(tmp_path, tags, keys):
    before = placed(tmp_path / "a.tif", tags, keys)
    place = read_georeference(str(before))
    after = write_as(tmp_path / "b", torch.zeros(1, 5, 10, 20), "tiff16", "bands", place)
    for share in (0, 1):
        wanted = corner(before, 60 * share, 40 * share)
        assert corner(after, 20 * share, 10 * share) == pytest.approx(wanted)


def test_at_its_own_size_nothing_changes(tmp_path):
    place = read_georeference(str(placed(tmp_path / "a.tif", NORTH_UP)))
    assert {code: tuple(value) for code, _, _, value, _ in place.at((40, 60))} == {
        code: tuple(value) for code, value in place.tags.items()
    }


def test_a_picture_without_a_place_has_none(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), np.uint16))
    assert read_georeference(str(tmp_path / "a.tif")) is None
    assert read_georeference(str(tmp_path / "gone.tif")) is None
    assert read_georeference("skimage:coffee") is None


def with_tags(path, *tags):
    keys = (34735, 3, len(KEYS), KEYS, True)
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), extratags=[*tags, keys], metadata=None)
    return path


@pytest.mark.parametrize("text", ["Réseau|".encode(), "Réseau|".encode("cp1252"), b"WGS 84|"])
def test_text_is_kept_byte_for_byte(tmp_path, text):
    """Keys count bytes of it."""
    before = with_tags(tmp_path / "a.tif", *NORTH_UP, (34737, 2, 0, text, True))
    place = read_georeference(before)
    after = write_as(tmp_path / "b", torch.zeros(1, 1, 8, 8), "tiff", "gray", place)
    assert text + b"\0" in after.read_bytes()
    assert read_georeference(after) == place


def test_a_scale_of_two_numbers_is_of_a_map_without_heights(tmp_path):
    path = with_tags(tmp_path / "a.tif", (SCALE, 12, 2, (10.0, 20.0), True), NORTH_UP[1])
    place = read_georeference(path)
    assert place.tags[SCALE] == (10, 20, 0)
    assert dict((tag[0], tag[3]) for tag in place.at((4, 8)))[SCALE] == (10, 40, 0)


def test_a_single_number_is_kept(tmp_path):
    path = with_tags(tmp_path / "a.tif", *NORTH_UP, (34736, 12, 1, 6378137.0, True))
    assert read_georeference(path).tags[34736] == (6378137,)


@pytest.mark.parametrize(
    "tags",
    [
        [(SCALE, 12, 1, (10.0,), True), NORTH_UP[1]],
        [NORTH_UP[0], (TIES, 12, 5, (0.0,) * 5, True)],
        [NORTH_UP[0], (TIES, 12, 6, (0, 0, 0, float("nan"), 900, 0), True)],
        [(SCALE, 2, 0, "ten", True), NORTH_UP[1]],
        [(MATRIX, 12, 12, (0.0,) * 12, True)],
        [*NORTH_UP, (274, 3, 1, 6, True)],
    ],
    ids=["one scale", "five of a tie", "NaN", "text", "small matrix", "turned"],
)
def test_odd_tags_are_refused_in_a_sentence(tmp_path, tags):
    path = with_tags(tmp_path / "a.tif", *tags)
    with pytest.raises(UserError, match=r"^[^\n]*a\.tif has no georeference that can be used \("):
        read_georeference(path)


@pytest.mark.parametrize("left", [6, 20, 200])
def test_a_file_that_was_cut_off_is_refused_in_a_sentence(tmp_path, left):
    path = with_tags(tmp_path / "a.tif", *NORTH_UP)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(UserError, match="can be used"):
        read_georeference(path)


def test_each_page_lies_where_its_own_tags_say(tmp_path):
    other = [NORTH_UP[0], (TIES, 12, 6, (0, 0, 0, 700, 900, 0), True)]
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for tags in (NORTH_UP, other):
            file.write(np.zeros((8, 8), np.uint8), extratags=tags, metadata=None, contiguous=False)
    found = [read_georeference(tmp_path / "a.tif", page).tags[TIES][3] for page in (0, 1, 2)]
    assert found == [500, 500, 700]
