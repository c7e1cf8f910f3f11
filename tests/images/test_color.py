"""Colors of any depth become sRGB as their profile says."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import torch
from pictures import adobe_rgb, texture, tiff
from PIL import Image

from consingan.images import color
from consingan.images.color import deep_to_srgb, to_srgb
from consingan.images.io import read_picture
from consingan.settings.reading import Reading

PROPHOTO = ((0.7976749, 0.1351917, 0.0313534), (0.2880402, 0.7118741, 0.0000857), (0, 0, 0.82521))
ADOBE = ((0.60974, 0.20528, 0.14919), (0.31111, 0.62567, 0.06322), (0.01947, 0.06087, 0.74457))
SRGB = ((0.43604, 0.38511, 0.14305), (0.22248, 0.71691, 0.06061), (0.01392, 0.09707, 0.71391))


def fixed(*numbers):
    return struct.pack(f">{len(numbers)}i", *(round(n * 65536) for n in numbers))


def para(kind, *numbers):
    return struct.pack(">4sIHH", b"para", 0, kind, 0) + fixed(*numbers)


def curv(*numbers):
    return struct.pack(f">4sII{len(numbers)}H", b"curv", 0, len(numbers), *numbers)


def profile_of(columns=ADOBE, curve=None, gray=False):
    """A profile with these columns of its matrix, and one curve for all channels."""
    profile = bytearray(adobe_rgb())
    (count,) = struct.unpack_from(">I", profile, 128)
    for n in range(count):
        place = 132 + 12 * n
        name, start, _ = struct.unpack_from(">4sII", profile, place)
        if name in (b"rXYZ", b"gXYZ", b"bXYZ"):
            profile[start + 8 : start + 20] = fixed(
                *(row[b"rgb".index(name[:1])] for row in columns)
            )
        elif name.endswith(b"TRC") and curve is not None:
            struct.pack_into(">II", profile, place + 4, len(profile), len(curve))
            profile += curve + bytes(-len(curve) % 4)
            if gray and name == b"rTRC":
                profile[place : place + 4] = b"kTRC"
    if gray:
        profile[16:20] = b"GRAY"
    struct.pack_into(">I", profile, 0, len(profile))
    return bytes(profile)


def by_formula(values, columns, gamma):
    """Plainly: a power, two matrices, sRGB's curve."""
    light = np.linalg.solve(
        np.array(SRGB), np.array(columns) @ (values.reshape(-1, 3) ** gamma).T
    ).T
    light = light.clip(0, 1).reshape(values.shape)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(
    ("columns", "gamma"), [(ADOBE, 2.2), (PROPHOTO, 1.8)], ids=["Adobe RGB", "ProPhoto"]
)
@pytest.mark.parametrize("form", ["u2", "f4"])
def test_deep_colors_are_converted_at_their_depth(tmp_path, columns, gamma, form):
    unit = np.linspace(0, 1, 48 * 48)[:, None] * (1, 0.8, 0.6)
    values = unit.reshape(48, 48, 3) * (65535 if form == "u2" else 1)
    values = values.round().astype("u2") if form == "u2" else values.astype("f4")
    profile = profile_of(columns, para(0, gamma))
    path = tiff(tmp_path / "x.tif", values, photometric="rgb", iccprofile=profile)
    picture = read_picture(path)
    wanted = by_formula(values / (65535.0 if form == "u2" else 1), columns, gamma)
    found = (picture.image[0].permute(1, 2, 0).double().numpy() + 1) / 2
    assert np.abs(found - wanted).max() < 1e-4
    assert len(np.unique(found)) > 2000
    assert "converted from" in picture.notes[0]


CURVES = {
    "power": para(0, 1.8),
    "power of a line": para(1, 2.0, 0.9, 0.1),
    "power of a line and a base": para(2, 2.0, 0.848683, 0.1, 0.1),
    "sRGB's": para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    "all parameters": para(4, 2.0, 0.93995, 0.05, 0.19187, 0.04, 0.02, 0.02),
    "straight": curv(),
    "one number": curv(round(2.2 * 256)),
    "a table": curv(0, 3000, 9000, 30000, 65535),
}


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_every_curve_gives_what_littlecms_makes_of_8_bit(curve, gray):
    """Of gray in three channels: in one it interpolates coarsely."""
    pixels = np.repeat(texture()[..., :1], 3, 2) if gray else texture()
    converted, _ = to_srgb(Image.fromarray(pixels), profile_of(SRGB, curve))
    values = pixels / 255
    deep = deep_to_srgb(profile_of(SRGB, curve, gray), 1 if gray else 3)
    assert "leaves 8 bit" not in "".join(deep.notes)  # then LittleCMS itself would be compared
    found = values if deep.convert is None else deep.convert(values[..., : 1 if gray else 3])
    assert np.abs(found - np.asarray(converted) / 255).max() < 1.2 / 255


def test_gray_is_taken_as_three_alike_by_a_profile_of_colors(tmp_path):
    values = np.linspace(0, 65535, 24 * 32).reshape(24, 32).round().astype("u2")
    path = tiff(tmp_path / "x.tif", values, iccprofile=profile_of(curve=para(0, 1.8)))
    found = (read_picture(path).image[0].double().numpy() + 1) / 2
    light = (values / 65535) ** 1.8
    wanted = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(found - wanted).max() < 1e-3  # white of the profile is not quite D50


def test_of_a_profile_of_tables_it_is_said_that_8_bit_are_left(tmp_path, monkeypatch):
    monkeypatch.setattr(color, "shaper_of", lambda _: None)
    values = texture().astype("u2") * 257
    path = tiff(tmp_path / "x.tif", values, photometric="rgb", iccprofile=adobe_rgb())
    picture = read_picture(path)
    assert "to sRGB, which leaves 8 bit of them." in picture.notes[0]
    converted, _ = to_srgb(Image.fromarray(texture()), adobe_rgb())
    assert np.abs((picture.image[0].permute(1, 2, 0).numpy() + 1) * 127.5 - converted).max() < 0.01


@pytest.mark.parametrize("curve", [para(0, -1.0), curv(65535, 65535)], ids=["falling", "white"])
def test_a_curve_that_makes_no_sense_is_littlecms_to_read(curve):
    deep = deep_to_srgb(profile_of(curve=curve), 3)
    assert deep.convert is None or "leaves 8 bit" in deep.notes[0]


def test_a_range_that_was_typed_is_obeyed_with_a_profile_in_tiff_as_in_png(tmp_path):
    shallow = texture() // 3
    tiff(tmp_path / "x.tif", shallow, photometric="rgb", iccprofile=adobe_rgb())
    Image.fromarray(shallow).save(tmp_path / "x.png", icc_profile=adobe_rgb())
    typed = Reading("0,85")
    first = read_picture(tmp_path / "x.tif", typed)
    assert torch.equal(first.image, read_picture(tmp_path / "x.png", typed).image)
    assert not torch.equal(first.image, read_picture(tmp_path / "x.tif").image)
