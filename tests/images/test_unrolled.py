"""Files written strip by strip hold what those written at once do."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from consingan.errors import UserError
from consingan.images import unrolled
from consingan.images.deep import write_as
from consingan.images.io import read_picture
from consingan.images.unrolled import Sheet, write_strips

FORMATS = ["png", "png16", "tiff", "tiff16", "jpg"]
CHANNELS = {"gray": 1, "rgb": 3, "rgba": 4, "bands": 5}
HELD = [
    (form, channels)
    for form in FORMATS
    for channels in CHANNELS
    if not (channels == "bands" and "tiff" not in form) and (form, channels) != ("jpg", "rgba")
]


def picture(channels: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(channels)
    smooth = torch.nn.functional.interpolate(
        torch.randn(1, channels, 5, 4, generator=rng), (37, 22)
    )
    return (smooth + 0.1 * torch.randn(1, channels, 37, 22, generator=rng)).clamp(-1, 1)


@pytest.mark.parametrize(("form", "channels"), HELD)
def test_strips_make_the_same_picture(tmp_path, monkeypatch, form, channels):
    monkeypatch.setattr(unrolled, "STRIP_BYTES", 700)
    image = picture(CHANNELS[channels])
    whole = write_as(tmp_path / "x", image, form, channels)
    before = read_picture(whole)
    numbers = tifffile.imread(whole) if whole.suffix == ".tif" else np.asarray(Image.open(whole))
    sheet = Sheet((37, 22), form, channels, gray=channels == "gray")
    assert write_strips(tmp_path / "x", image.split(5, 2), sheet) == whole
    after = read_picture(whole)
    again = tifffile.imread(whole) if whole.suffix == ".tif" else np.asarray(Image.open(whole))
    assert np.array_equal(again, numbers)
    assert torch.equal(after.image, before.image)
    assert (after.bits, after.notes) == (before.bits, before.notes)


@pytest.mark.parametrize("form", ["png16", "tiff16"])
def test_without_colors_sixteen_bit_have_one_channel(tmp_path, form):
    image = picture(1).expand(-1, 3, -1, -1)
    path = write_strips(tmp_path / "x", image.split(9, 2), Sheet((37, 22), form, gray=True))
    assert np.asarray(Image.open(path)).shape == (37, 22)


@pytest.mark.parametrize("form", ["png", "tiff16", "jpg"])
def test_what_is_stopped_leaves_no_file(tmp_path, form):
    def stopped():
        yield picture(3)[:, :, :9]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_strips(tmp_path / "x", stopped(), Sheet((37, 22), form))
    assert list(tmp_path.iterdir()) == []


def test_above_four_gigabytes_it_is_bigtiff(tmp_path, monkeypatch):
    image, sheet = picture(3), Sheet((37, 22), "tiff16")
    with tifffile.TiffFile(write_strips(tmp_path / "a", [image], sheet)) as small:
        assert not small.is_bigtiff
    monkeypatch.setattr(unrolled, "BIG", 37 * 22 * 6 - 1)
    path = write_strips(tmp_path / "b", [image], sheet)
    with tifffile.TiffFile(path) as large:
        assert large.is_bigtiff
    assert torch.allclose(read_picture(path).image, image, atol=2e-5)


def test_a_format_without_room_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(UserError, match="no opacity"):
        write_strips(tmp_path / "x", iter(()), Sheet((4, 4), "jpg", "rgba"))


def test_a_jpeg_has_no_room_for_a_very_long_picture():
    unrolled.refuse_size("png", (70_000, 10))
    with pytest.raises(UserError, match="use --format png"):
        unrolled.refuse_size("jpg", (70_000, 10))
