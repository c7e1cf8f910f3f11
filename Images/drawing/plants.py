"""Firs, birch trunks and leaves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from .canvas import Array, Point, fbm, mix, ramp, smoothstep

BIRCH_BARK = [(0.0, "#1d1916"), (0.25, "#6d6258"), (0.5, "#cfc5b6"), (1.0, "#fffaf0")]


def fir_outline(x: float, base: float, tall: float, rng: np.random.Generator) -> list[Point]:
    """Return the ragged outline of one fir that stands at (x, base)."""
    tiers = max(4, int(tall / 5))
    spread = tall * rng.uniform(0.16, 0.23)
    lean = rng.normal(0, 0.012) * tall
    left: list[Point] = []
    right: list[Point] = []
    for tier in range(tiers):
        t = (tier + 0.7) / tiers
        y = base - tall * (1 - t)
        middle = x + lean * (1 - t)
        for side, points in ((-1, left), (1, right)):
            reach = spread * t**0.8 * rng.uniform(0.65, 1.15)
            points.append((middle + side * reach, y + tall * 0.035))
            points.append((middle + side * reach * rng.uniform(0.3, 0.55), y))
    return [(x + lean, base - tall), *right, (x, base), *reversed(left)]


def firs(
    height: int, width: int, places: Sequence[tuple[float, float, float]], rng: np.random.Generator
) -> Array:
    """Return the mask of firs given as (x, base, height)."""
    image = Image.new("L", (width, height))
    pen = ImageDraw.Draw(image)
    for x, base, tall in places:
        pen.polygon(fir_outline(x, base, tall, rng), fill=255)
        pen.rectangle((x - tall * 0.015, base - 2, x + tall * 0.015, base + tall * 0.06), fill=255)
    return np.asarray(image, np.float32) / 255


def forest_edge(
    line: Array, rng: np.random.Generator, count: int, size: tuple[float, float], sink: float
) -> list[tuple[float, float, float]]:
    """Scatter firs of ``size`` (low, high) along the ground ``line``, up to ``sink`` below it."""
    xs = rng.uniform(0, len(line), count)
    depth = np.sort(rng.uniform(0, 1, count))
    rows = line[xs.astype(int)] + depth * sink
    tall = rng.uniform(size[0], size[1], count) * rng.choice([0.6, 0.8, 1.0], count)
    return list(zip(xs.tolist(), rows.tolist(), tall.tolist(), strict=True))


def leaves(
    picture: Array,
    spots: Array,
    sizes: Array,
    colors: Array,
    rng: np.random.Generator,
    flat: float = 0.5,
) -> None:
    """Paint small pointed leaves at ``spots`` (x, y), each in its own color, in place."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    angles = rng.uniform(0, np.pi, len(spots))
    tints = (np.clip(colors, 0, 1) * 255).astype(int)
    for (x, y), size, angle, tint in zip(spots, sizes, angles, tints, strict=True):
        ax, ay = size * np.cos(angle), size * np.sin(angle) * flat * 1.4
        bx, by = -size * flat * np.sin(angle), size * flat * np.cos(angle)
        corners = [(x - ax, y - ay), (x + bx, y + by), (x + ax, y + ay), (x - bx, y - by)]
        pen.polygon([(float(u), float(v)) for u, v in corners], fill=tuple(tint.tolist()))
    picture[:] = np.asarray(image, np.float32) / 255


def bark(height: int, u: Array, rng: np.random.Generator) -> Array:
    """Return birch bark for a strip whose across-the-trunk coordinate ``u`` is in [-1, 1]."""
    width = u.shape[1]
    fine = fbm(height, width, rng, 1.0, (0.5, 0.06), coarsest=6)
    broad = fbm(height, width, rng, 1.6, (1.0, 0.12), coarsest=2)
    marks = smoothstep(1.15, 2.0, fine + 0.5 * broad)
    scars = smoothstep(1.5, 1.9, broad + 0.25 * fine) * smoothstep(0.95, 0.5, np.abs(u))
    dirt = 0.10 * fbm(height, width, rng, 1.2, (1.5, 0.6), coarsest=3)
    value = 0.93 + dirt - 0.62 * marks - 0.8 * scars
    return ramp(np.clip(value, 0, 1), BIRCH_BARK)


def birch(
    picture: Array,
    x: float,
    base: float,
    radius: float,
    haze: tuple[str, float],
    rng: np.random.Generator,
) -> None:
    """Paint a birch trunk from ``base`` to the top, faded by ``haze`` (color, amount), in place."""
    height, width = picture.shape[:2]
    rows = np.arange(min(int(base), height), dtype=np.float32)
    lean, bend = rng.normal(0, 0.035), rng.normal(0, radius * 0.5)
    up = base - rows
    middle = x + lean * up + bend * np.sin(up / height * 4 + rng.uniform(0, 6))
    girth = radius * (1 - 0.35 * up / height + 0.35 * np.exp(-up / (radius * 1.6)))
    first = max(int(middle.min() - 2 * radius), 0)
    last = min(int(middle.max() + 2 * radius) + 1, width)
    if last - first < 4:
        return
    u = (np.arange(first, last)[None, :] - middle[:, None]) / girth[:, None]
    u = u.astype(np.float32)
    light = 0.36 + 0.70 * np.clip(0.62 * u + 0.78 * np.sqrt(np.clip(1 - u * u, 0, 1)), 0, 1)
    skin = bark(len(rows), u, rng) * light[..., None]
    skin *= mix("#b9c3d6", "#fff3dc", smoothstep(-0.6, 0.8, u))
    skin = skin * (0.45 + 0.55 * smoothstep(0, radius * 3.5, up))[:, None, None]
    skin = mix(skin, haze[0], haze[1])
    alpha = smoothstep(1.0, 1.0 - 1.5 / radius, np.abs(u))
    strip = picture[: len(rows), first:last]
    strip += (skin - strip) * alpha[..., None]
