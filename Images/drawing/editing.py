"""Sets for the editing task: a natural scene, and the same with parts crudely moved or copied."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from . import plants
from .canvas import (
    Array,
    blur,
    cast_shadows,
    develop,
    fbm,
    grid,
    lambert,
    mix,
    over,
    polygon,
    profile,
    ramp,
    rgb,
    seeded,
    shrink,
    smoothstep,
)
from .generation import stone_wall

Move = tuple[int, int, int, int, int, int]


def edited(name: str, picture: Array, moves: Sequence[Move]) -> dict[str, Array]:
    """Copy rectangles (top, left, height, width) to (top, left), one after the other."""
    naive, mask = picture.copy(), np.zeros(picture.shape[:2], np.float32)
    for top, left, height, width, to_top, to_left in moves:
        target = np.s_[to_top : to_top + height, to_left : to_left + width]
        naive[target] = picture[top : top + height, left : left + width]
        mask[target] = 1
    return {f"{name}.jpg": picture, f"{name}_naive.jpg": naive, f"{name}_naive_mask.png": mask}


PEBBLES = [
    "#8d8781",
    "#5f6468",
    "#b9aa97",
    "#a1745c",
    "#cfc8bb",
    "#4a4c52",
    "#93a09c",
    "#7a5a4c",
    "#ded6c6",
]


def stone_places(rng: np.random.Generator, wide: float) -> list[tuple[float, float, float]]:
    """Return (y, x, radius) of stones that do not touch, large ones first."""
    places: list[tuple[float, float, float]] = [
        (0.38, 0.42, 0.135),
        (0.66, 0.98, 0.115),
        (0.55, 0.62, 0.06),
    ]
    for radius, tries in ((0.085, 10), (0.05, 40), (0.03, 90), (0.016, 160), (0.009, 260)):
        for _ in range(tries):
            y, x = rng.uniform(0, 1), rng.uniform(0, wide)
            r = radius * rng.uniform(0.75, 1.25)
            bare = 0.14 < y < 0.86 and 1.12 < x < 1.45 and r > 0.02
            if not bare and all(np.hypot(y - a, x - b) > 1.12 * (r + c) for a, b, c in places):
                places.append((y, x, r))
    return places


def lay_stone(
    heights: Array, color: Array, place: tuple[float, float, float], rng: np.random.Generator
) -> None:
    """Lay one pebble on the sand: raise ``heights`` and paint ``color``, in place."""
    cy, cx, r = (number * len(heights) for number in place)
    top, left = max(int(cy - 1.6 * r), 0), max(int(cx - 1.6 * r), 0)
    window = np.s_[top : int(cy + 1.6 * r) + 2, left : int(cx + 1.6 * r) + 2]
    rows, columns = heights[window].shape
    if min(rows, columns) < 4:
        return
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    y, x, turn = y + top - cy, x + left - cx, rng.uniform(0, np.pi)
    u = (x * np.cos(turn) + y * np.sin(turn)) / r
    v = (-x * np.sin(turn) + y * np.cos(turn)) / (r * rng.uniform(0.66, 0.95))
    power = rng.uniform(2.0, 2.7)
    away = (np.abs(u) ** power + np.abs(v) ** power) ** (1 / power)
    away += 0.05 * fbm(rows, columns, rng, 2.2, coarsest=2)
    away = np.maximum(away, 0)
    dome = np.clip(1 - away**2.4, 0, 1) ** 0.5 * r * 0.62
    rough = fbm(rows, columns, rng, 1.5, coarsest=3)
    dome = dome + (0.004 * r + 0.25) * rough * (away < 0.98)
    skin = stone_skin(u, v, r, rng)
    cover = smoothstep(1.0, 1.0 - 2.5 / r, away)
    patch = heights[window]
    patch += 0.06 * r * np.exp(-(((away - 1.08) / 0.16) ** 2))
    patch += (dome + patch.mean() + 0.10 * r - patch) * cover
    over(color[window], skin, cover)


def stone_skin(u: Array, v: Array, r: float, rng: np.random.Generator) -> Array:
    """Return the color of a pebble: speckles, bands or a vein of quartz."""
    h, w = u.shape
    tint = rgb(str(rng.choice(PEBBLES))) * rng.uniform(0.85, 1.15)
    skin = tint * (1 + 0.08 * fbm(h, w, rng, 1.4, coarsest=2))[..., None]
    kind = rng.uniform()
    if kind < 0.45:
        speck = fbm(h, w, rng, 0.5, coarsest=8)
        skin = mix(skin, "#2b2a2c", 0.55 * smoothstep(1.0, 2.0, speck))
        skin = mix(skin, "#f0ebe2", 0.55 * smoothstep(1.2, 2.2, -speck))
    elif kind < 0.75:
        lines = np.sin(
            v * rng.uniform(8, 20) + 1.2 * fbm(h, w, rng, 2.0, coarsest=2) + rng.uniform(0, 6)
        )
        skin = mix(
            skin,
            tint * 0.62 if rng.uniform() < 0.5 else tint * 1.3,
            0.5 * smoothstep(0.2, 0.9, lines),
        )
    if kind > 0.6 and r > 20:
        vein = np.abs(u * 0.5 + v - rng.uniform(-0.4, 0.4) + 0.10 * fbm(h, w, rng, 1.8, coarsest=3))
        skin = mix(skin, "#efe8da", 0.85 * smoothstep(0.09, 0.03, vein))
    return np.asarray(skin, np.float32)


def rippled_sand(h: int, w: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the height and the color of sand with wind ripples."""
    y, x = grid(h, w)
    drift = 0.055 * fbm(h, w, rng, 2.3, coarsest=1) + 0.006 * fbm(h, w, rng, 1.6, coarsest=5)
    phase = (y + 0.28 * x + drift) * 19
    saw = phase - np.floor(phase)
    ripple = np.where(saw < 0.68, saw / 0.68, (1 - saw) / 0.32)
    strength = 0.65 + 0.35 * np.clip(fbm(h, w, rng, 2.0, coarsest=2), -1.5, 1.5)
    heights = blur((ripple * strength * 11).astype(np.float32), 3)
    grains = fbm(h, w, rng, 0.35, coarsest=30)
    heights = heights + 0.40 * grains + 3 * fbm(h, w, rng, 2.0, coarsest=2)
    color = mix("#c9a877", "#e9d3a6", smoothstep(-2, 2, fbm(h, w, rng, 1.5, coarsest=3)))
    color = mix(color, "#8c6a48", 0.45 * smoothstep(1.3, 2.6, fbm(h, w, rng, 0.4, coarsest=60)))
    return heights.astype(np.float32), color * (1 + 0.05 * grains)[..., None]


def stones_on_sand() -> dict[str, Array]:
    """Draw pebbles on rippled sand in evening light; move one stone, crudely, to a bare place."""
    h, w = 1080, 1560
    rng = seeded("stones_on_sand")
    heights, color = rippled_sand(h, w, rng)
    for place in stone_places(rng, w / h):
        lay_stone(heights, color, place, rng)
    sun = (-0.70, -0.50, 0.50)
    light = lambert(heights * 0.9, sun)
    shadow = blur(cast_shadows(heights, (-2.9, -4.1), 2.9, 34), 1.2)
    open_sky = smoothstep(-30, 8, heights - blur(heights, 22))
    direct = (light * shadow)[..., None] * rgb("#ffe6bd") * 1.42
    ambient = (0.40 * open_sky * (0.75 + 0.25 * lambert(heights, (0, 0, 1))))[..., None] * rgb(
        "#9db4dc"
    )
    picture = color * (direct + ambient)
    picture = develop(shrink(picture, 3), seeded("grain"), 0.010, 0.2, 0.3)
    return edited(
        "stones_on_sand", picture, [(108, 390, 120, 110, 78, 96), (78, 96, 120, 110, 108, 390)]
    )


def crown_blobs(rng: np.random.Generator, tall: float) -> Array:
    """Return (x, y, radius) of the clumps of leaves of a broad tree, its foot at (0, 0)."""
    count = 42
    angle = rng.uniform(0, 2 * np.pi, count)
    out = np.sqrt(rng.uniform(0, 1, count))
    x = np.cos(angle) * out * 0.36 * tall
    y = -0.62 * tall + np.sin(angle) * out * 0.30 * tall
    radius = rng.uniform(0.075, 0.14, count) * tall
    return np.stack([x, y, radius], -1)


def broad_tree(
    picture: Array, x: float, base: float, tall: float, tint: str, rng: np.random.Generator
) -> None:
    """Paint a broad-leaved tree with its foot at (x, base), lit from the upper left, in place."""
    top, left = max(int(base - 0.75 * tall), 0), max(int(x - 0.4 * tall), 0)
    window = picture[top : int(base) + 8, left : int(x + 0.4 * tall)]
    trunk(window, x - left, base - top, tall, rng)
    blobs = crown_blobs(rng, tall)
    blobs = blobs[np.argsort(blobs[:, 0] * 0.6 + blobs[:, 1] * 0.4)[::-1]]
    spots, colors = [], []
    for bx, by, r in blobs:
        count = int(3.2 * r * r / (tall * 0.0135) ** 2) + 20
        angle, out = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0, 1, count))
        dx, dy = np.cos(angle) * out, np.sin(angle) * out * 0.85
        depth = np.sqrt(np.clip(1 - out**2, 0, 1))
        facing = -0.62 * dx - 0.60 * dy + 0.42 * depth
        whole = -(0.55 * bx + 0.62 * (by + 0.62 * tall)) / (0.36 * tall)
        light = 0.40 + 0.34 * facing + 0.24 * whole + rng.normal(0, 0.10, count)
        order = np.argsort(light)
        spots.append(np.stack([x + bx + dx * r * 1.1, base + by + dy * r * 1.1], -1)[order])
        colors.append(
            ramp(light[order], [(0, "#0d1a10"), (0.3, "#27421c"), (0.65, tint), (1, "#dbe08a")])
        )
    every, tints = np.concatenate(spots), np.concatenate(colors)
    sizes = tall * 0.0135 * rng.uniform(0.6, 1.25, len(every))
    plants.leaves(picture, every, sizes, tints, rng, 0.62)


def trunk(picture: Array, x: float, base: float, tall: float, rng: np.random.Generator) -> None:
    """Paint a trunk and its main boughs, in place."""
    h, w = picture.shape[:2]
    girth = 0.026 * tall
    sides = [(2.0, base + 3), (1.0, base - 0.08 * tall), (0.7, base - 0.6 * tall)]
    outline = [(x - a * girth, y) for a, y in sides] + [(x + a * girth, y) for a, y in sides[::-1]]
    mask = polygon(h, w, outline)
    for side in (-1, 1, -0.5, 0.6):
        foot, tip = base - rng.uniform(0.22, 0.34) * tall, x + side * rng.uniform(0.16, 0.26) * tall
        bough = [
            (x - 0.6 * girth, foot),
            (tip, foot - 0.28 * tall),
            (tip + 0.3 * girth, foot - 0.26 * tall),
            (x + 0.6 * girth, foot + 0.04 * tall),
        ]
        mask = np.maximum(mask, polygon(h, w, bough))
    columns = np.arange(w, dtype=np.float32)[None, :]
    light = smoothstep(1.4, -1.2, (columns - x) / girth) + 0 * mask
    rough = 1 + 0.25 * fbm(h, w, rng, 1.0, (0.3, 2.0), coarsest=20)
    over(picture, mix("#1d1611", "#8a7359", light) * rough[..., None], mask)


def summer_sky(h: int, w: int, rng: np.random.Generator) -> Array:
    """Paint a blue sky with heaped clouds, their flat feet in shade."""
    y, _ = grid(h, w)
    sky = ramp(y, [(0, "#3576c4"), (0.35, "#7db1e6"), (0.62, "#cfe4f2")])
    scale = 1 / (1 + 2.2 * y)
    cloud = fbm(h, w, rng, 1.5, (1.6, 1.0), coarsest=2) * 0.75 + 0.75 * fbm(
        h, w, rng, 2.6, (2.0, 1.0)
    )
    cover = smoothstep(0.3, 1.2, cloud) * smoothstep(0.62, 0.45, y)
    soft = blur(cloud, 6)
    toward = np.roll(soft, (14, 14), (0, 1)) - soft
    light = np.clip(0.8 - 0.75 * toward - 0.16 * np.clip(soft - 0.6, 0, 2), 0, 1)
    heap = ramp(light, [(0, "#8f9db8"), (0.45, "#cdd5e2"), (0.8, "#ffffff")])
    return mix(sky, heap, cover * (0.75 + 0.25 * scale))


def meadow_ground(picture: Array, line: Array, rng: np.random.Generator) -> None:
    """Lay a grassy hill below the ``line``, with blades that grow larger in front, in place."""
    h, w = picture.shape[:2]
    y, x = grid(h, w)
    down = y - line[None, :] / h
    light = 0.52 + 0.13 * fbm(h, w, rng, 1.7, (3.5, 0.8), coarsest=2) + 0.25 * np.exp(-down / 0.05)
    light = light - 0.10 * down - 0.08 * (x - 0.7)
    grass = ramp(light, [(0, "#1f3312"), (0.4, "#4d7426"), (0.7, "#8fae42"), (1, "#d6d57c")])
    over(picture, grass, smoothstep(-0.0015, 0.0015, down))
    count = 26000
    xs, depth = rng.uniform(0, w - 1, count), np.sort(rng.uniform(0, 1, count) ** 0.8)
    ys = line[xs.astype(int)] + depth * (h * 1.02 - line[xs.astype(int)])
    base = grass[ys.astype(int).clip(0, h - 1), xs.astype(int)]
    tint = base * rng.uniform(0.62, 1.35, (count, 1)) + rng.normal(0, 0.015, (count, 3))
    flower = rng.uniform(0, 1, count) < 0.018
    tint[flower] = rgb("#f6efcf")
    sizes = (
        np.where(flower, 0.35, 1.0)
        * h
        * (0.002 + 0.011 * depth**1.5)
        * rng.uniform(0.6, 1.3, count)
    )
    plants.leaves(picture, np.stack([xs, ys], -1), sizes, tint, rng, 0.30)


def tree_shadow(
    picture: Array, x: float, base: float, tall: float, rng: np.random.Generator
) -> None:
    """Lay the dappled shadow of a tree on the grass to its lower right, in place."""
    top, left = int(base - 0.1 * tall), max(int(x - 0.4 * tall), 0)
    window = picture[top : int(base + 0.2 * tall), left : int(x + 0.9 * tall)]
    h, w = window.shape[:2]
    y, column = np.mgrid[:h, :w].astype(np.float32)
    y, column = y + top - base, column + left - x
    away = np.hypot((column - 0.24 * tall) / (0.50 * tall), (y - 0.035 * tall) / (0.075 * tall))
    dark = smoothstep(1.1, 0.6, away + 0.16 * fbm(h, w, rng, 1.3, (2.5, 1.0), coarsest=8))
    window *= 1 - (0.62 * dark)[..., None] * np.array([1.0, 0.92, 0.72], np.float32)


def trees_on_hill() -> dict[str, Array]:
    """Draw trees on a summer hill; copy one of them, crudely, to another place."""
    h, w = 1080, 1590
    rng = seeded("trees_on_hill")
    picture = summer_sky(h, w, rng)
    for number, color in enumerate(("#9fb9cf", "#7f9fae", "#5f8570")):
        far = h * (0.60 + 0.035 * number) - h * 0.018 * profile(w, rng, 1.9)
        wood = far - h * 0.004 * number * profile(w, rng, 0.8, 20)
        over(
            picture,
            color,
            smoothstep(-1, 1, (np.arange(h)[:, None] - wood[None, :]).astype(np.float32)),
        )
    x = np.linspace(0, w / h, w)
    line = h * (0.72 - 0.10 * np.exp(-(((x - 0.95) / 0.45) ** 2))) + 3 * profile(w, rng, 1.8, 2)
    meadow_ground(picture, line.astype(np.float32), rng)
    for place, sink, tall, _ in TREES:
        column = int(place * h)
        tree_shadow(picture, column, line[column] + sink * h, tall * h, rng)
    for place, sink, tall, tint in TREES:
        column = int(place * h)
        broad_tree(picture, column, line[column] + sink * h, tall * h, tint, rng)
    picture = develop(shrink(picture, 3), seeded("grain"), 0.010, 0.18, 0.2)
    return edited("trees_on_hill", picture, [(78, 294, 166, 136, 100, 30)])


def moss_on_wall() -> dict[str, Array]:
    """Draw the rubble wall from the other side; copy its moss, crudely, to where it is dry."""
    picture = stone_wall()["stone_wall.jpg"][:, ::-1].copy()
    return edited("moss_on_wall", picture, [(195, 75, 90, 120, 40, 300)])


TREES = [
    (1.22, 0.012, 0.17, "#6d9038"),
    (0.72, 0.015, 0.24, "#7c9a35"),
    (0.99, 0.035, 0.42, "#6f9434"),
    (1.38, 0.06, 0.30, "#86a03a"),
]
