"""Noise, colors, light and files: what every picture is made of.

A picture is a float32 array of shape (height, width, 3) with sRGB values in [0, 1].  Scenes are
drawn two or three times too large and averaged down, which anti-aliases everything.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

Array = NDArray[np.floating[Any]]
Point = tuple[float, float]
Color = str | Sequence[float] | Array


def seeded(name: str) -> np.random.Generator:
    """Return the random generator of the picture called ``name``."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def rgb(color: Color) -> Array:
    """Turn ``"#rrggbb"`` (or three numbers, or an array) into float32 values."""
    if isinstance(color, str):
        digits = color.lstrip("#")
        return np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / 255
    return np.asarray(color, np.float32)


def smoothstep(low: float, high: float, value: Array) -> Array:
    """Rise smoothly from 0 at ``low`` to 1 at ``high`` (``low`` may be the larger one)."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def mix(first: Color, second: Color, amount: Array | float) -> Array:
    """Blend two colors or pictures; ``amount`` may be a number or a (height, width) map."""
    weight = np.asarray(amount, np.float32)
    if weight.ndim:
        weight = weight[..., None]
    a, b = rgb(first), rgb(second)
    return np.asarray(a + (b - a) * weight, np.float32)


def ramp(value: Array, stops: Sequence[tuple[float, str]]) -> Array:
    """Color a map of numbers with a gradient given as ``(position, "#rrggbb")`` stops."""
    positions = [stop[0] for stop in stops]
    colors = np.stack([rgb(stop[1]) for stop in stops])
    channels = [np.interp(value, positions, colors[:, c]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def grid(height: int, width: int) -> tuple[Array, Array]:
    """Return row and column coordinates, both measured in picture heights."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return y / height, x / height


def fbm(
    height: int,
    width: int,
    rng: np.random.Generator,
    slope: float = 1.8,
    squeeze: Point = (1.0, 1.0),
    coarsest: float = 1.0,
) -> Array:
    """Return tileable fractal noise with mean 0 and deviation 1.

    ``slope`` is the fall of the amplitude with the frequency, ``squeeze`` shortens the features
    along (y, x), and features larger than ``1 / coarsest`` of the picture height are left out.
    """
    fy = np.fft.fftfreq(height)[:, None] * height / squeeze[0]
    fx = np.fft.rfftfreq(width)[None, :] * height / squeeze[1]
    radius = np.hypot(fy, fx)
    radius[0, 0] = 1
    spectrum = np.fft.rfft2(rng.standard_normal((height, width)))
    spectrum *= radius**-slope * (radius >= coarsest)
    noise = np.fft.irfft2(spectrum, s=(height, width))
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


def profile(width: int, rng: np.random.Generator, slope: float, coarsest: float = 1.0) -> Array:
    """Return a line of fractal noise with mean 0 and deviation 1, a ridge's outline."""
    frequency = np.fft.rfftfreq(2 * width) * 2 * width
    frequency[0] = 1
    spectrum = np.fft.rfft(rng.standard_normal(2 * width)) * frequency**-slope
    spectrum *= frequency >= coarsest
    line = np.fft.irfft(spectrum, 2 * width)[:width]
    return np.asarray((line - line.mean()) / line.std(), np.float32)


def blur(picture: Array, sigma: float) -> Array:
    """Blur a map, or the three channels of a picture, with a Gaussian."""
    sigmas = (sigma, sigma) if picture.ndim == 2 else (sigma, sigma, 0)
    return np.asarray(ndimage.gaussian_filter(picture, sigmas, mode="nearest"), np.float32)


def sample(field: Array, y: Array, x: Array, mode: str = "grid-wrap") -> Array:
    """Read a map, or a picture's channels, at fractional pixel positions."""
    if field.ndim == 3:
        layers = [sample(field[..., c], y, x, mode) for c in range(field.shape[-1])]
        return np.stack(layers, axis=-1)
    found = ndimage.map_coordinates(field, [y, x], order=1, mode=mode, output=np.float32)
    return np.asarray(found, np.float32)


def warp(field: Array, dy: Array | float, dx: Array | float) -> Array:
    """Shift a map's pixels by (``dy``, ``dx``), the edges repeated."""
    y, x = np.mgrid[: field.shape[0], : field.shape[1]].astype(np.float32)
    return sample(field, y + dy, x + dx, mode="nearest")


def slopes(heights: Array) -> tuple[Array, Array]:
    """Return a height map's derivatives along y and x."""
    dy, dx = np.gradient(heights)
    return np.asarray(dy), np.asarray(dx)


def lambert(heights: Array, light: Sequence[float]) -> Array:
    """Light a height map (in pixels) from the direction ``(x, y, z)``, z toward the eye."""
    dy, dx = slopes(heights)
    lx, ly, lz = np.asarray(light) / np.linalg.norm(light)
    shade = (-dx * lx - dy * ly + lz) / np.sqrt(dx * dx + dy * dy + 1)
    return np.asarray(np.clip(shade, 0, 1), np.float32)


def cast_shadows(heights: Array, step: Point, drop: float, count: int) -> Array:
    """Return 0 in shadow, 1 in light, for light coming from ``step`` (y, x pixels), soft edges.

    The ray climbs ``drop`` per step, and ``count`` steps are looked at.
    """
    blocked = np.full(heights.shape, -np.inf, np.float32)
    for k in range(1, count + 1):
        dy, dx = round(step[0] * k), round(step[1] * k)
        moved = np.roll(heights, (-dy, -dx), axis=(0, 1))
        np.maximum(blocked, moved - drop * k, out=blocked)
    return smoothstep(2 * drop, -1 * drop, blocked - heights)


def polygon(height: int, width: int, points: Sequence[Point]) -> Array:
    """Return the filled polygon through (x, y) pixel positions as a mask of 0 and 1."""
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).polygon([(float(x), float(y)) for x, y in points], fill=255)
    return np.asarray(image, np.float32) / 255


def over(picture: Array, color: Color, alpha: Array) -> None:
    """Paint a color or a picture over ``picture`` in place, ``alpha`` opaque."""
    picture += (rgb(color) - picture) * alpha[..., None]


def shrink(picture: Array, factor: int) -> Array:
    """Average blocks of ``factor`` x ``factor`` pixels."""
    h, w = (side // factor for side in picture.shape[:2])
    blocks = picture[: h * factor, : w * factor].reshape(h, factor, w, factor, -1)
    return np.asarray(blocks.mean(axis=(1, 3)).squeeze(), np.float32)


def tone_map(light: Array, exposure: float = 1.0) -> Array:
    """Turn linear light of any brightness into sRGB values with a film-like shoulder."""
    v = np.maximum(light * exposure, 0)
    film = (v * (2.51 * v + 0.03)) / (v * (2.43 * v + 0.59) + 0.14)
    return np.asarray(np.clip(film, 0, 1) ** (1 / 2.2), np.float32)


def to_linear(color: Color) -> Array:
    """Turn sRGB values into linear light."""
    return np.asarray(rgb(color) ** 2.2, np.float32)


def develop(
    picture: Array,
    rng: np.random.Generator,
    grain: float = 0.012,
    vignette: float = 0.2,
    contrast: float = 0.0,
) -> Array:
    """Give a drawing the last touch of a photograph: contrast, darker corners, film grain."""
    h, w = picture.shape[:2]
    y, x = grid(h, w)
    radius = np.hypot((y - 0.5) * 1.2, (x - 0.5 * w / h) * h / w * 1.2)
    out = np.clip(picture, 0, 1)
    out = out + contrast * (out * out * (3 - 2 * out) - out)
    out = out * (1 - vignette * smoothstep(0.3, 0.95, radius))[..., None]
    noise = blur(rng.standard_normal((h, w)).astype(np.float32), 0.5)
    return np.clip(out + grain * noise[..., None], 0, 1)


def drift(noise: Array, rng: np.random.Generator) -> Array:
    """Shift a tileable map at random: cheap fresh noise."""
    offset = (int(rng.integers(noise.shape[0])), int(rng.integers(noise.shape[1])))
    return np.roll(noise, offset, axis=(0, 1))


def encode(picture: Array, suffix: str, quality: int, subsampling: int) -> bytes:
    """Return the bytes of a picture (``.jpg``) or of a mask (``.png``)."""
    image = Image.fromarray(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))
    buffer = io.BytesIO()
    if suffix == ".jpg":
        image.save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    else:
        image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def save_all(pictures: dict[str, Array], folder: Path, limit: int = 150_000) -> None:
    """Write the pictures of one scene, all at the best quality at which none passes ``limit``."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, bytes] = {}
    for quality, subsampling in ((95, 0), (95, 2), (93, 2), (92, 2)):
        for name, picture in pictures.items():
            files[name] = encode(picture, Path(name).suffix, quality, subsampling)
        if max(map(len, files.values())) <= limit:
            break
    for name, content in files.items():
        (folder / name).write_bytes(content)


Scene = Callable[[], dict[str, Array]]
