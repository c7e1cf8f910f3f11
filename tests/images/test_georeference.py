"""Where a TIFF lies is kept for the same picture at another size."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
import torch

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
