"""Any picture is read as RGB in [-1, 1]; what is written is read back."""

from __future__ import annotations

import gc
import io
import json
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consingan.errors import UserError
from consingan.images.io import from_pixels, read_image, read_picture, to_pixels, write_image
from consingan.images.png import write_png
from consingan.images.raster import PIXEL_LIMIT
from consingan.machine import files

H, W = 12, 17


@pytest.fixture
def rgb():
    return np.random.default_rng(0).integers(0, 256, (H, W, 3), dtype=np.uint8)


@pytest.fixture
def deep():
    return np.random.default_rng(1).integers(0, 65536, (H, W, 3), dtype=np.uint16)


def unit_pixels(path):
    return (read_picture(path).image[0].double().permute(1, 2, 0).numpy() + 1) / 2


def stored(folder, name, picture, **options):
    path = folder / name
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("x.png", {}),
        ("x.PNG", {}),
        ("x.bmp", {}),
        ("x.tif", {}),
        ("x.tiff", {"compression": "tiff_lzw"}),
        ("x.webp", {"lossless": True}),
    ],
)
def test_formats_without_loss_are_read_exactly(tmp_path, rgb, name, options):
    image = read_image(stored(tmp_path, name, rgb, **options))
    assert image.shape == (1, 3, H, W)
    assert image.dtype == torch.float32
    assert (to_pixels(image) == rgb).all()


@pytest.mark.parametrize("name", ["x.jpg", "x.jpeg", "x.JPG", "x.webp"])
def test_formats_with_loss_are_read_nearly(tmp_path, name):
    smooth = np.linspace(0, 255, H * W * 3).reshape(H, W, 3).astype(np.uint8)
    image = read_image(stored(tmp_path, name, smooth, quality=100))
    assert np.abs(to_pixels(image).astype(int) - smooth).max() < 12


@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 30), width=st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_pixels_survive_the_round_trip(seed, height, width):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = from_pixels(pixels / 255.0)
    assert image.min() >= -1
    assert image.max() <= 1
    assert (to_pixels(image) == pixels).all()


def test_all_levels_survive_the_round_trip():
    levels = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2)
    assert (to_pixels(from_pixels(levels / 255.0)) == levels).all()


def test_values_outside_the_range_are_clipped():
    image = torch.tensor([-7.0, -1, 0, 1, 3])[None, None, None].expand(1, 3, 1, 5)
    assert to_pixels(image)[0, :, 0].tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_never_become_a_picture(tmp_path, value):
    image = torch.zeros(1, 3, 4, 4)
    image[0, 1, 2, 3] = value
    with pytest.raises(ValueError, match="not finite"):
        to_pixels(image)
    with pytest.raises(ValueError, match="not finite"):
        write_image(tmp_path / "x.png", image)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["L", "1", "LA", "P", "CMYK", "I;16"])
def test_gray_in_every_guise_becomes_rgb(tmp_path, kind):
    gray = np.zeros((H, W), np.uint8)
    gray[:, W // 2 :] = 255
    picture = Image.fromarray(gray)
    if kind == "I;16":
        picture = Image.fromarray(gray.astype(np.uint16) * 257)
    elif kind == "P":
        picture = picture.convert("RGB").quantize(8)
    elif kind == "CMYK":
        picture = picture.convert("RGB").convert("CMYK")
    else:
        picture = picture.convert(kind)
    path = stored(tmp_path, "x.tif" if kind == "CMYK" else "x.png", picture)
    assert (to_pixels(read_image(path)) == gray[:, :, None]).all()


def test_cmyk_jpeg(tmp_path):
    red = Image.new("RGB", (W, H), (220, 30, 30)).convert("CMYK")
    color = to_pixels(read_image(stored(tmp_path, "x.jpg", red, quality=100)))[5, 5]
    assert np.abs(color.astype(int) - (220, 30, 30)).max() < 12


def test_16_bit_gray_png_keeps_its_depth(tmp_path, deep):
    gray = deep[:, :, 0]
    pixels = unit_pixels(stored(tmp_path, "x.png", gray))
    np.testing.assert_allclose(pixels[:, :, 1], gray / 65535, atol=1e-6)


def test_16_bit_gray_png_with_a_transparent_level(tmp_path, deep):
    gray = deep[:, :, 0]
    pixels = unit_pixels(stored(tmp_path, "x.png", gray, transparency=int(gray[0, 0])))
    expected = np.where(gray == gray[0, 0], 1, gray / 65535)  # over white
    np.testing.assert_allclose(pixels[:, :, 1], expected, atol=1e-6)


def test_16_bit_color_png_with_a_transparent_color(tmp_path, deep):
    path = tmp_path / "x.png"
    write_png(path, [deep], H)
    whole, chunk = path.read_bytes(), b"tRNS" + struct.pack(">3H", *map(int, deep[0, 0]))
    chunk = struct.pack(">I", 6) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(whole[:33] + chunk + whole[33:])  # after the header
    expected = deep / 65535
    expected[0, 0] = 1  # over white
    np.testing.assert_allclose(unit_pixels(path), expected, atol=1e-6)


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_16_bit_color_tiff_keeps_its_depth(tmp_path, deep, planes, compression):
    path = tmp_path / "x.tif"
    stack = deep if planes == "contig" else deep.transpose(2, 0, 1)
    tifffile.imwrite(path, stack, photometric="rgb", planarconfig=planes, compression=compression)
    np.testing.assert_allclose(unit_pixels(path), deep / 65535, atol=1e-6)


def test_16_bit_gray_tiff_keeps_its_depth(tmp_path, deep):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, deep[:, :, 0])
    np.testing.assert_allclose(unit_pixels(path)[:, :, 2], deep[:, :, 0] / 65535, atol=1e-6)


def test_8_bit_tiff_of_tifffile(tmp_path, rgb):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, np.stack([rgb, 255 - rgb]), photometric="rgb")  # two pages
    assert (to_pixels(read_picture(path).image) == rgb).all()


def test_16_bit_tiff_with_transparency(tmp_path, deep):
    path = tmp_path / "x.tif"
    opacity = np.full((H, W, 1), 65535, np.uint16)
    opacity[0, 0] = 0
    tifffile.imwrite(
        path, np.concatenate([deep, opacity], 2), photometric="rgb", extrasamples=["unassalpha"]
    )
    with pytest.warns(UserWarning, match="transparent parts"):
        image = read_image(path)
    assert (image[0, :, 0, 0] == 1).all()
    assert (to_pixels(image)[1:] == (deep[1:] / 257).round()).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_16_bit_tiff_is_turned_as_pillow_turns(tmp_path, deep, orientation):
    path = tmp_path / "x.tif"
    tags = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(path, deep, photometric="rgb", extratags=tags)
    shallow = stored(tmp_path, "y.tif", (deep >> 8).astype(np.uint8), tiffinfo={274: orientation})
    difference = unit_pixels(path) - unit_pixels(shallow)
    assert np.abs(difference).max() < 1 / 254


def test_float_tiff(tmp_path, rgb):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, (rgb / 255).astype(np.float32), photometric="rgb")
    assert (to_pixels(read_image(path)) == rgb).all()


def test_what_there_is_to_say_is_a_warning_of_the_short_form(tmp_path, rgb):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, rgb.astype(np.float32), photometric="rgb")
    with pytest.warns(
        UserWarning, match=r"^x.tif: its values 0 to 255 .*; a copy with 8 bit is taken as it is$"
    ):
        assert (to_pixels(read_image(path)) == rgb).all()


def test_float_tiff_with_nan(tmp_path):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, np.full((H, W), np.nan, np.float32))
    with pytest.raises(UserError, match="not finite"):
        read_image(path)


def test_first_frame_of_an_animated_gif(tmp_path):
    frames = [Image.new("RGB", (W, H), color) for color in ("red", "lime", "blue")]
    path = stored(tmp_path, "x.gif", frames[0], save_all=True, append_images=frames[1:])
    assert (to_pixels(read_picture(path).image) == (255, 0, 0)).all()


@pytest.mark.parametrize(("mode", "color"), [("RGBA", (10, 200, 30, 0)), ("LA", (90, 0))])
def test_transparency_is_laid_over_white(tmp_path, mode, color):
    picture = Image.new(mode, (W, H), color)
    picture.putpixel((3, 2), (*color[:-1], 255))
    path = stored(tmp_path, "x.png", picture)
    with pytest.warns(
        UserWarning, match="of it is transparent; transparent parts are taken as white"
    ) as said:
        image = read_image(path)
    assert len(said) == 1
    pixels = to_pixels(image)
    assert (pixels[0, 0] == 255).all()
    assert (pixels[2, 3] == color[:-1]).all()
    assert (pixels != 255).any(2).sum() == 1


def test_half_transparency_is_half_white(tmp_path):
    path = stored(tmp_path, "x.png", Image.new("RGBA", (W, H), (0, 0, 0, 51)))
    with pytest.warns(UserWarning, match="transparent"):
        assert (to_pixels(read_image(path)) == 204).all()


@pytest.mark.parametrize("name", ["x.png", "x.gif", "x.webp"])
def test_opacity_of_one_is_no_transparency(tmp_path, rgb, name):
    picture = Image.fromarray(rgb).convert("RGBA" if name != "x.gif" else "RGB")
    path = stored(tmp_path, name, picture)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_image(path).shape == (1, 3, H, W)


def test_palette_with_and_without_transparency(tmp_path):
    picture = Image.new("P", (W, H), 1)
    picture.putpalette([0, 0, 0, 40, 50, 60])
    picture.putpixel((0, 0), 0)
    pixels = to_pixels(read_image(stored(tmp_path, "opaque.png", picture)))
    assert pixels[0, 0].tolist() == [0, 0, 0]
    with pytest.warns(UserWarning, match="transparent"):
        pixels = to_pixels(read_image(stored(tmp_path, "clear.png", picture, transparency=0)))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[1, 1].tolist() == [40, 50, 60]


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (1, lambda p: p),
        (2, np.fliplr),
        (3, lambda p: np.rot90(p, 2)),
        (6, lambda p: np.rot90(p, -1)),
        (8, np.rot90),
    ],
)
def test_camera_rotation_is_applied(tmp_path, rgb, orientation, turned):
    exif = Image.Exif()
    exif[274] = orientation
    path = stored(tmp_path, "x.png", rgb, exif=exif)
    assert (to_pixels(read_image(path)) == turned(rgb)).all()


@pytest.mark.parametrize("name", ["photo.jpg", "photo", "photo.txt", "photo.tif"])
def test_content_counts_not_the_extension(tmp_path, rgb, name):
    path = tmp_path / name
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    path.write_bytes(buffer.getvalue())
    assert (to_pixels(read_image(path)) == rgb).all()


def test_pictures_of_phones_with_a_second_picture_inside(tmp_path, rgb):
    picture = Image.fromarray(rgb)
    path = stored(tmp_path, "x.jpg", picture, format="MPO", save_all=True, append_images=[picture])
    assert read_image(path).shape == (1, 3, H, W)


@pytest.mark.parametrize(
    "name",
    ["my photo.png", "my-photo.v2.jpeg", "x.webp", "été à Zürich.png", "-dash.png", "a'b.png"],
)
def test_names_of_any_kind(tmp_path, rgb, name):
    assert read_image(stored(tmp_path, name, rgb)).shape == (1, 3, H, W)


def test_photograph_of_scikit_image():
    from skimage import data

    assert (to_pixels(read_image("skimage:coffee")) == data.coffee()).all()


def test_gray_photograph_of_scikit_image():
    image = read_image("skimage:brick")
    assert image.shape == (1, 3, 512, 512)
    assert (image[:, 0] == image[:, 2]).all()


@pytest.mark.parametrize("cut", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize(
    "name", ["x.png", "x.jpg", "x.webp", "x.gif", "x.tif", "x.bmp", "deep.tif"]
)
def test_cut_files_give_one_sentence(tmp_path, deep, name, cut):
    path = tmp_path / name
    if name == "deep.tif":
        tifffile.imwrite(path, deep, photometric="rgb")
    else:
        stored(tmp_path, name, (deep >> 8).astype(np.uint8))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * cut)])
    with pytest.raises(UserError, match=r"\.$") as error:
        read_image(path)
    assert str(path) in str(error.value)


def test_written_pictures_are_read_back(tmp_path, rgb):
    image = from_pixels(rgb / 255.0)
    write_image(tmp_path / "x.png", image)
    assert (read_image(tmp_path / "x.png") == image).all()
    assert [p.name for p in tmp_path.iterdir()] == ["x.png"]


def test_a_path_may_be_text(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in (f"{tmp_path}/x.png", "~/y.png"):
        write_image(name, torch.zeros(1, 3, 4, 4))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.png", "y.png"]


@pytest.mark.parametrize(
    ("name", "count", "said"),
    [("x.png", 3, "3 pictures"), ("x.png", 0, "0 pictures"), ("x", 1, "ends in"),
     ("x.xyz", 1, "ends in"), ("x.btf", 1, "ends in")],
)  # fmt: skip
def test_what_is_no_one_picture_or_file_of_one_is_refused(tmp_path, name, count, said):
    """Written in silence it would be the first of them."""
    with pytest.raises(UserError, match=said):
        write_image(tmp_path / name, torch.zeros(count, 3, 4, 4))
    assert list(tmp_path.iterdir()) == []


def test_jpeg_is_written_as_jpeg(tmp_path):
    write_image(tmp_path / "x.jpg", torch.zeros(1, 3, 16, 16))
    with Image.open(tmp_path / "x.jpg") as image:
        assert image.format == "JPEG"
        assert np.abs(np.asarray(image).astype(int) - 128).max() <= 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_leaves_the_old_file_and_is_told_once(tmp_path):
    path = tmp_path / "x.png"
    write_image(path, torch.ones(1, 3, 4, 4))
    before = path.read_bytes()
    (tmp_path / f".x.png.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_image(path, torch.zeros(1, 3, 4, 4))
    gc.collect()  # what is left open would complain now, which is an error here
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("size", "damage"), [((9459, 9459), "cut short"), ((9460, 9460), "claims more than 89 million")]
)
def test_the_limit_is_the_one_that_the_sentence_names(tmp_path, size, damage):
    """A header alone, at the limit and above: the pixels themselves are missing."""
    path = tmp_path / "large.png"
    Image.new("L", (1, 1)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", *size)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    assert (size[0] * size[1] > PIXEL_LIMIT) == damage.startswith("claims")
    with pytest.raises(UserError, match=damage):
        read_image(path)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
@settings(max_examples=30, deadline=None)
def test_json_is_written_whole(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "value.json"
    files.write_json(path, value)
    assert json.loads(path.read_text(encoding="utf-8")) == value


def test_tensors_are_written_whole(tmp_path):
    from safetensors.torch import load_file

    tensors = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.tensor(3.5, dtype=torch.float64)}
    files.write_tensors(tmp_path / "x.safetensors", tensors)
    loaded = load_file(tmp_path / "x.safetensors")
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)
    assert len(list(tmp_path.iterdir())) == 1
