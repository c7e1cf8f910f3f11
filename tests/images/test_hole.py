"""A hole is read from a mask, transparency or a color, or refused; what lies in it is gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from commands import HEIGHT, WIDTH, save
from hole_cases import HOLE, hole_mask, holed_scene
from PIL import Image
from torch import Tensor

from consingan.errors import UserError
from consingan.images.hole import emptied, emptied_by_1_2, hole_at, meant_by, read_hole
from consingan.images.io import read_picture
from consingan.images.mask_files import read_mask_file
from consingan.settings.reading import Reading

RED = (255, 0, 0)


def wanted() -> Tensor:
    return torch.from_numpy(hole_mask() / 255)[None, None].float()


def test_mask_transparency_and_color_say_the_same(tmp_path: Path) -> None:
    mask = save(tmp_path / "mask.png", hole_mask())
    plain = read_picture(save(tmp_path / "red.png", holed_scene(RED)))
    clear = np.dstack([holed_scene(RED), 255 - hole_mask()])
    transparent = read_picture(save(tmp_path / "clear.png", clear))
    assert torch.equal(read_hole(str(mask), plain).values, wanted())
    assert torch.equal(read_hole("alpha", transparent).values, wanted())
    of_color = read_hole("auto_color:255,0,0", plain).values
    assert bool((of_color >= wanted()).all())
    assert float(of_color.sum()) < 3 * float(wanted().sum())
    assert torch.equal(read_hole("auto_color 255,0,0", plain).values, of_color)


def deep_scene(known: int) -> np.ndarray:
    """Numbers up to `known` of 16 bit, its hole the whole range's red."""
    pixels = (holed_scene((0, 0, 0)) / 255 * known).astype(np.uint16)
    pixels[HOLE] = (65535, 0, 0)
    return pixels


def test_the_color_of_a_deep_picture_is_the_one_that_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "deep.tif"
    tifffile.imwrite(path, deep_scene(4095), photometric="rgb")
    seen = read_picture(path, Reading("full")).image
    found = read_hole("auto_color:255,0,0", read_picture(path), seen).values
    plain = read_picture(save(tmp_path / "red.png", holed_scene(RED)))
    assert torch.equal(found, read_hole("auto_color:255,0,0", plain).values)


def test_what_a_hole_shows_has_no_part_in_black_and_white(tmp_path: Path) -> None:
    path, clean = tmp_path / "deep.tif", tmp_path / "clean.tif"
    tifffile.imwrite(path, deep_scene(4095), photometric="rgb")
    pixels = deep_scene(4095)
    pixels[HOLE] = pixels[:8, :10]
    tifffile.imwrite(clean, pixels, photometric="rgb")
    known = read_picture(path, unknown=wanted())
    assert known.value_range == read_picture(clean).value_range
    assert torch.equal(known.image[wanted().expand(-1, 3, -1, -1) == 0],
                       read_picture(clean).image[wanted().expand(-1, 3, -1, -1) == 0])  # fmt: skip


def test_a_mask_of_another_size_takes_the_nearest_pixels_and_says_so(tmp_path: Path) -> None:
    picture = read_picture(save(tmp_path / "red.png", holed_scene(RED)))
    half = save(tmp_path / "half.png", hole_mask()[::2, ::2])
    found = read_hole(str(half), picture)
    assert set(found.values.unique().tolist()) == {0.0, 1.0}
    assert "nearest pixels" in found.notes[-1]


def test_a_gray_mask_is_thresholded_and_says_so(tmp_path: Path) -> None:
    picture = read_picture(save(tmp_path / "red.png", holed_scene(RED)))
    gray = hole_mask()
    gray[0, :2] = 100, 180
    found = read_hole(str(save(tmp_path / "gray.png", gray)), picture)
    assert found.values[0, 0, 0, :2].tolist() == [0.0, 1.0]
    assert "half white" in found.notes[-1]


def test_of_a_color_that_is_nowhere_it_is_said_so(tmp_path: Path) -> None:
    picture = read_picture(save(tmp_path / "red.png", holed_scene(RED)))
    with pytest.raises(UserError, match="0,255,255 marks nothing: no pixel has nearly that color"):
        read_hole("auto_color:0,255,255", picture)


@pytest.mark.parametrize(
    ("name", "words"),
    [("empty", "marks nothing"), ("full", "marks the whole picture"), ("wide", "more than is left"),
     ("square", "of another shape")],
)  # fmt: skip
def test_a_mask_that_cannot_be_used_is_refused(name: str, words: str, tmp_path: Path) -> None:
    picture = read_picture(save(tmp_path / "red.png", holed_scene(RED)))
    mask = {
        "empty": np.zeros((HEIGHT, WIDTH), np.uint8),
        "full": np.full((HEIGHT, WIDTH), 255, np.uint8),
        "wide": np.pad(np.full((HEIGHT - 4, WIDTH - 4), 255, np.uint8), 2),
        "square": hole_mask()[:, :HEIGHT],
    }[name]
    with pytest.raises(UserError, match=words):
        read_hole(str(save(tmp_path / "mask.png", mask)), picture)


@pytest.mark.parametrize("words", ["alpha", "auto_color", "auto_color:300,0,0", "auto_color:0,1,0"])
def test_words_that_find_no_hole_are_refused(words: str, tmp_path: Path) -> None:
    picture = read_picture(save(tmp_path / "red.png", holed_scene(RED)))
    with pytest.raises(UserError, match="--mask"):
        read_hole(words, picture)


def test_what_lies_in_a_hole_matters_to_nothing() -> None:
    hole, rng = wanted(), torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, HEIGHT, WIDTH, generator=rng) * 2 - 1
    other = torch.where(hole > 0, -image, image)
    assert torch.equal(emptied(image, hole), emptied(other, hole))
    assert torch.equal(torch.where(hole > 0, 0, emptied(image, hole)),
                       torch.where(hole > 0, 0, image))  # fmt: skip
    flat = torch.where(hole > 0, image, torch.full_like(image, 0.25))
    torch.testing.assert_close(emptied(flat, hole), torch.full_like(image, 0.25))


def test_a_smaller_picture_knows_no_pixel_that_saw_the_hole() -> None:
    from consingan.images.resize import resize_to

    hole = torch.zeros(1, 1, 40, 60)
    hole[..., 17:22, 30:33] = 1
    image = torch.rand(1, 3, 40, 60)
    other = torch.where(hole > 0, image + 1, image)
    for size in ((20, 30), (13, 19), (33, 50)):
        apart = (resize_to(image, size) - resize_to(other, size)).abs().amax(1, keepdim=True)
        assert bool((apart[hole_at(hole, size) == 0] < 0.01).all())
    assert HOLE[0].start == 16


def square() -> Tensor:
    hole = torch.zeros(1, 1, 40, 48)
    hole[..., 15:23, 20:29] = 1
    return hole


def test_a_flat_picture_is_filled_flat() -> None:
    flat = torch.full((1, 3, 40, 48), -0.4)
    torch.testing.assert_close(emptied(flat, square()), flat)


def test_a_smooth_fill_goes_evenly_from_edge_to_edge() -> None:
    slope = torch.linspace(-0.8, 0.8, 48).expand(1, 3, 40, 48).clone()
    assert float((emptied(slope, square()) - slope).abs().max()) < 0.05


@pytest.mark.parametrize("size", [(20, 26), (61, 47)])
def test_no_part_of_a_hole_vanishes_in_a_smaller_picture(size: tuple[int, int]) -> None:
    hole = torch.zeros(1, 1, 900, 1100)
    places = [(0, 0), (450, 333), (899, 1099)]
    for row, column in places:
        hole[0, 0, row, column] = 1
    small = hole_at(hole, size)
    assert set(small.unique().tolist()) == {0.0, 1.0}
    assert all(
        small[0, 0, row * size[0] // 900, column * size[1] // 1100] == 1 for row, column in places
    )


def test_a_hole_that_is_seen_in_a_smaller_picture_stays_as_it_was() -> None:
    hole = torch.zeros(1, 1, 90, 110)
    hole[..., 31:58, 40:41] = hole[..., 12:19, 70:83] = 1
    for size in ((20, 26), (61, 47), (200, 240)):
        soft = torch.nn.functional.interpolate(hole, size, mode="bicubic", antialias=True)
        assert torch.equal(hole_at(hole, size), (soft.abs() > 0.005).float())


def test_a_line_of_a_larger_mask_is_still_a_hole(tmp_path: Path) -> None:
    picture = read_picture(save(tmp_path / "red.png", holed_scene(RED)))
    large = np.zeros((4 * HEIGHT, 4 * WIDTH), np.uint8)
    large[36, 20:120] = 255
    found = read_hole(str(save(tmp_path / "large.png", large)), picture).values
    assert found[0, 0, 9, 5:30].tolist() == [1.0] * 25
    assert int(found.sum()) == 25


def test_noise_of_jpeg_in_the_black_of_a_mask_is_no_hole(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    disk = np.where(np.hypot(rows - HEIGHT / 2, columns - WIDTH / 2) < HEIGHT / 4, 255, 0)
    path = tmp_path / "mask.jpg"
    Image.fromarray(disk.astype(np.uint8)).save(path, quality=75)
    values = read_mask_file(str(path)).values
    edge = torch.nn.functional.max_pool2d(torch.from_numpy(disk / 255)[None, None], 3, 1, 1)
    assert bool((values[edge == 0] > 0.02).any())
    assert not bool(meant_by(values)[edge == 0].any())
    assert bool(meant_by(values)[0, 0][torch.from_numpy(disk > 0)].all())


def test_an_antialiased_edge_belongs_to_the_hole_and_a_wide_soft_one_does_not() -> None:
    mask = torch.tensor([[1.0, 1, 0.1, 0, 0.1, 0.2, 0.3]])[None, None]
    assert meant_by(mask)[0, 0, 0].tolist() == [1, 1, 1, 0, 0, 0, 1]


def test_a_hole_is_filled_as_release_1_2_filled_it() -> None:
    image = (torch.arange(36.0) ** 2 / 1296).reshape(1, 1, 6, 6)
    hole = torch.zeros(1, 1, 6, 6)
    hole[..., 1:4, 2:5] = 1
    recorded = [
        [0.09499301, 0.10738692, 0.10922670],
        [0.26916113, 0.29380426, 0.26267239],
        [0.43134281, 0.46579981, 0.44185355],
    ]
    found = emptied_by_1_2(image, hole)
    torch.testing.assert_close(found[0, 0, 1:4, 2:5], torch.tensor(recorded), rtol=0, atol=1e-6)
    assert torch.equal(found[hole == 0], image[hole == 0])
