"""Results of 16 bit are written whole, gray as gray."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from consingan.errors import UserError
from consingan.images.deep import refuse_colors, write_as
from consingan.images.io import read_picture, write_image

GRAY = torch.linspace(-1, 1, 24 * 32).view(1, 1, 24, 32).expand(1, 3, 24, 32)
COLORS = torch.stack([GRAY[0, 0], -GRAY[0, 0], GRAY[0, 0] * 0])[None]


@pytest.mark.parametrize(("form", "suffix"), [("png16", ".png"), ("tiff16", ".tif")])
def test_gray_keeps_more_than_256_levels(tmp_path, form, suffix):
    path = write_as(tmp_path / "a.b", GRAY, form)
    assert path == tmp_path / f"a.b{suffix}"
    pixels = np.asarray(Image.open(path))
    assert pixels.shape == (24, 32)
    assert len(np.unique(pixels)) == 24 * 32
    assert (pixels.min(), pixels.max()) == (0, 65535)
    assert torch.allclose(read_picture(path).image, GRAY, atol=2e-5)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_colors_go_into_tiff(tmp_path):
    path = write_as(tmp_path / "x", COLORS, "tiff16")
    assert tifffile.imread(path).shape == (24, 32, 3)
    assert torch.allclose(read_picture(path).image, COLORS, atol=2e-5)


def test_colors_do_not_go_into_png(tmp_path):
    with pytest.raises(UserError, match="use tiff16"):
        write_as(tmp_path / "x", COLORS, "png16")
    with pytest.raises(UserError, match="use tiff16"):
        refuse_colors(COLORS, "png16")
    refuse_colors(COLORS, "tiff16")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["png16", "tiff16"])
def test_what_is_not_finite_never_becomes_a_picture(tmp_path, form):
    with pytest.raises(ValueError, match="not finite"):
        write_as(tmp_path / "x", GRAY * float("nan"), form)


@pytest.mark.parametrize(("form", "name"), [("png", "x.png"), ("jpg", "x.jpg")])
def test_shallow_formats_are_written_as_ever(tmp_path, form, name):
    write_image(tmp_path / name, COLORS)
    before = (tmp_path / name).read_bytes()
    assert write_as(tmp_path / "x", COLORS, form).read_bytes() == before


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.webp", "x.tif"])
def test_what_is_written_says_that_it_is_srgb(tmp_path, name):
    write_image(tmp_path / name, COLORS)
    with Image.open(tmp_path / name) as image:
        assert "srgb" in image.info or image.info["icc_profile"]
    assert read_picture(tmp_path / name).notes == ()
