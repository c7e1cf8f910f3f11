"""Pairs for the translation task: a layout or a drawing, the picture of it, and a new drawing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .canvas import (
    Array,
    blur,
    develop,
    fbm,
    grid,
    lambert,
    mix,
    polygon,
    profile,
    ramp,
    rgb,
    seeded,
    smoothstep,
)

HEIGHT, WIDTH = 192, 256
House = tuple[float, float, float, float]  # left, width, height of the wall, height of the roof
VALLEY = {
    "sky": "#78b4f0", "mountain": "#969696", "forest": "#145028", "meadow": "#8cc850",
    "lake": "#1e50a0", "path": "#dcbe8c",
}  # fmt: skip
STREET = ("sky", "wall", "roof", "window", "door", "street")


def valley_layout(ridge: int, heights: Sequence[float], lake: Sequence[float]) -> Array:
    """The number of what is seen at each pixel, in the order of ``VALLEY``.

    ``ridge`` is the seed of the outlines, ``heights`` are where mountains, forest and meadow begin
    (shares of the picture), ``lake`` is its middle (y, x) and its half axes (y, x).
    """
    rng = np.random.default_rng(ridge)
    y, x = grid(HEIGHT, WIDTH)
    labels = np.zeros((HEIGHT, WIDTH), np.float32)
    rough = ((0.07, 1.9), (0.03, 1.3), (0.015, 1.8))
    for number, (top, (size, slope)) in enumerate(zip(heights, rough, strict=True), 1):
        line = top + size * profile(WIDTH, rng, slope, 1.5)
        labels[y > line[None, :]] = number
    cy, cx, ry, rx = lake
    edge = 1 + 0.12 * np.sin(5 * np.arctan2(y - cy, x - cx))
    labels[((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < edge] = 4
    way = 0.25 + 0.25 * np.sin(5 * y + ridge)
    labels[(labels == 3) & (np.abs(x - way) < 0.06 * (y - 0.35))] = 5
    return labels


def valley_picture(labels: Array) -> Array:
    """The valley as it looks in the afternoon."""
    rng = seeded("mountain_valley")
    y, _ = grid(HEIGHT, WIDTH)
    rough, fine = (
        fbm(HEIGHT, WIDTH, rng, 1.6, coarsest=4),
        fbm(HEIGHT, WIDTH, rng, 0.9, coarsest=16),
    )
    clouds = smoothstep(0.2, 1.6, fbm(HEIGHT, WIDTH, rng, 1.9, (2.5, 1.0), 2))
    stripes = fbm(HEIGHT, WIDTH, rng, 1.2, (6.0, 0.6), 6)
    stone = 0.25 + 0.75 * lambert(9 * fbm(HEIGHT, WIDTH, rng, 1.7, coarsest=3), (-1, -0.8, 0.9))
    crowns = 0.3 + 0.9 * lambert(3 * fbm(HEIGHT, WIDTH, rng, 1.1, (1.4, 1.0), 14), (-1, -1, 0.8))
    looks = [
        mix(ramp(y, [(0, "#3f7fd0"), (0.6, "#bfdcf2")]), "#ffffff", 0.85 * clouds),
        mix("#3e4250", "#d9d2c8", stone),
        mix("#0c1f10", "#4f7a3a", np.clip(crowns, 0, 1)),
        mix("#5f9a33", "#b7c860", smoothstep(-1.5, 1.5, 0.6 * rough + 0.7 * fine)),
        mix("#123a6b", "#8fb9dd", smoothstep(-1.2, 2.2, stripes + 0.6 * rough)),
        mix("#b79a6b", "#e6d2a6", smoothstep(-1.5, 1.5, fine)),
    ]
    return _shown(labels, looks, rng)


def _shown(labels: Array, looks: Sequence[Array], rng: np.random.Generator) -> Array:
    """Each pixel as its label looks, borders a little soft, with the last touch of a photograph."""
    parts = [blur((labels == n).astype(np.float32), 0.6)[..., None] for n in range(len(looks))]
    total = sum(parts[1:], parts[0])
    whole = sum((part * look for part, look in zip(parts, looks, strict=True)), 0 * looks[0])
    return develop(np.asarray(whole / total, np.float32), rng, vignette=0.1)


def mountain_valley() -> dict[str, Array]:
    """A valley with its layout, and the layout of another valley."""
    here = valley_layout(3, (0.34, 0.50, 0.60), (0.78, 0.88, 0.11, 0.32))
    there = valley_layout(8, (0.26, 0.46, 0.54), (0.70, 0.42, 0.13, 0.26))
    colors = np.stack([rgb(color) for color in VALLEY.values()])
    return {
        "mountain_valley.jpg": valley_picture(here),
        "mountain_valley_layout.png": colors[here.astype(int)],
        "mountain_valley_new.png": colors[there.astype(int)],
    }


def street_layout(houses: Sequence[House]) -> Array:
    """What is seen at each pixel of a row of houses, in the order of ``STREET``."""
    labels = np.zeros((HEIGHT, WIDTH), np.float32)
    ground = 0.84 * HEIGHT
    labels[int(ground) :] = 5
    for left, width, wall, roof in houses:
        x0, x1 = left * WIDTH, (left + width) * WIDTH
        top = ground - wall * HEIGHT
        _fill(labels, [(x0, top), (x1, top), (x1, ground), (x0, ground)], 1)
        peak = [(x0 - 5, top), ((x0 + x1) / 2, top - roof * HEIGHT), (x1 + 5, top)]
        _fill(labels, peak, 2)
        columns = max(2, round(width * WIDTH / 24))
        rows = max(1, round(wall * HEIGHT / 34))
        for row in range(rows):
            for column in range(columns):
                cx = x0 + (column + 0.5) * (x1 - x0) / columns
                cy = top + (row + 0.5) * (ground - top) / rows
                door = row == rows - 1 and column == columns // 2
                low = ground if door else cy + 8
                box = [(cx - 6, cy - 8), (cx + 6, cy - 8), (cx + 6, low), (cx - 6, low)]
                _fill(labels, box, 4 if door else 3)
    return labels


def _fill(labels: Array, points: Sequence[tuple[float, float]], number: int) -> None:
    labels[polygon(HEIGHT, WIDTH, points) > 0.5] = number


def street_picture(labels: Array) -> Array:
    """The houses by day: plaster, tiles, glass, wood, cobbles."""
    rng = seeded("old_street")
    y, _ = grid(HEIGHT, WIDTH)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    fine, rough = (
        fbm(HEIGHT, WIDTH, rng, 0.8, coarsest=12),
        fbm(HEIGHT, WIDTH, rng, 1.8, coarsest=3),
    )
    tiles = np.sin(rows * 1.6) * 0.5 + np.sin(columns * 1.3 + np.floor(rows / 4) * 1.6) * 0.5
    cobbles = np.sin(columns * 0.9 + 2 * np.sin(rows * 0.8)) * np.sin(rows * 1.1)
    looks = [
        ramp(y + 0.03 * rough, [(0, "#6ea2dc"), (0.7, "#dfeaf2")]),
        mix("#c9a56f", "#f1dfb4", smoothstep(-2, 2, 0.7 * rough + 0.5 * fine)),
        mix("#6b2a1c", "#c2644a", smoothstep(-1.3, 1.3, tiles + 0.4 * fine)),
        mix("#1c2a3c", "#9fc0da", smoothstep(-1.5, 2.0, rough + 2 * np.sin(rows * 0.5))),
        mix("#3c2413", "#7d5330", smoothstep(-1.5, 1.5, np.sin(columns * 2.2) + 0.4 * fine)),
        mix("#4c4a49", "#a7a29b", smoothstep(-1.2, 1.2, cobbles + 0.4 * fine)),
    ]
    return _shown(labels, looks, rng)


def drawing(labels: Array) -> Array:
    """White lines on black where one thing ends and another begins."""
    edges = np.zeros(labels.shape, np.float32)
    edges[1:] = labels[1:] != labels[:-1]
    edges[:, 1:] = np.maximum(edges[:, 1:], labels[:, 1:] != labels[:, :-1])
    return edges


def old_street() -> dict[str, Array]:
    """A row of houses with its drawing, and the drawing of another row."""
    here = street_layout(
        [(0.05, 0.27, 0.36, 0.20), (0.38, 0.22, 0.50, 0.15), (0.66, 0.30, 0.30, 0.24)]
    )
    there = street_layout(
        [(0.04, 0.36, 0.32, 0.25), (0.46, 0.20, 0.46, 0.18), (0.70, 0.25, 0.38, 0.14)]
    )
    return {
        "old_street.jpg": street_picture(here),
        "old_street_drawing.png": drawing(here),
        "old_street_new.png": drawing(there),
    }
