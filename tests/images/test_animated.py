"""GIF and animated WebP by hand: what Pillow reads of them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from consingan.images import animated
from consingan.images.animated import gif_delay, gif_fps, write_gif, write_webp
from consingan.images.video import speed_note

SUFFIXES = (".gif", ".webp")


def frames(count: int, size: tuple[int, int] = (37, 53)) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 4, 5, 3), dtype=np.uint8)
    return [
        np.asarray(Image.fromarray(c).resize((size[1], size[0]), Image.Resampling.BICUBIC))
        for c in coarse
    ]


def writer(suffix: str) -> Callable[..., None]:
    return {".gif": write_gif, ".webp": write_webp}[suffix]


def read(path: Path) -> list[np.ndarray]:
    with Image.open(path) as film:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [(37, 53), (1, 1), (16, 301)])
def test_each_frame_is_what_pillow_makes_of_it_alone(
    tmp_path: Path, suffix: str, size: tuple[int, int]
) -> None:
    shown = frames(5, size)
    writer(suffix)(tmp_path / "x", shown, 10)
    for made, frame in zip(read(tmp_path / "x"), shown, strict=True):
        alone = io.BytesIO()
        Image.fromarray(frame).save(alone, suffix[1:])
        with Image.open(alone) as expected:
            np.testing.assert_array_equal(made, np.asarray(expected.convert("RGB")))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_frame_is_written_before_the_next_is_made(tmp_path: Path, suffix: str) -> None:
    path, sizes = tmp_path / "x", []

    def made() -> Iterator[np.ndarray]:
        for frame in frames(40):
            sizes.append(path.stat().st_size)
            yield frame

    writer(suffix)(path, made(), 10)
    assert sizes[-1] > 0
    assert len(read(path)) == 40


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_frames_no_film(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ValueError, match=animated.NO_FRAME):
        writer(suffix)(tmp_path / "x", [], 10)


@pytest.mark.parametrize(
    ("fps", "delay"),
    [(10, 10), (25, 4), (30, 3), (24, 4), (60, 2), (100, 2), (0.1, 1000), (12, 8), (0.001, 65535)],
)
def test_delays_that_a_gif_can_have(fps: float, delay: int) -> None:
    assert gif_delay(fps) == delay
    assert gif_fps(fps) == pytest.approx(100 / delay)


@pytest.mark.parametrize("fps", [10, 30])
def test_a_gif_says_the_delay(tmp_path: Path, fps: float) -> None:
    write_gif(tmp_path / "x.gif", frames(3), fps)
    with Image.open(tmp_path / "x.gif") as film:
        assert [f.info["duration"] for f in ImageSequence.Iterator(film)] == [
            10 * gif_delay(fps)
        ] * 3


@pytest.mark.parametrize("fps", [10, 24, 30, 60, 0.3])
def test_a_webp_has_any_speed(tmp_path: Path, fps: float) -> None:
    write_webp(tmp_path / "x.webp", frames(13), fps)
    with Image.open(tmp_path / "x.webp") as film:
        shown = [(f.load(), f.info["duration"])[1] for f in ImageSequence.Iterator(film)]
    assert sum(shown) == round(13 * 1000 / fps)
    assert max(shown) - min(shown) <= 1


@pytest.mark.parametrize(
    ("suffix", "fps", "said"),
    [
        (".gif", 10, ""),
        (".gif", 50, ""),
        (".gif", 30, "33.33 frames a second, not 30"),
        (".gif", 100, "50 frames a second, not 100"),
        (".webp", 30, ""),
        (".mp4", 100, ""),
    ],
)
def test_speeds_that_a_format_cannot_have_are_said(suffix: str, fps: float, said: str) -> None:
    note = speed_note(suffix, fps)
    assert said in note
    assert bool(said) == bool(note)
