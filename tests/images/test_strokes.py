"""Masks as people draw them are understood; what is no mask is refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from pictures import tiff
from PIL import Image
from skimage import data

from consingan.errors import UserError
from consingan.images.io import read_image
from consingan.images.mask_files import Mask, fit_mask, read_mask_file, told_extent

H, W = 40, 60
THERE = np.zeros((H, W), bool)
THERE[10:22, 15:35] = True


def gray(low: int, high: int, dtype: str = "u1") -> np.ndarray:
    return np.where(THERE, high, low).astype(dtype)


def colored(color: tuple[int, ...], background: tuple[int, ...] = (0, 0, 0)) -> np.ndarray:
    return np.where(THERE[..., None], color, background).astype(np.uint8)


def several(background: tuple[int, int, int]) -> np.ndarray:
    pixels = colored((128, 0, 0), background)
    pixels[10:14, 15:35] = (0, 128, 0)
    pixels[20:22, 15:35] = (224, 224, 192)
    return pixels


def photograph() -> np.ndarray:
    return np.asarray(Image.fromarray(data.astronaut()).resize((W, H)))


def palette() -> Image.Image:
    picture = Image.new("P", (W, H))
    picture.putdata(gray(0, 15).ravel().tolist())
    picture.putpalette([0, 0, 0] + [v for k in range(1, 256) for v in (k * 8 % 256, 64, 128)])
    return picture


def drawn_over(color: tuple[int, int, int]) -> np.ndarray:
    return np.where(THERE[..., None], color, photograph()).astype(np.uint8)


def transparent(color: tuple[int, int, int]) -> np.ndarray:
    return np.dstack([colored(color, (0, 0, 0)), gray(0, 255)])


def two_on_transparency() -> np.ndarray:
    return np.dstack([several((0, 0, 0)), gray(0, 255)])


def labels(*numbers: int) -> np.ndarray:
    pixels = gray(0, numbers[0])
    pixels[10:13, 15:20] = numbers[-1]
    return pixels


@dataclass(frozen=True)
class Kind:
    name: str
    picture: np.ndarray | Image.Image
    said: str | None
    suffix: str = "png"


KINDS = (
    Kind("black and white", gray(0, 255), None),
    Kind("1 bit", Image.fromarray(gray(0, 255)).convert("1"), None),
    Kind("0 and 1", gray(0, 1), "two levels 0 and 1 are taken as black and white"),
    Kind("0 and 1 of 16 bit", gray(0, 1, "u2"), None),
    Kind("0 and 255 of 16 bit", gray(0, 255, "u2"), None),
    Kind("0 and 4095 of 16 bit", gray(0, 4095, "u2"), "two levels"),
    Kind("0 and 65535", gray(0, 65535, "u2"), None),
    Kind("half gray on black", gray(0, 128), "two levels 0 and 128"),
    Kind("white on gray", gray(90, 255), "two levels 90 and 255"),
    Kind("numbers of classes", labels(15, 7), "labels"),
    Kind("numbers of classes and a void", labels(12, 255), "labels"),
    Kind("a palette of classes", palette(), "what is not black in it counts as white"),
    Kind("colors of classes", several((0, 0, 0)), "what is not black in it counts as white"),
    Kind("red on black", colored((255, 0, 0)), "what is not black in it counts as white"),
    Kind("dark blue on black", colored((0, 0, 140)), "what is not black in it counts as white"),
    Kind("red on white", colored((255, 0, 0), (255, 255, 255)), "differs from its background"),
    Kind("green on gray", colored((0, 200, 40), (120, 120, 120)), "differs from its background"),
    Kind("red over a photograph", drawn_over((255, 0, 0)), "drawn on the photograph"),
    Kind("green over a photograph", drawn_over((0, 255, 0)), "drawn on the photograph"),
    Kind("red on transparency", transparent((255, 0, 0)), None),
    Kind("black on transparency", transparent((0, 0, 0)), None),
    Kind("two colors on transparency", two_on_transparency(), "whatever its color"),
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_was_drawn_is_white_and_the_rest_black(tmp_path, kind):
    path = tmp_path / f"m.{kind.suffix}"
    picture = kind.picture
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(path)
    mask = read_mask_file(path)
    assert np.array_equal(mask.values[0, 0].numpy(), THERE.astype(np.float32))
    if kind.said is None:
        assert mask.notes == ()
    else:
        (note,) = mask.notes
        assert note.startswith("The mask m.png: ")
        assert kind.said in note


@pytest.mark.parametrize("color", [(255, 0, 0), (40, 60, 250)])
def test_strokes_in_jpeg_on_black(tmp_path, color):
    Image.fromarray(colored(color)).resize((4 * W, 4 * H), 0).save(tmp_path / "m.jpg", quality=85)
    mask = read_mask_file(tmp_path / "m.jpg").values[0, 0, 2::4, 2::4].numpy()
    assert (mask == THERE).mean() > 0.97


@pytest.mark.parametrize("color", [(90, 60, 30), (240, 240, 235)])
def test_strokes_of_any_color_on_the_very_picture(tmp_path, color):
    Image.fromarray(photograph()).save(tmp_path / "naive.png")
    Image.fromarray(drawn_over(color)).save(tmp_path / "m.png")
    naive = read_image(tmp_path / "naive.png")
    mask = read_mask_file(tmp_path / "m.png", [torch.zeros(1, 3, H, W), naive])
    assert (mask.values[0, 0].numpy() == THERE).mean() > 0.98
    assert "drawn on the photograph" in mask.notes[0]


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_a_photograph_is_no_mask(tmp_path, name):
    Image.fromarray(getattr(data, name)()).resize((W, H)).save(tmp_path / "m.png")
    with pytest.raises(UserError, match=r"m\.png is a photograph, not a mask; paint .*\.$"):
        read_mask_file(tmp_path / "m.png")


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_soft_gray_stays(tmp_path, dtype):
    top = np.iinfo(dtype).max
    soft = np.linspace(0, top, H * W).reshape(H, W).round().astype(dtype)
    soft[:10], soft[30:] = 0, top
    Image.fromarray(soft).save(tmp_path / "m.png")
    mask = read_mask_file(tmp_path / "m.png")
    assert np.allclose(mask.values[0, 0].numpy(), soft / top, atol=1e-6)
    assert mask.notes == ()


@pytest.mark.parametrize(("dtype", "top"), [("u1", 90), ("u2", 4095)])
def test_a_dark_soft_mask_is_made_brighter_and_said(tmp_path, dtype, top):
    soft = np.linspace(0, top, H * W).reshape(H, W).astype(dtype)
    Image.fromarray(soft).save(tmp_path / "m.png")
    mask = read_mask_file(tmp_path / "m.png")
    assert mask.values.max() == 1
    assert "it is dark" in mask.notes[0]


@pytest.mark.parametrize("photometric", ["miniswhite", "minisblack"])
def test_white_is_zero_is_heeded(tmp_path, photometric):
    values = gray(255, 0) if photometric == "miniswhite" else gray(0, 255)
    mask = read_mask_file(tiff(tmp_path / "m.tif", values, photometric=photometric))
    assert np.array_equal(mask.values[0, 0].numpy(), THERE.astype(np.float32))


@pytest.fixture
def small_parts(monkeypatch):
    """Masks are judged by a ninth of their pixels, and made three rows at a time."""
    monkeypatch.setattr("consingan.images.mask_files.LARGEST", H * W // 9)
    monkeypatch.setattr("consingan.images.mask_files.STRIP", 3 * W)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_very_large_mask_is_judged_by_a_part_and_made_of_every_pixel(tmp_path, small_parts, kind):
    test_what_was_drawn_is_white_and_the_rest_black(tmp_path, kind)


@pytest.mark.parametrize("row", range(3))
def test_a_line_of_a_very_large_mask_does_not_vanish(tmp_path, small_parts, row):
    line = np.zeros((H, W), np.uint8)
    line[9 + row, 5:50] = 255
    Image.fromarray(line).save(tmp_path / "m.png")
    mask = read_mask_file(tmp_path / "m.png")
    assert np.array_equal(mask.values[0, 0].numpy() * 255, line)
    assert mask.notes == ()


def test_strokes_on_a_very_large_photograph(tmp_path, small_parts):
    Image.fromarray(photograph()).save(tmp_path / "naive.png")
    Image.fromarray(drawn_over((90, 60, 30))).save(tmp_path / "m.png")
    mask = read_mask_file(tmp_path / "m.png", [read_image(tmp_path / "naive.png")])
    assert (mask.values[0, 0].numpy() == THERE).mean() > 0.98


def dark(background):
    """A photograph of something in the middle of a plain background."""
    pixels = np.empty((H, W, 3), np.uint8)
    pixels[...] = background
    pixels[5:35, 10:45] = photograph()[5:35, 10:45] // 2 + 60
    return pixels


@pytest.mark.parametrize("background", [(3, 3, 5), (12, 12, 60), (250, 250, 250)])
def test_strokes_on_a_photograph_with_a_plain_background(tmp_path, background):
    stroke = np.zeros((H, W), bool)
    stroke[12:16, 15:35] = True
    Image.fromarray(dark(background)).save(tmp_path / "naive.png")
    drawn = np.where(stroke[..., None], (255, 0, 0), dark(background)).astype(np.uint8)
    Image.fromarray(drawn).save(tmp_path / "m.png")
    mask = read_mask_file(tmp_path / "m.png", [read_image(tmp_path / "naive.png")])
    assert np.array_equal(mask.values[0, 0].numpy(), stroke.astype(np.float32))
    assert "drawn on the photograph" in mask.notes[0]


@pytest.mark.parametrize("background", [(0, 0, 0), (250, 250, 250)])
def test_colors_on_the_background_of_a_photograph_are_no_strokes_on_it(tmp_path, background):
    Image.fromarray(dark(background)).save(tmp_path / "naive.png")
    Image.fromarray(colored((255, 0, 0), background)).save(tmp_path / "m.png")
    mask = read_mask_file(tmp_path / "m.png", [read_image(tmp_path / "naive.png")])
    assert np.array_equal(mask.values[0, 0].numpy(), THERE.astype(np.float32))
    assert "drawn on the photograph" not in mask.notes[0]


@pytest.mark.parametrize(("suffix", "side"), [("png", 1), ("png", 6), ("jpg", 8)])
def test_a_small_stroke_on_a_large_photograph_is_one(tmp_path, suffix, side):
    pixels = data.astronaut()
    Image.fromarray(pixels).save(tmp_path / "naive.png")
    drawn = pixels.copy()
    drawn[300 : 300 + side, 200 : 200 + side] = (0, 255, 0)
    Image.fromarray(drawn).save(tmp_path / f"m.{suffix}", quality=95, subsampling=0)
    mask = read_mask_file(tmp_path / f"m.{suffix}", [read_image(tmp_path / "naive.png")])
    found = mask.values[0, 0].numpy()
    assert found[300 : 300 + side, 200 : 200 + side].all()
    assert found.mean() < 0.0005


@pytest.mark.parametrize("quality", [0, 90, 95])
def test_the_picture_itself_is_no_mask(tmp_path, quality):
    Image.fromarray(data.astronaut()).save(tmp_path / "naive.png")
    path = tmp_path / ("m.jpg" if quality else "m.png")
    Image.fromarray(data.astronaut()).save(path, **({"quality": quality} if quality else {}))
    naive = read_image(tmp_path / "naive.png")
    with pytest.raises(UserError, match="is the picture itself"):
        read_mask_file(path, [naive])


@pytest.mark.parametrize(("size", "how"), [((80, 120), "nearest"), ((20, 30), "by area")])
def test_a_mask_of_another_size_stays_black_and_white_and_is_said(size, how):
    mask = Mask(torch.from_numpy(THERE[None, None].astype(np.float32)))
    fitted = fit_mask(mask, size)
    assert fitted.values.shape[-2:] == size
    assert set(fitted.values.unique().tolist()) == {0, 1}
    assert abs(float(fitted.values.mean()) - THERE.mean()) < 0.01
    assert fitted.notes == (
        f"The mask is brought from 60x40 to {size[1]}x{size[0]} px "
        f"({'nearest pixels' if how == 'nearest' else how}).",
    )


def test_a_soft_mask_of_another_size_stays_soft():
    fitted = fit_mask(Mask(torch.linspace(0, 1, H * W).view(1, 1, H, W)), (20, 30))
    assert len(fitted.values.unique()) > 100
    assert "smoothly" in fitted.notes[0]


@pytest.mark.parametrize(("size", "advice"), [((60, 40), "90 degrees"), ((40, 40), "redraw")])
def test_a_mask_of_another_shape_is_refused(size, advice):
    with pytest.raises(UserError, match=rf"^The mask is 60x40, of another shape .*{advice}.*\.$"):
        fit_mask(Mask(torch.zeros(1, 1, H, W)), size)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "empty"), (0.005, "changes only 0.5 %"), (0.3, None), (0.97, "97 %"),
        (1.0, "all white"),
    ],
)  # fmt: skip
def test_a_mask_of_next_to_nothing_or_everything_is_said(share, said):
    mask = torch.zeros(1, 1, 10, 100)
    mask.view(-1)[: round(1000 * share)] = 1
    notes = told_extent(mask)
    if said is None:
        assert notes == ()
    else:
        assert said.replace("only ", "") in notes[0]


def test_a_mask_of_one_gray_is_said():
    assert "one gray" in told_extent(torch.full((1, 1, 4, 4), 0.5))[0]


def test_a_line_in_a_mask_of_a_larger_size_does_not_vanish():
    mask = torch.zeros(1, 1, 4 * H, 4 * W)
    mask[..., 41, :] = mask[..., 80:120, 80:120] = 1
    fitted = fit_mask(Mask(mask), (H, W)).values[0, 0]
    assert bool(fitted[10].all())
    assert int(fitted.sum()) == W + 10 * 10
