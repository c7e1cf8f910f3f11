"""HEIC, as telephones write it: the primary picture, upright, with opacity and depth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from consingan.errors import UserError
from consingan.images.io import read_picture, to_pixels, write_image
from consingan.images.pillow import formats, go_to_page
from consingan.machine import extras
from consingan.settings.reading import Reading

COLORS = np.full((16, 24, 3), (200, 40, 60), np.uint8)
COLORS[:8, :12] = (30, 160, 90)


@pytest.fixture
def heif() -> Any:
    return pytest.importorskip("pillow_heif")


def write(heif: Any, path: Path, *pictures: np.ndarray, **options: Any) -> Path:
    """Without loss, but for the rounding between RGB and YCbCr."""
    file = heif.from_pillow(Image.fromarray(pictures[0]))
    for other in pictures[1:]:
        file.add_from_pillow(Image.fromarray(other))
    file.save(path, quality=-1, chroma=444, **options)
    return path


def alike(path: Path, pixels: np.ndarray, page: int = 0) -> bool:
    read = to_pixels(read_picture(path, Reading(page=page)).image)
    return read.shape == pixels.shape and np.allclose(read, pixels, atol=4)


def test_a_picture_is_read_as_it_was_written(heif, tmp_path):
    path = write(heif, tmp_path / "a.heic", COLORS)
    assert alike(path, COLORS)
    assert read_picture(path).notes == ()


def test_a_picture_that_is_held_upright_by_a_tag_is_turned_once(heif, tmp_path):
    tag = Image.Exif()
    tag[274] = 6  # turned to the right
    path = write(heif, tmp_path / "a.heic", COLORS, exif=tag.tobytes())
    assert alike(path, np.rot90(COLORS, -1))


def test_opacity_is_read(heif, tmp_path):
    alpha = np.repeat(np.array([0, 255], np.uint8), 12)[None, :, None].repeat(16, 0)
    path = write(heif, tmp_path / "a.heic", np.concatenate([COLORS, alpha], 2))
    opacity = torch.from_numpy(alpha[None, None, :, :, 0] / 255).float()
    assert torch.equal(read_picture(path).alpha, opacity)


def test_a_picture_of_gray_keeps_more_than_8_bit(heif, tmp_path):
    ramp = np.linspace(0, 65535, 512).astype(np.uint16)[None].repeat(16, 0)
    heif.encode("L;16", (512, 16), ramp.tobytes(), tmp_path / "a.heic", quality=-1)
    picture = read_picture(tmp_path / "a.heic")
    assert picture.bits == 16
    assert len(picture.image.unique()) > 256


def test_the_primary_picture_is_taken_and_a_number_takes_another(heif, tmp_path):
    other = COLORS[::-1, ::-1].copy()
    path = write(heif, tmp_path / "a.heic", COLORS, other, primary_index=1)
    assert alike(path, other)
    assert "number 2 of its 2 frames is taken; of a training image" in read_picture(path).notes[0]
    assert alike(path, COLORS, page=1)
    assert alike(path, other, page=2)


def test_a_file_stays_at_the_picture_that_it_opens_at(tmp_path):
    frames = [Image.new("L", (4, 4), level) for level in (0, 90, 180)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "a.gif") as image:
        image.seek(1)  # as pillow-heif does it
        (note,) = go_to_page(image, 0)
        assert image.tell() == 1
        assert note.startswith("number 2 of its 3 frames is taken; ")
        assert go_to_page(image, 3) == ("number 3 of its 3 frames is taken",)
        assert image.tell() == 2


def test_without_its_reader_one_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(60))
    with pytest.raises(UserError, match=r'run: pip install "pillow-heif>=0\.18"'):
        read_picture(tmp_path / "a.heic")


def test_a_reader_that_is_broken_is_told_of_where_it_is_needed(heif, tmp_path, monkeypatch):
    path = write(heif, tmp_path / "a.heic", COLORS)
    Image.fromarray(COLORS).save(tmp_path / "a.png")
    (tmp_path / "pillow_heif.py").write_text("raise OSError('libx.so.3: cannot open')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pillow_heif")
    assert alike(tmp_path / "a.png", COLORS)
    write_image(tmp_path / "b.png", COLORS)
    assert alike(tmp_path / "b.png", COLORS)
    with pytest.raises(UserError, match=r"pillow-heif .* cannot be imported \(libx.so.3"):
        read_picture(path)


def test_a_damaged_file_is_called_so_where_its_reader_is_there(heif, tmp_path):
    whole = write(heif, tmp_path / "a.heic", COLORS).read_bytes()
    (tmp_path / "b.heic").write_bytes(whole[:200])
    with pytest.raises(UserError, match="damaged or cut short"):
        read_picture(tmp_path / "b.heic")


def test_a_reader_that_is_too_old_is_not_used(heif, tmp_path, monkeypatch):
    path = write(heif, tmp_path / "a.heic", COLORS)
    assert "HEIF" in formats()
    monkeypatch.setattr(extras, "version_of", lambda _: "0.10.0")
    with pytest.raises(UserError, match=r'run: pip install "pillow-heif>=0\.18"'):
        read_picture(path)
