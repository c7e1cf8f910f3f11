"""What the tags of a TIFF say of its numbers is taken as the numbers can hold it."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import H, W, ramp, tiff

from consingan.images.decode import decode
from consingan.images.io import read_picture


def multiplied(path, colors, alpha):
    """A TIFF whose colors are multiplied with their opacity."""
    values = np.dstack([colors * alpha[..., None], alpha])
    return tiff(path, values, photometric="rgb", extrasamples=["assocalpha"])


@pytest.mark.parametrize("opaque", [True, False])
def test_lights_above_1_are_kept_where_colors_were_multiplied(tmp_path, opaque):
    colors = np.dstack([ramp(0, top, "f4") for top in (2, 5, 8)])
    alpha = np.ones((H, W), np.float32) if opaque else ramp(0.5, 1, "f4")
    path = multiplied(tmp_path / "x.tif", colors, alpha)
    assert np.allclose(decode(path).colors, colors, atol=1e-5)
    assert read_picture(path).value_range.startswith("0,8")


@pytest.mark.parametrize("top", [1, 4])
def test_glow_that_covers_nothing_is_no_light(tmp_path, top):
    colors = np.dstack([ramp(0, top, "f4")] * 3)
    alpha = np.ones((H, W), np.float32)
    alpha[:3] = 1e-3
    colors[:3] = 300
    path = multiplied(tmp_path / "x.tif", colors, alpha)
    found = decode(path).colors
    assert np.allclose(found[3:], colors[3:], atol=1e-5)
    assert np.allclose(found[:3], colors[3:].max(), atol=1e-5)
    assert read_picture(path).value_range.split(",")[1] == str(top)


def test_whole_numbers_end_where_their_type_does(tmp_path):
    values = np.full((H, W, 4), 200, np.uint8)
    values[..., 3] = 100
    path = tiff(tmp_path / "x.tif", values, photometric="rgb", extrasamples=["assocalpha"])
    assert (decode(path).colors == 255).all()


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4"])
def test_a_number_for_no_value_is_found_as_the_pixels_hold_it(tmp_path, dtype):
    values = ramp(0, 30, dtype)
    values[:6] = -999.9
    path = tiff(tmp_path / "x.tif", values, extratags=[(42113, "s", 7, "-999.9", True)])
    picture = read_picture(path)
    assert float(picture.value_range.split(",")[0]) > 0
    assert f"25 % {values[0, 0]:.6g} (no value)" in "".join(picture.notes)
    assert (picture.image[:, :, :6] == -1).all()


def test_a_number_for_no_value_beyond_the_type_is_none(tmp_path):
    tag = (42113, "s", 24, "-1.7976931348623157e+308", True)
    path = tiff(tmp_path / "x.tif", ramp(0, 30, "f4"), extratags=[tag])
    assert read_picture(path).value_range.startswith("0,30")
