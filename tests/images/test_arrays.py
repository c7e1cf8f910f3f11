"""What a program gives is taken rightly, or refused with what was found and what is wanted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pictures import ramp, texture, tiff
from PIL import Image

from consingan.errors import UserError
from consingan.images.arrays import mask_from, picture_from
from consingan.images.io import to_pixels

H, W = 24, 32
RGB = texture(H, W)
SIGNED = torch.from_numpy(RGB / 127.5 - 1).permute(2, 0, 1)[None].float().contiguous()
GRAY = RGB[..., 0]

TAKEN = {
    "uint8 HWC": RGB,
    "uint8 CHW": RGB.transpose(2, 0, 1),
    "uint8 NHWC": RGB[None],
    "uint16": RGB.astype(np.uint16) * 257,
    "floats": RGB / 255,
    "float32": (RGB / 255).astype(np.float32),
    "floats from -1": RGB / 127.5 - 1,
    "not contiguous": RGB[:, ::-1][:, ::-1],
    "a picture of Pillow": Image.fromarray(RGB),
    "Pillow with opacity": Image.fromarray(RGB).convert("RGBA"),
    "tensor": SIGNED,
    "tensor CHW": SIGNED[0],
    "tensor HWC": SIGNED[0].permute(1, 2, 0),
    "tensor of double": SIGNED.double(),
    "tensor of uint8": torch.from_numpy(RGB).permute(2, 0, 1),
    "tensor of uint8 HWC": torch.from_numpy(RGB),
    "tensor that learns": SIGNED.clone().requires_grad_(),
}


@pytest.mark.parametrize("given", TAKEN.values(), ids=TAKEN)
def test_pictures_are_taken_rightly(given):
    picture = picture_from(given)
    assert picture.image.shape == (1, 3, H, W)
    assert picture.image.dtype == torch.float32
    assert (to_pixels(picture.image) == RGB).all()
    picture.image.zero_()  # what was given is not changed with it
    assert (to_pixels(picture_from(given).image) == RGB).all()


@pytest.mark.parametrize("given", [GRAY, GRAY[..., None], torch.from_numpy(GRAY), GRAY / 255])
def test_gray_becomes_rgb(given):
    assert (to_pixels(picture_from(given).image) == GRAY[..., None]).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(dtype):
    picture = picture_from(SIGNED.to(dtype))
    assert (picture.image - SIGNED).abs().max() < 0.01


def test_files(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "x.png")
    for given in (tmp_path / "x.png", str(tmp_path / "x.png")):
        assert (to_pixels(picture_from(given).image) == RGB).all()


def test_deep_arrays_are_scaled_by_their_values():
    picture = picture_from(ramp(0, 900, "u2", H, W))
    assert picture.value_range == "0,900"
    assert picture.image.max() == 1


def test_opacity_of_an_array():
    rgba = np.dstack([RGB, np.full((H, W), 255, np.uint8)])
    rgba[0, 0, 3] = 0
    picture = picture_from(rgba)
    assert float(picture.alpha[0, 0, 0, 0]) == 0
    assert (picture.image[0, :, 0, 0] == 1).all()


def test_a_tensor_within_0_and_1_is_noted():
    (note,) = picture_from((SIGNED + 1) / 2).notes
    assert "all values in [0, 1]" in note
    assert "image * 2 - 1" in note


def test_an_array_from_minus_1_is_noted():
    assert "taken to be in [-1, 1]" in picture_from(RGB / 127.5 - 1).notes[0]


REFUSED = {
    "a batch of two": (torch.zeros(2, 3, H, W), r"torch.float32 of shape \(2, 3, 24, 32\)"),
    "five channels": (np.zeros((H, W, 5), np.uint8), r"uint8 of shape \(24, 32, 5\)"),
    "one line": (np.zeros(7), r"of shape \(7,\)"),
    "floats of 255": (RGB.astype(float), r"from 0 to 255, which has values outside"),
    "tensor of 255": (torch.from_numpy(RGB).float(), "outside of"),
    "NaN": (np.full((H, W, 3), np.nan), "outside of"),
    "tensor of NaN": (torch.full((1, 3, H, W), float("nan")), "outside of"),
    "complex": (np.zeros((H, W, 3), complex), "complex128"),
    "complex tensor": (torch.zeros(1, 3, H, W, dtype=torch.complex64), "complex64"),
    "text": (np.full((H, W), "a"), "<U1"),
    "a list": ([1, 2], "is a list"),
    "nothing": (None, "is a NoneType"),
    "empty": (np.zeros((0, 4, 3), np.uint8), r"\(0, 4, 3\)"),
}


@pytest.mark.parametrize(("given", "found"), REFUSED.values(), ids=REFUSED)
def test_others_are_refused_with_what_was_found_and_wanted(given, found):
    with pytest.raises(UserError, match=rf"{found}.*give a file, a picture of Pillow, an array"):
        picture_from(given)


THERE = np.zeros((H, W), bool)
THERE[3:9, 4:20] = True
MASKS = {
    "bool": THERE,
    "bool tensor": torch.from_numpy(THERE),
    "bool NCHW": torch.from_numpy(THERE)[None, None],
    "HW1": THERE[..., None],
    "uint8 of 255": THERE.astype(np.uint8) * 255,
    "uint8 of 1": THERE.astype(np.uint8),
    "int64 of 1": torch.from_numpy(THERE).long(),
    "floats": THERE.astype(float),
    "a picture of Pillow": Image.fromarray(THERE),
}


@pytest.mark.parametrize("given", MASKS.values(), ids=MASKS)
def test_masks_are_taken_rightly(given):
    mask = mask_from(given).values
    assert mask.shape == (1, 1, H, W)
    assert np.array_equal(mask[0, 0].numpy(), THERE.astype(np.float32))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (np.zeros((H, W, 3)), r"float64 of shape \(24, 32, 3\)"),
        (np.full((H, W), 2.0), r"from 2 to 2, which is outside of \[0, 1\]"),
        (np.full((H, W), np.nan), r"outside of \[0, 1\]"),
        (torch.full((H, W), -1), "from -1 to -1"),
        ("a", "no picture"),
        ([[0, 1]], "is a list"),
    ],
)
def test_other_masks_are_refused(given, found):
    with pytest.raises(UserError, match=found):
        mask_from(given)


def drawn_on_transparency() -> np.ndarray:
    rgba = np.zeros((H, W, 4), np.uint8)
    rgba[THERE] = (0, 0, 0, 255)
    return rgba


def drawn_on_a_photograph() -> np.ndarray:
    return np.where(THERE[..., None], 255 - RGB, RGB)


def held_upright() -> Image.Exif:
    exif = Image.Exif()
    exif[274] = 6
    return exif


FILES = {
    "black strokes on transparency": ("png", drawn_on_transparency(), {}),
    "labels": ("png", THERE * np.uint8(1) + THERE[::-1] * np.uint8(2), {}),
    "two levels": ("png", THERE * np.uint8(128), {}),
    "16 bit": ("png", ramp(0, 65535, "u2"), {}),
    "floats": ("tif", ramp(0, 1, "f4"), {}),
    "rotated": ("png", THERE * np.uint8(255), {"exif": held_upright()}),
    "white is zero": ("tif", 65535 - THERE * np.uint16(65535), {"tiffinfo": {262: 0}}),
    "strokes on a photograph": ("png", drawn_on_a_photograph(), {}),
}


@pytest.mark.parametrize(("suffix", "pixels", "options"), FILES.values(), ids=FILES)
def test_a_mask_of_pillow_is_read_as_its_file(tmp_path, suffix, pixels, options):
    path = tmp_path / f"mask.{suffix}"
    Image.fromarray(pixels).save(path, **options)
    expected = mask_from(path, (SIGNED,))
    with Image.open(path) as opened:
        found = mask_from(opened, (SIGNED,))
    assert torch.equal(found.values, expected.values)
    named = tuple(note.replace(f"mask mask.{suffix}", "mask") for note in expected.notes)
    assert found.notes == named
    assert found.values.min() == 0
    assert found.values.max() == 1


def test_a_deep_picture_of_pillow_whose_white_is_zero_is_read_as_its_file(tmp_path):
    path = tiff(tmp_path / "x.tif", ramp(0, 65535, "u2"), photometric="miniswhite")
    with Image.open(path) as opened:
        assert torch.equal(picture_from(opened).image, picture_from(path).image)


def test_a_photograph_of_pillow_is_no_mask():
    with pytest.raises(UserError, match=r"^The mask is a photograph, not a mask"):
        mask_from(Image.fromarray(RGB))


@pytest.fixture(params=["cut off", "closed"])
def unreadable(request, tmp_path):
    """A picture of Pillow whose numbers cannot be had."""
    file = tmp_path / "picture.png"
    Image.fromarray(RGB).save(file)
    if request.param == "cut off":
        file.write_bytes(file.read_bytes()[:500])
    with Image.open(file) as picture:
        if request.param == "cut off":
            yield picture
    if request.param == "closed":
        yield picture


@pytest.mark.parametrize(("read", "what"), [(picture_from, "image"), (mask_from, "mask")])
def test_a_picture_of_pillow_that_cannot_be_read_is_refused(unreadable, read, what):
    with pytest.raises(UserError, match=f"The {what} is a picture of Pillow that cannot be read"):
        read(unreadable)


def test_a_closed_picture_of_an_older_pillow_is_refused(monkeypatch):
    def load(self):  # as Pillow 10 and 11 do it
        self.fp = None
        self.fp.seek(0)

    monkeypatch.setattr(Image.Image, "load", load)
    with pytest.raises(UserError, match=r"cannot be read \(its file is closed\); open it anew"):
        picture_from(Image.fromarray(RGB))


@pytest.mark.parametrize("read", [picture_from, mask_from])
def test_what_lies_under_the_mask_of_an_array_is_not_guessed(read):
    whole = np.ma.masked_array(GRAY, np.zeros_like(GRAY, dtype=bool))
    read(whole)
    whole[:12] = np.ma.masked
    with pytest.raises(UserError, match="50 % of the array is masked"):
        read(whole)


def test_a_tensor_without_numbers_is_refused():
    with pytest.raises(UserError, match="device meta"):
        picture_from(torch.empty(3, 4, 5, device="meta"))
