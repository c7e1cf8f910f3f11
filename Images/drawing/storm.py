"""Lightning over a plain, for the animation task."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from . import plants
from .canvas import (
    Array,
    Point,
    blur,
    develop,
    fbm,
    grid,
    lambert,
    mix,
    over,
    profile,
    ramp,
    rgb,
    seeded,
    shrink,
    smoothstep,
    to_linear,
    tone_map,
    warp,
)

GROUND = 0.80  # the row, in picture heights, where the land begins


def crooked(first: Array, last: Array, rng: np.random.Generator) -> Array:
    """Return a crooked path of (y, x) points between two points."""
    points = np.stack([first, last])
    sway = 0.11 * float(np.linalg.norm(last - first))
    for _ in range(7):
        middle = (points[:-1] + points[1:]) / 2
        middle += rng.normal(0, sway, middle.shape) * (0.5, 1.0)
        woven = np.empty((2 * len(points) - 1, 2), np.float32)
        woven[::2], woven[1::2] = points, middle
        points, sway = woven, sway * 0.52
    return points


def bolt(h: int, w: int, start: Point, end: Point, rng: np.random.Generator) -> Array:
    """Return a branching stroke of lightning between two points (y, x) as brightness."""
    image = Image.new("F", (w, h))
    pen = ImageDraw.Draw(image)
    strokes = [(np.array(start, np.float32), np.array(end, np.float32), 1.0)]
    while strokes:
        first, last, power = strokes.pop()
        points = crooked(first, last, rng)
        pixels = [(float(x) * h, float(y) * h) for y, x in points]
        pen.line(pixels, fill=power, width=max(1, round(4 * power)))
        forks = 5 if power > 0.9 else int(rng.integers(0, 3)) if power > 0.2 else 0
        for _ in range(forks):
            fork = points[rng.integers(len(points) // 8, int(len(points) * 0.8))]
            reach = rng.uniform(0.10, 0.30) * (0.4 + power)
            side = np.clip(rng.normal(0, 0.7), -1.1, 1.1)
            tip = fork + np.array([np.cos(side), np.sin(side)], np.float32) * reach
            strokes.append((fork, tip.astype(np.float32), power * 0.42))
    return np.array(image, np.float32)


def clouds(h: int, w: int, rng: np.random.Generator) -> Array:
    """Return the linear light of the storm's clouds and rain, lit from within."""
    y, x = grid(h, w)
    heap = fbm(h, w, rng, 1.75, (1.4, 0.8), coarsest=1)
    bend = fbm(h, w, rng, 1.9, coarsest=2)
    heap = warp(heap, 26 * bend, 40 * np.roll(bend, h // 2, 0))
    puff = 0.5 + 0.28 * heap + 0.15 * (1 - np.abs(fbm(h, w, rng, 1.6, coarsest=4)))
    base = ramp(
        y,
        [(0, "#0c1024"), (0.3, "#232a4c"), (0.6, "#3d3f66"), (0.76, "#8a6478"), (0.8, "#b8807a")],
    )
    picture = to_linear(base) * (0.22 + 0.85 * np.clip(puff, 0, 1.4))[..., None]
    relief = lambert(blur(puff, 5) * 75, (0.25, 0.6, 0.45))
    inner = np.exp(-np.hypot((y - 0.20) * 1.25, (x - 0.92) * 0.8) / 0.20)
    inner = inner + 0.4 * np.exp(-np.hypot((y - 0.27) * 1.4, x - 0.30) / 0.12)
    deck = smoothstep(0.62, 0.25, y - 0.06 * heap)
    flash = 1.7 * inner * (0.15 + relief) * (0.35 + 0.65 * puff) * deck
    picture = picture + flash[..., None] * to_linear("#a9a2ff")
    rain = warp(fbm(h, w, rng, 1.3, (0.18, 1.6), coarsest=2), 0 * y, 60 * (y - 0.5))
    curtain = smoothstep(0.30, 0.55, y) * smoothstep(-0.2, 1.8, rain)
    return mix(picture, to_linear("#565a80") * 0.55, 0.5 * curtain)


def plain(picture: Array, strike: float, rng: np.random.Generator) -> None:
    """Lay wet fields and firs under the storm, brightest near the ``strike``, in place."""
    h, w = picture.shape[:2]
    y, x = grid(h, w)
    far = GROUND - 0.004 * profile(w, rng, 1.7)[None, :]
    soil = fbm(h, w, rng, 1.2, (5.0, 0.8), coarsest=4)
    down = np.clip(y - GROUND, 0, 1)
    near = 1 / (1 + ((x - strike) / (0.22 + down)) ** 2 + (down / 0.10) ** 2)
    pools = smoothstep(0.7, 1.2, fbm(h, w, rng, 1.7, (6.0, 0.7), coarsest=2))
    field = to_linear(ramp(0.5 + 0.2 * soil, [(0, "#10131a"), (0.5, "#242a2c"), (1, "#4a4f48")]))
    field = field * (0.45 + 3.0 * near)[..., None] * rgb("#c4bcff")
    field = field + (pools * (0.05 + 0.55 * near))[..., None] * to_linear("#8f84c8")
    over(picture, field, smoothstep(-0.001, 0.001, y - far))
    edge = np.full(w, GROUND * h + 5, np.float32)
    wood = plants.firs(h, w, plants.forest_edge(edge, rng, 150, (10, 26), 5), rng)
    over(picture, to_linear("#0a0b14"), wood)
    bank = h * (0.985 - 0.03 * profile(w, rng, 1.9, 1))
    mask = plants.firs(h, w, plants.forest_edge(bank, rng, 60, (50, 130), 30), rng)
    mask = np.maximum(mask, smoothstep(-1, 1, np.arange(h)[:, None] - bank[None, :]))
    over(picture, to_linear("#05060b"), mask)


def thunderstorm() -> dict[str, Array]:
    """Draw lightning that falls from heaped clouds on a dark plain."""
    h, w = 900, 1200
    rng = seeded("thunderstorm")
    y, _ = grid(h, w)
    strike = 0.80
    strokes = bolt(h, w, (0.24, 0.92), (GROUND, strike), rng)
    second = bolt(h, w, (0.30, 0.30), (GROUND - 0.03, 0.36), rng)
    strokes = np.maximum(strokes, 0.16 * second) * smoothstep(0.25, 0.46, y) ** 1.5
    picture = clouds(h, w, rng)
    plain(picture, strike, rng)
    above = smoothstep(GROUND + 0.012, GROUND - 0.004, y)
    glow = sum(gain * blur(strokes, size) for size, gain in ((2, 1.6), (9, 2.2), (40, 4), (120, 5)))
    core = 6 * np.minimum(blur(strokes, 0.8), 1) * above
    picture += core[..., None] * to_linear("#f6f0ff")
    picture += (np.asarray(glow) * (0.2 + 0.4 * above))[..., None] * to_linear("#9a8cff")
    picture = tone_map(picture, 1.15)
    return {"thunderstorm.jpg": develop(shrink(picture, 2), seeded("grain"), 0.010, 0.2, 0.1)}
