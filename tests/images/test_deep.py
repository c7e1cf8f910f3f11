"""Results of any depth and channels are written whole, gray as gray."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from consingan.errors import UserError
from consingan.images.deep import write_as
from consingan.images.io import read_picture, to_pixels, write_image

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


def test_colors_of_16_bit_go_into_png(tmp_path):
    path = write_as(tmp_path / "x", COLORS, "png16")
    assert path.name == "x.png"
    assert read_picture(path).notes == ()
    assert torch.allclose(read_picture(path).image, COLORS, atol=2e-5)
    with Image.open(path) as image:  # a reader of another hand
        assert image.size == (32, 24)
        assert abs(int(np.asarray(image)[5, 7, 0]) - int(to_pixels(COLORS)[5, 7, 0])) <= 1


def test_one_channel_becomes_a_gray_file(tmp_path):
    path = write_as(tmp_path / "x", GRAY[:, :1], "png", "gray")
    with Image.open(path) as image:
        assert image.mode == "L"
    assert torch.allclose(read_picture(path).image, GRAY, atol=1 / 255)


@pytest.mark.parametrize("form", ["png", "png16", "tiff", "tiff16"])
def test_opacity_comes_back(tmp_path, form):
    alpha = torch.cat([torch.zeros(12, 32), torch.ones(12, 32)])[None, None]
    image = torch.cat([(COLORS + 1) * alpha - 1, 2 * alpha - 1], 1)
    picture = read_picture(write_as(tmp_path / "x", image, form, "rgba"))
    assert torch.equal(picture.alpha, alpha)
    assert torch.allclose(picture.image[:, :, 12:], COLORS[:, :, 12:], atol=1 / 127)


@pytest.mark.parametrize(
    ("form", "channels", "said"), [("jpg", "rgba", "use png"), ("png16", "bands", "use tiff16")]
)
def test_a_format_without_room_for_the_channels_is_refused(tmp_path, form, channels, said):
    with pytest.raises(UserError, match=said):
        write_as(tmp_path / "x", torch.zeros(1, 4, 8, 8), form, channels)
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
