"""What a picture is said to lack, and that memory stays within bounds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pictures import texture

from consingan.images.io import from_pixels
from consingan.images.picture import flatness, gray_as, is_gray, picture_of
from consingan.images.raster import Raster


def of(pixels: np.ndarray) -> torch.Tensor:
    return from_pixels(pixels / 255)


@pytest.mark.parametrize("level", [0, 77, 255])
def test_one_color(level):
    said = flatness(of(np.full((9, 9, 3), level)))
    assert (
        said == f"has only one color ({level},{level},{level}): there is nothing to learn from it"
    )


@pytest.mark.parametrize("noise", [0, 2])
def test_two_colors(noise):
    rng = np.random.default_rng(0)
    pixels = np.where(rng.random((20, 20, 1)) > 0.5, (200, 30, 90), (20, 60, 250))
    pixels = pixels + rng.integers(0, noise + 1, pixels.shape)
    assert "two colors" in flatness(of(pixels))


@pytest.mark.parametrize(
    ("channels", "words"),
    [((0,), "its red channel does"), ((1, 2), "its green and blue channels do")],
)
def test_constant_channels(channels, words):
    pixels = texture().astype(float)
    pixels[..., list(channels)] = 100
    assert words in flatness(of(pixels))


def test_usual_pictures_lack_nothing():
    assert flatness(of(texture())) is None
    gray = np.repeat(texture()[..., :1], 3, 2)
    assert flatness(of(gray)) is None


@pytest.mark.parametrize(("tint", "gray"), [(0, True), (1, True), (12, False)])
def test_gray_is_without_colors_but_for_noise(tint, gray):
    pixels = np.repeat(texture()[..., :1].astype(int) // 2, 3, 2)
    pixels[..., 0] += tint
    assert is_gray(of(pixels)) is gray


def test_after_a_gray_image_pictures_are_gray_and_as_bright():
    real = of(np.repeat(texture()[..., :1], 3, 2))
    colored = of(texture(seed=1))
    made = gray_as(real, colored)
    assert torch.equal(made[:, 0], made[:, 2])
    assert torch.allclose(made.mean(1), colored.mean(1), atol=1e-6)
    assert gray_as(of(texture()), colored) is colored


@pytest.mark.parametrize("alpha", [False, True])
def test_the_picture_is_made_without_copies(alpha):
    """In bytes that torch and numpy hold at once: little beside the result."""
    import tracemalloc

    pixels = np.zeros((2000, 2000, 3), np.uint8)
    pixels[::2] = 200
    opacity = np.full((2000, 2000), 128, np.uint8) if alpha else None
    tracemalloc.start()
    picture_of(Raster(pixels, opacity))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6
