"""Pictures and masks of every kind, as people have them: what is read, what is said, exit codes.

Each row is a file that the test makes, what the command says of it (None: nothing), the exit code,
and levels of 255 that pixels must have: {(row, column): gray or (red, green, blue)}.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import main_train
from pictures import H, W, adobe_rgb, lzw_tiff, png16, ramp, texture, tiff
from PIL import Image

from consingan.images.io import read_picture, to_pixels
from consingan.settings.reading import Reading

LAST = (H - 1, W - 1)
PLANNED = shlex.split(
    "--dry_run --channels rgb --max_size 32 --train_stages 1 --niter 1 --nfc 2 --min_size 16 "
    "--device cpu --manualSeed 1 --threads 1"
)


@dataclass(frozen=True)
class Kind:
    """One row of the table."""

    name: str
    make: Callable[[Path], Any]
    said: str | None = None
    pixels: dict[tuple[int, int], Any] = field(default_factory=dict)
    code: int = 0
    range: str = "auto"
    page: int = 0
    within: int = 1


def saved(image: Image.Image | np.ndarray, suffix: str = "png", **options: Any):
    def make(folder: Path) -> Path:
        path = folder / f"x.{suffix}"
        picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
        picture.save(path, **options)
        return path

    return make


def scientific(values: np.ndarray, **options: Any):
    return lambda folder: tiff(folder / "x.tif", values, **options)


def raw(data: bytes, name: str = "x.png"):
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def cut(make: Callable[[Path], Path], share: float):
    def damaged(folder: Path) -> Path:
        path = make(folder)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
        return path

    return damaged


def with_(values: np.ndarray, places: dict[tuple[int, int], float]) -> np.ndarray:
    changed = values.copy()
    for place, value in places.items():
        changed[place] = value
    return changed


def color16(top: int) -> np.ndarray:
    return np.repeat(ramp(0, top, "u2")[:, :, None], 3, 2)


def transparent(share: float) -> Image.Image:
    pixels = np.dstack([texture(), np.full((H, W), 255, np.uint8)])
    pixels[: round(H * share), :, 3] = 0
    return Image.fromarray(pixels)


def frames(color: str = "red") -> list[Image.Image]:
    return [Image.new("RGB", (W, H), name) for name in (color, "lime", "blue")]


ENDS = {(0, 0): 0, LAST: 255}
TURNED_OVER = {(0, 0): 255, LAST: 0}
SCALED = r"x\.\w+: its values {} to {} \({}\) become black to white; --range"

KINDS = (
    # Depth and range.
    Kind("full 16-bit PNG", saved(ramp(0, 65535, "u2")), None, ENDS),
    Kind(
        "12-bit X-ray in 16 bit", saved(ramp(0, 4095, "u2")), SCALED.format(0, 4095, "16 bit"), ENDS
    ),
    Kind("MRI of 0 to 800", scientific(ramp(0, 800, "u2")), SCALED.format(0, 800, "16 bit"), ENDS),
    Kind(
        "heights with negative ones",
        scientific(ramp(-60, 1740, "i2")),
        SCALED.format(-60, 1740, "16 bit"),
        ENDS,
    ),
    Kind(
        "CT in Hounsfield units",
        scientific(ramp(-1000, 2000, "i2")),
        SCALED.format(-1000, 2000, "16 bit"),
        ENDS,
    ),
    Kind(
        "a plateau high up",
        scientific(ramp(40000, 41000, "u2")),
        SCALED.format(40000, 41000, "16 bit"),
        ENDS,
    ),
    Kind("8 bit in 16", scientific(ramp(0, 255, "u2")), SCALED.format(0, 255, "16 bit"), ENDS),
    Kind("32-bit integers, whole range", scientific(ramp(0, 2**32 - 1, "u4")), None, ENDS),
    Kind(
        "32-bit integers of a counter",
        scientific(ramp(5, 90000, "u4")),
        SCALED.format(5, 90000, "32 bit"),
        ENDS,
    ),
    Kind(
        "negative 32-bit integers",
        scientific(ramp(-70000, -100, "i4")),
        SCALED.format(-70000, -100, "32 bit"),
        ENDS,
    ),
    Kind(
        "32-bit RGB",
        scientific(np.repeat(ramp(0, 4e9, "u4")[..., None], 3, 2), photometric="rgb"),
        None,
        {(0, 0): 0, LAST: 237},
    ),
    Kind(
        "reflectance of 0 to 0.3",
        scientific(ramp(0, 0.3, "f4")),
        SCALED.format(0, "0.3", "32-bit floating point"),
        ENDS,
    ),
    Kind(
        "reflectance of 0 to 0.5",
        scientific(ramp(0, 0.5, "f4")),
        SCALED.format(0, "0.5", "32-bit floating point"),
        ENDS,
    ),
    Kind("floats of 0 to 1", scientific(ramp(0, 1, "f8")), None, ENDS),
    Kind(
        "floats of -1 to 1",
        scientific(ramp(-1, 1, "f4")),
        SCALED.format(-1, 1, "32-bit floating point"),
        ENDS,
    ),
    Kind(
        "half precision",
        scientific(ramp(0, 2000, "f2")),
        SCALED.format(0, 2000, "16-bit floating point"),
        ENDS,
    ),
    Kind(
        "floats of 0 to 255",
        scientific(ramp(0, 255, "f4")),
        SCALED.format(0, 255, "32-bit floating point"),
        ENDS,
    ),
    Kind(
        "16-bit RGB that is dark",
        scientific(color16(3000), photometric="rgb"),
        SCALED.format(0, 3000, "16 bit"),
        ENDS,
    ),
    Kind(
        "16-bit RGB PNG that is dark",
        lambda f: png16(f / "x.png", color16(4095)),
        SCALED.format(0, 4095, "16 bit"),
        ENDS,
    ),
    Kind("16-bit RGB PNG", lambda f: png16(f / "x.png", color16(65535)), None, ENDS),
    Kind(
        "16-bit RGB in LZW",
        lambda f: lzw_tiff(f / "x.tif", color16(3000), 2),
        SCALED.format(0, 3000, "16 bit"),
        ENDS,
    ),
    Kind(
        "floats in LZW",
        lambda f: lzw_tiff(f / "x.tif", ramp(5, 9, "f4")[..., None], 3),
        SCALED.format(5, 9, "32-bit floating point"),
        ENDS,
    ),
    Kind(
        "a hot pixel",
        scientific(with_(ramp(0, 1000, "u2", 64, 64), {(5, 5): 60000})),
        r"less than 0\.1 % above",
        {(5, 5): 255, (63, 63): 204},
        within=8,
    ),
    Kind(
        "a hot pixel in floats",
        scientific(with_(ramp(0, 1, "f4", 64, 64), {(5, 5): 5e4})),
        "above",
        {(5, 5): 255, (63, 63): 204},
        within=8,
    ),
    Kind(
        "missing heights",
        scientific(with_(ramp(100, 900, "i2"), {(3, 3): -9999})),
        r"-9999 \(no value\): read as black",
        {(3, 3): 0, LAST: 255},
    ),
    Kind(
        "missing heights by a tag",
        scientific(
            with_(ramp(100, 900, "f4"), {(3, 3): 1234.0}), extratags=[(42113, "s", 5, "1234", True)]
        ),
        r"1234 \(no value\)",
        {(3, 3): 0, LAST: 255},
    ),
    Kind(
        "missing heights, deepest number",
        scientific(with_(ramp(0, 900, "i2"), {(3, 3): -32768})),
        r"-32768 \(no value\)",
        {(3, 3): 0, LAST: 255},
    ),
    Kind(
        "NaN",
        scientific(with_(ramp(0, 1, "f4"), {(3, 3): np.nan})),
        "NaN: read as black",
        {(3, 3): 0, LAST: 255},
    ),
    Kind(
        "infinite",
        scientific(with_(ramp(0, 1, "f4"), {(3, 3): np.inf, (4, 4): -np.inf})),
        "infinite",
        {(3, 3): 255, (4, 4): 0, LAST: 255},
    ),
    Kind(
        "-3.4e38",
        scientific(with_(ramp(0, 50, "f4"), {(3, 3): -3.4e38})),
        r"beyond 1e30",
        {(3, 3): 0, LAST: 255},
    ),
    Kind("nothing but NaN", scientific(np.full((H, W), np.nan, "f4")), "holds no values", code=2),
    Kind("complex numbers", scientific(ramp(0, 1, "c8")), "type complex64", code=2),
    Kind(
        "white is zero, 8 bit",
        scientific(ramp(0, 255, "u1"), photometric="miniswhite"),
        None,
        TURNED_OVER,
    ),
    Kind(
        "white is zero, 16 bit",
        scientific(ramp(0, 65535, "u2"), photometric="miniswhite"),
        None,
        TURNED_OVER,
    ),
    Kind(
        "white is zero, scaled",
        scientific(ramp(0, 900, "u2"), photometric="miniswhite"),
        SCALED.format(0, 900, "16 bit"),
        TURNED_OVER,
    ),
    Kind(
        "white is zero, floats",
        scientific(ramp(0, 1, "f4"), photometric="miniswhite"),
        None,
        TURNED_OVER,
    ),
    Kind(
        "a typed range",
        scientific(ramp(0, 800, "u2")),
        "above 400",
        {(0, 0): 0, (12, 0): 255},
        range="0,400",
    ),
    Kind(
        "a typed negative range",
        scientific(ramp(-100, 100, "f4")),
        "below -50",
        {(0, 0): 0, LAST: 255},
        range="-50,100",
    ),
    Kind(
        "the whole range",
        scientific(ramp(0, 12850, "u2")),
        None,
        {(0, 0): 0, LAST: 50},
        range="full",
    ),
    Kind("a typed range of 8 bit", saved(ramp(0, 100, "u1")), None, ENDS, range="0,100"),
    Kind(
        "a range for deeper files",
        saved(ramp(0, 255, "u1")),
        "is not applied",
        ENDS,
        range="0,4095",
    ),
    Kind(
        "a range turned round",
        saved(ramp(0, 255, "u1")),
        "must be two numbers",
        code=2,
        range="9,3",
    ),
    Kind("a range of words", saved(ramp(0, 255, "u1")), "must be two numbers", code=2, range="all"),
    Kind(
        "1-bit TIFF",
        saved(Image.fromarray(ramp(0, 255, "u1")).convert("1", dither=0), "tif"),
        "only two colors",
        ENDS,
    ),
    Kind(
        "1-bit TIFF of a fax",
        saved(Image.fromarray(texture()).convert("1"), "tif", compression="group4"),
        "only two colors",
    ),
    Kind("a TIFF with a palette", saved(Image.fromarray(texture()).quantize(16), "tif"), None),
    Kind("a TIFF with JPEG inside", saved(texture(), "tif", compression="jpeg"), None),
    # Bands, opacity, pages.
    Kind(
        "three bands without a meaning",
        scientific(texture(), planarconfig="contig"),
        "first three are taken as red, green and blue",
        {(0, 1): 255},
    ),
    Kind(
        "thirteen bands",
        scientific(np.repeat(color16(3000)[..., :1], 13, 2), planarconfig="contig"),
        "of its 13 bands the first three",
        ENDS,
    ),
    Kind(
        "the fifth band",
        scientific(
            np.dstack([color16(9)[..., :1]] * 4 + [ramp(0, 3000, "u2")]).squeeze(),
            planarconfig="contig",
        ),
        "number 5 of its 5 bands",
        ENDS,
        page=5,
    ),
    Kind(
        "two bands",
        scientific(np.dstack([ramp(0, 255, "u1")] * 2), planarconfig="contig"),
        "first of its 2 bands",
        ENDS,
    ),
    Kind(
        "infrared beside RGB, in planes",
        scientific(
            np.concatenate([texture(), np.zeros((H, W, 1), np.uint8)], 2).transpose(2, 0, 1),
            photometric="rgb",
            planarconfig="separate",
            extrasamples=["unspecified"],
        ),
        "the other one not",
        {(0, 1): 255},
    ),
    Kind(
        "infrared beside RGB",
        scientific(
            np.concatenate([texture(), np.zeros((H, W, 1), np.uint8)], 2),
            photometric="rgb",
            extrasamples=["unspecified"],
        ),
        "the other one not",
        {(0, 1): 255},
    ),
    Kind(
        "opacity in 16 bit",
        scientific(
            np.concatenate(
                [color16(65535), with_(np.full((H, W, 1), 65535, "u2"), {(5, 5, 0): 0})], 2
            ),
            photometric="rgb",
            extrasamples=["unassalpha"],
        ),
        "transparent",
        {(5, 5): 255, (0, 0): 0},
    ),
    Kind(
        "colors multiplied with opacity",
        scientific(
            np.dstack([np.full((H, W, 3), 100, np.uint8), ramp(100, 255, "u1")]),
            photometric="rgb",
            extrasamples=["assocalpha"],
        ),
        "transparent",
        {(0, 0): 255, LAST: 100},
    ),
    Kind("pages", scientific(np.stack([ramp(0, 255, "u1")] * 5)), "the first of its 5 pages", ENDS),
    Kind(
        "the third page",
        scientific(np.stack([ramp(0, 9, "u1")] * 2 + [ramp(0, 255, "u1")])),
        "number 3 of its 3 pages",
        ENDS,
        page=3,
    ),
    Kind(
        "a page too many",
        scientific(np.stack([ramp(0, 9, "u1")] * 2)),
        "has 2 pages",
        code=2,
        page=3,
    ),
    Kind("one page", saved(ramp(0, 255, "u1")), "has one page", ENDS, page=2),
    Kind(
        "pages in LZW",
        saved(
            frames()[0], "tif", save_all=True, append_images=frames()[1:], compression="tiff_lzw"
        ),
        "the first of its 3 pages",
        {(0, 0): (255, 0, 0)},
    ),
    Kind(
        "a film",
        saved(frames()[0], "gif", save_all=True, append_images=frames()[1:]),
        "the first of its 3 frames is taken; of a training image --page N takes another",
        {(0, 0): (255, 0, 0)},
    ),
    Kind(
        "a frame of a film",
        saved(frames()[0], "gif", save_all=True, append_images=frames()[1:]),
        "number 2 of its 3 frames",
        {(0, 0): (0, 255, 0)},
        page=2,
    ),
    Kind(
        "a film in WebP",
        saved(frames()[0], "webp", save_all=True, append_images=frames()[1:], lossless=True),
        "number 3 of its 3 frames",
        {(0, 0): (0, 0, 255)},
        page=3,
    ),
    Kind(
        "a film in PNG",
        saved(frames()[0], "png", save_all=True, append_images=frames()[1:]),
        "frames",
        {(0, 0): (255, 0, 0)},
    ),
    # Color.
    Kind(
        "a camera's wide colors",
        saved(Image.new("RGB", (W, H), (60, 200, 60)), icc_profile=adobe_rgb()),
        "converted from .* to sRGB",
        {(0, 0): (0, 201, 36)},
        within=8,
    ),
    Kind(
        "wide colors in JPEG",
        saved(
            Image.new("RGB", (W, H), (200, 100, 60)), "jpg", quality=100, icc_profile=adobe_rgb()
        ),
        "to sRGB",
        {(0, 0): (232, 100, 52)},
        within=10,
    ),
    Kind(
        "wide colors in 16-bit TIFF",
        scientific(
            np.full((H, W, 3), (15420, 51400, 15420), "u2"),
            photometric="rgb",
            iccprofile=adobe_rgb(),
        ),
        "to sRGB",
        {(0, 0): (0, 201, 36)},
        within=8,
    ),
    Kind(
        "wide colors with opacity",
        saved(Image.new("RGBA", (W, H), (60, 200, 60, 255)), icc_profile=adobe_rgb()),
        "to sRGB",
        {(0, 0): (0, 201, 36)},
        within=8,
    ),
    Kind(
        "a profile that is none",
        saved(Image.new("RGB", (W, H), (60, 200, 60)), icc_profile=b"no"),
        "profile cannot be used",
        {(0, 0): (60, 200, 60)},
    ),
    Kind(
        "a profile of another kind",
        saved(Image.new("L", (W, H), 90).convert("CMYK"), "tif", icc_profile=adobe_rgb()),
        "profile cannot be used",
    ),
    Kind("CMYK", saved(Image.fromarray(texture()).convert("CMYK"), "tif"), None, {(0, 1): 255}),
    # Opacity and flat pictures.
    Kind(
        "transparent in part", saved(transparent(0.25)), "25 % of it is transparent", {(0, 0): 255}
    ),
    Kind(
        "a frame that is transparent all over",
        saved(np.dstack([texture(), np.zeros((H, W), np.uint8)])),
        "all of it is transparent",
        {(0, 1): 255},
    ),
    Kind(
        "white drawn on transparency",
        saved(Image.fromarray(np.dstack([np.full((H, W, 3), 255, np.uint8), ramp(0, 255, "u1")]))),
        "taken as black",
        ENDS,
    ),
    Kind("one color", saved(Image.new("RGB", (W, H), (9, 8, 7))), r"only one color \(9,8,7\)"),
    Kind("black of 1 bit", saved(Image.new("1", (W, H))), "only one color"),
    Kind(
        "two colors",
        saved(np.repeat(np.repeat([[0, 255]], H, 0), W // 2, 1).astype(np.uint8)),
        "only two colors",
    ),
    Kind("no red", saved(texture() * np.array([0, 1, 1], np.uint8)), "red channel does not change"),
    Kind("a flat 16-bit picture", scientific(np.full((H, W), 800, "u2")), "only one color"),
    # Damaged and odd.
    Kind("a page of the web", raw(b"<html>no picture</html>", "x.jpg"), "not a picture", code=2),
    Kind("nothing at all", raw(b""), "is empty", code=2),
    Kind("a truncated JPEG", cut(saved(texture(), "jpg"), 0.6), "damaged or cut short", code=2),
    Kind(
        "a truncated deep PNG",
        cut(lambda f: png16(f / "x.png", color16(9000)), 0.6),
        "damaged or cut short",
        code=2,
    ),
    Kind(
        "a truncated TIFF in deflate",
        cut(scientific(ramp(0, 900, "u2"), compression="zlib"), 0.7),
        "damaged or cut short",
        code=2,
    ),
    Kind(
        "a truncated TIFF in LZW",
        cut(lambda f: lzw_tiff(f / "x.tif", color16(900)), 0.5),
        "damaged or cut short",
        code=2,
    ),
    Kind("a TIFF of nothing but its head", raw(b"II*\0\x08\0\0\0", "x.tif"), r"\.$", code=2),
    Kind(
        "HEIC",
        raw(b"\0\0\0\x18ftypheic" + bytes(60), "x.heic"),
        r'pip install "pillow-heif>=0\.18"|damaged or cut short',
        code=2,
    ),
    Kind(
        "a volume of one file",
        scientific(np.zeros((16, 16, 16), "u1"), volumetric=True, tile=(16, 16, 16)),
        "is a volume",
        code=2,
    ),
)


@pytest.fixture(autouse=True)
def nothing_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a training would take is nothing that the picture's kind changes."""
    monkeypatch.setattr("consingan.training.plan.estimate", lambda _: iter(()))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_read_is_what_the_user_sees(tmp_path, kind):
    path = kind.make(tmp_path)
    if kind.code == 0:
        picture = read_picture(path, Reading(kind.range, kind.page))
        pixels = to_pixels(picture.image).astype(int)
        for place, level in kind.pixels.items():
            assert np.abs(pixels[place] - np.asarray(level)).max() <= kind.within, (place, level)
    result = main_train("--input_name", path, "--range", kind.range, "--page", kind.page, *PLANNED)
    assert result.exit_code == kind.code, result.output
    about = [line for line in result.output.splitlines() if path.name in line]
    about = [line for line in about if not line.startswith("typed:")]
    if kind.said is None:
        assert about == []
    else:
        assert re.search(kind.said, result.output), result.output
    assert "Traceback" not in result.output


def test_each_number_has_two_kinds_at_least():
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 60
