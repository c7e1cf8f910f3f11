"""Scenes for the generation task: structure that repeats at several scales."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

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
    profile,
    ramp,
    rgb,
    seeded,
    shrink,
    slopes,
    smoothstep,
    warp,
)

SUNSET = [
    (0.0, "#2c3e6e"),
    (0.2, "#5a5f97"),
    (0.42, "#b67f9c"),
    (0.6, "#f0a07e"),
    (0.75, "#ffca85"),
    (1.0, "#ffe9b4"),
]
RIDGES = ["#e9a487", "#d18c88", "#b0758a", "#8a5f86", "#66497a", "#463764", "#2b264b", "#171a33"]


def sunset_sky(h: int, w: int, sun: tuple[float, float], rng: np.random.Generator) -> Array:
    """Paint a sky that glows around the ``sun`` (y, x), with streaks of lit cloud."""
    y, x = grid(h, w)
    away = np.hypot((y - sun[0]) * 1.25, (x - sun[1]) * 0.75)
    sky = ramp(y / sun[0] * 0.72 + 0.25 * np.exp(-away * 2.2), SUNSET)
    cloud = fbm(h, w, rng, 1.7, (3.2, 0.75))
    cloud = warp(cloud, 18 * fbm(h, w, rng, 2.0), 30 * fbm(h, w, rng, 2.0))
    cover = smoothstep(0.15, 1.7, cloud) * smoothstep(1.02 * sun[0], 0.35 * sun[0], y)
    edge = np.clip(warp(blur(cloud, 2), 7, 0) - cloud, -1, 1)
    lit = ramp(np.clip(1 - away * 1.1 - 0.55 * edge, 0, 1), [
        (0.0, "#56538a"), (0.35, "#a86f95"), (0.6, "#f4907c"), (0.8, "#ffc487"), (1.0, "#fff2c8")
    ])  # fmt: skip
    over(sky, lit, 0.85 * cover)
    glow = np.exp(-((away / 0.11) ** 2)) * 0.45 + np.exp(-away * 5) * 0.4
    sky = 1 - (1 - sky) * (1 - glow[..., None] * rgb("#ffe0a0"))
    over(sky, "#fffbe6", smoothstep(0.034, 0.030, np.hypot(y - sun[0], x - sun[1])))
    return np.asarray(sky, np.float32)


def ridges_at_sunset() -> dict[str, Array]:
    """Draw mountain ridges, one behind the other, that sink into glowing haze."""
    h, w = 1080, 1620
    rng = seeded("ridges_at_sunset")
    sun = (0.37, 0.93)
    picture = sunset_sky(h, w, sun, rng)
    _, x = grid(h, w)
    near_sun = np.exp(-(((x - sun[1]) / 0.45) ** 2))
    for number, color in enumerate(RIDGES):
        t = number / (len(RIDGES) - 1)
        line = h * (0.43 + 0.47 * t**1.15) - h * (0.032 + 0.042 * t) * (
            profile(w, rng, 1.5 + 0.15 * t, 1.5 - 0.6 * t) + 0.15
        )
        line += h * 0.05 * t * np.cos(np.linspace(-2, 2, w) * 1.3 + number * 2.4)
        below = np.arange(h)[:, None] - line[None, :].astype(np.float32)
        mask = smoothstep(-0.8, 0.8, below)
        if number >= 3:
            size = (h * 0.012 * (number - 1.6), h * 0.023 * (number - 1.6))
            trees = plants.forest_edge(line, rng, 260 - 24 * number, size, h * 0.05)
            mask = np.maximum(mask, plants.firs(h, w, trees, rng))
        body = ridge_body(below, near_sun, color, t, rng)
        over(picture, body, mask)
        if number >= 5:
            slope_trees(picture, line, (color, RIDGES[number - 1]), size, rng)
    return {"ridges_at_sunset.jpg": develop(shrink(picture, 3), seeded("grain"), 0.011, 0.22, 0.25)}


def slope_trees(
    picture: Array,
    line: Array,
    colors: tuple[str, str],
    size: tuple[float, float],
    rng: np.random.Generator,
) -> None:
    """Cover the slope below ``line`` with rows of firs, mist between the rows, in place."""
    h, w = picture.shape[:2]
    for row in range(1, 6):
        foot = line + h * 0.030 * row + 0.008 * h * profile(w, rng, 1.8, 2)
        trees = plants.firs(h, w, plants.forest_edge(foot, rng, 150, size, h * 0.02), rng)
        below = np.arange(h, dtype=np.float32)[:, None] - foot[None, :]
        tint = mix(colors[0], colors[1], 0.30 + 0.25 * float(rng.uniform()) - 0.05 * row)
        over(picture, tint, trees * smoothstep(h * 0.035, -h * 0.02, below))


def ridge_body(
    below: Array, near_sun: Array, color: str, t: float, rng: np.random.Generator
) -> Array:
    """Paint one ridge: its gullies, and the mist that thickens ``below`` its crest."""
    h, w = below.shape
    gullies = fbm(h, w, rng, 1.35, (0.55, 1.1), coarsest=5)
    gullies = warp(gullies, 0 * below, 0.35 * below)
    body = rgb(color) * (
        1 + (0.03 + 0.05 * t) * gullies[..., None] * smoothstep(0, 60, below)[..., None]
    )
    haze = mix(mix("#c08496", "#5d4a80", t**2), "#ffbe86", near_sun * (1 - 0.9 * t))
    wisps = 0.5 + 0.22 * fbm(h, w, rng, 1.9, (4.0, 0.8))
    thick = smoothstep(0, h * (0.08 + 0.11 * t), below) * np.clip(wisps + 0.25, 0, 1)
    body = mix(body, haze, thick * (0.95 - 0.70 * t))
    rim = np.exp(-np.maximum(below, 0) / 9) * near_sun * (1 - t) * 0.5
    return mix(body, "#ffd9a0", rim)


STONES = ["#9c9080", "#8a8076", "#b3a288", "#7c7b7a", "#a58f72", "#c2b497", "#6f6c6c", "#94877c"]


def masonry(h: int, w: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the stone that owns each pixel, and the pixel's distance to the joint."""
    rows, columns = 9, 9
    seeds = []
    for row in range(-1, rows + 1):
        shift = rng.uniform(0, 1)
        for column in range(-1, columns + 1):
            jitter = rng.uniform(-0.33, 0.33, 2)
            seeds.append(
                ((row + 0.5 + 0.8 * jitter[0]) / rows, (column + shift + jitter[1]) / columns)
            )
    points = np.array(seeds) * (h, w) * (1.0, 0.72)
    weight = rng.uniform(0, 1, len(points)) ** 2 * (0.34 * h / rows) ** 2 * 2.2
    wobble = h * 0.006
    y, x = np.mgrid[:h, :w].astype(np.float32)
    y = y + wobble * fbm(h, w, rng, 1.6, coarsest=4)
    x = (x + wobble * fbm(h, w, rng, 1.6, coarsest=4)) * 0.72
    tree = cKDTree(points)
    distance, owner = tree.query(np.stack([y, x], -1).reshape(-1, 2), k=6)
    power = distance**2 - weight[owner]
    order = np.argsort(power, axis=1)[:, :2]
    first = np.take_along_axis(owner, order, 1)
    gap = np.diff(np.take_along_axis(power, order, 1), axis=1)[:, 0]
    apart = np.linalg.norm(points[first[:, 0]] - points[first[:, 1]], axis=1)
    edge = gap / (2 * apart)
    return first[:, 0].reshape(h, w), edge.reshape(h, w).astype(np.float32)


def stone_wall() -> dict[str, Array]:
    """Draw an old wall of rubble stone in raking light, with mortar, lichen and moss."""
    h, w = 1080, 1440
    rng = seeded("stone_wall")
    owner, edge = masonry(h, w, rng)
    stones = int(owner.max()) + 1
    rough = fbm(h, w, rng, 1.7, coarsest=6)
    pits = smoothstep(1.3, 2.4, fbm(h, w, rng, 0.9, coarsest=40))
    tilt = rng.normal(0, 0.10, (stones, 2))
    y, x = np.mgrid[:h, :w].astype(np.float32)
    counts = np.maximum(np.bincount(owner.ravel(), minlength=stones), 1)
    middle = np.stack([np.bincount(owner.ravel(), v.ravel(), stones) / counts for v in (y, x)], -1)
    lean = tilt[owner, 0] * (y - middle[owner, 0]) + tilt[owner, 1] * (x - middle[owner, 1])
    raised = smoothstep(3, 30, edge + 3.0 * rough)
    relief = raised * (26 + 8 * rng.normal(0, 1, stones)[owner] + 1.0 * lean)
    relief += raised * (5 * rough + 1.6 * fbm(h, w, rng, 1.3, (1.8, 0.7), coarsest=14)) - 2.5 * pits
    relief += (1 - raised) * 1.5 * fbm(h, w, rng, 0.7, coarsest=30)
    relief = blur(relief.astype(np.float32), 1.0)
    light = lambert(relief * 0.55, (-0.62, -0.62, 0.55))
    shadow = cast_shadows(relief, (-3.0, -3.0), 2.6, 14)
    crevice = smoothstep(-16, 6, relief - blur(relief, 14))
    color = stone_color(owner, edge, raised, rng)
    color = grow_moss(color, relief, raised, rng)
    sun = (light * (0.25 + 0.75 * shadow))[..., None] * rgb("#fff0d2") * 1.45
    sky = (0.5 * crevice)[..., None] * rgb("#b8c8e6")
    patch = 1 + 0.10 * fbm(h, w, rng, 2.2)[..., None]
    picture = color * (sun + sky) * patch * (0.5 + 0.5 * crevice)[..., None]
    return {"stone_wall.jpg": develop(shrink(picture, 3), seeded("grain"), 0.012, 0.22, 0.35)}


def stone_color(owner: Array, edge: Array, raised: Array, rng: np.random.Generator) -> Array:
    """Color stones and mortar: a tint per stone, veins, stains and pale lichen."""
    h, w = owner.shape
    palette = np.stack([rgb(color) for color in STONES])
    count = int(owner.max()) + 1
    tint = palette[rng.integers(0, len(palette), count)] * rng.uniform(0.82, 1.15, (count, 1))
    color = tint[owner].astype(np.float32)
    color *= (1 + 0.09 * fbm(h, w, rng, 1.1, (2.2, 0.8), coarsest=5))[..., None]
    over(color, "#a87b4c", 0.35 * smoothstep(0.8, 2.2, fbm(h, w, rng, 1.7, coarsest=3)))
    lichen = fbm(h, w, rng, 1.2, coarsest=9)
    over(color, "#d9d6bd", 0.7 * smoothstep(1.55, 2.0, lichen) * raised)
    over(
        color,
        "#d3a93f",
        0.75 * smoothstep(2.0, 2.3, warp(lichen, 90 + 0 * edge, 40 + 0 * edge)) * raised,
    )
    mortar = mix("#8d8371", "#b3a58c", smoothstep(-1.5, 1.5, fbm(h, w, rng, 0.8, coarsest=8)))
    return mix(mortar, color, raised)


def grow_moss(color: Array, relief: Array, raised: Array, rng: np.random.Generator) -> Array:
    """Grow moss in the joints and on ledges, thicker toward the foot; bumps go to ``relief``."""
    h, w = relief.shape
    y, _ = grid(h, w)
    damp = fbm(h, w, rng, 1.9, coarsest=1) * 0.8 + (y - 0.75) * 1.7
    dy, _ = slopes(blur(relief, 3))
    place = (
        damp
        + 1.3 * (1 - raised)
        + 2.2 * np.clip(dy, 0, 0.6)
        + 0.45 * fbm(h, w, rng, 1.1, coarsest=20)
    )
    moss = smoothstep(0.9, 1.8, place)
    tufts = fbm(h, w, rng, 0.8, coarsest=45)
    green = ramp(0.5 + 0.2 * tufts, [(0.0, "#2c3319"), (0.5, "#5a6636"), (1.0, "#9aa05a")])
    return mix(color, green, moss)


LITTER = ["#8a4f1d", "#b36a22", "#d68f35", "#5b3415", "#e8b45a", "#6b6a2a"]
AUTUMN = ["#f7c948", "#f2a92c", "#e5851f", "#d8651a", "#ffe08a", "#c9b23c", "#9aa33a", "#b9481c"]


def birch_forest() -> dict[str, Array]:
    """Draw a birch wood in autumn: pale trunks in golden leaves, light from the back."""
    h, w = 1080, 1500
    rng = seeded("birch_forest")
    y, x = grid(h, w)
    glow = np.exp(-(((x - 0.86) / 0.55) ** 2) - ((y - 0.36) / 0.42) ** 2)
    picture = mix(ramp(y, [(0, "#b9a552"), (0.4, "#d9bd6c"), (0.62, "#c79a4a"), (1, "#6d4a22")]),
                  "#fff3c9", 0.85 * glow)  # fmt: skip
    picture = picture * (1 + 0.07 * fbm(h, w, rng, 1.5, coarsest=3)[..., None])
    layers = 5
    for layer in range(layers):
        t = layer / (layers - 1)
        litter(picture, h * (0.60 + 0.05 * layer), t, rng)
        haze_color, haze = "#f3dc9a", 0.78 * (1 - t) ** 1.1
        trunks = [26, 18, 11, 7, 4][layer]
        xs = (np.arange(trunks) + rng.uniform(0.1, 0.9, trunks)) / trunks * w
        for place in rng.permutation(xs):
            base = h * (0.64 + 0.30 * t**1.4) + rng.normal(0, 6)
            radius = h * (0.006 + 0.026 * t**1.5) * rng.uniform(0.75, 1.2)
            shade(picture, place, base, radius, 0.55 * t)
            plants.birch(picture, place, base, radius, (haze_color, haze), rng)
            tufts(picture, place, base, radius, t, rng)
        crown(picture, t, haze, glow, rng)
        picture = mix(picture, "#fff0c4", 0.20 * (1 - t) * glow)
    picture = 1 - (1 - np.clip(picture, 0, 1)) * (
        1 - light_shafts(h, w, rng)[..., None] * rgb("#ffdf9a")
    )
    return {"birch_forest.jpg": develop(shrink(picture, 3), seeded("grain"), 0.012, 0.3, 0.3)}


def crown(picture: Array, t: float, haze: float, glow: Array, rng: np.random.Generator) -> None:
    """Hang clusters of autumn leaves in the upper half, brighter where the light comes through."""
    h, w = picture.shape[:2]
    palette = np.stack([rgb(color) for color in AUTUMN])
    count = int(5200 - 1500 * t)
    field = fbm(h, w, rng, 1.5, coarsest=2)
    spots = rng.uniform((0, -0.05 * h), (w, 0.66 * h), (count * 5, 2))
    inside = spots.astype(int).clip(0, (w - 1, h - 1))
    level = field[inside[:, 1], inside[:, 0]] - 2.6 * spots[:, 1] / h + 0.15
    spots = spots[level > rng.uniform(-0.2, 0.5, len(spots))][:count]
    inside = spots.astype(int).clip(0, (w - 1, h - 1))
    tint = palette[
        rng.choice(len(palette), len(spots), p=[0.2, 0.18, 0.14, 0.1, 0.12, 0.12, 0.1, 0.04])
    ]
    light = 0.50 + 0.35 * rng.uniform(0, 1, len(spots)) + 0.55 * glow[inside[:, 1], inside[:, 0]]
    tint = mix(tint * light[:, None], "#f6df9c", 0.8 * haze)
    sizes = h * (0.0028 + 0.0062 * t) * rng.uniform(0.6, 1.3, len(spots))
    plants.leaves(picture, spots, sizes, tint, rng, 0.55)


def litter(picture: Array, top: float, t: float, rng: np.random.Generator) -> None:
    """Cover the ground below ``top`` with fallen leaves, smaller far away."""
    h, w = picture.shape[:2]
    palette = np.stack([rgb(color) for color in LITTER])
    count = int(6500 - 2000 * t)
    depth = rng.uniform(0, 1, count) ** 1.3
    ys = np.sort(top + depth * (h * 1.03 - top) + rng.normal(0, 4, count))
    spots = np.stack([rng.uniform(0, w, count), ys], -1)
    near = np.clip((ys / h - 0.58) / 0.42, 0, 1)
    dapple = (
        0.62
        + 0.3
        * fbm(h, w, rng, 1.7, (2.5, 1.0), 2)[
            ys.astype(int).clip(0, h - 1), spots[:, 0].astype(int).clip(0, w - 1)
        ]
    )
    tint = palette[rng.integers(0, len(palette), count)] * dapple[:, None].clip(0.25, 1.35)
    tint = mix(tint, "#f0d08a", 0.75 * (1 - near) ** 1.5)
    sizes = h * (0.002 + 0.0095 * near) * rng.uniform(0.6, 1.2, count)
    plants.leaves(picture, spots, sizes, tint, rng, 0.34)


def shade(picture: Array, x: float, base: float, radius: float, amount: float) -> None:
    """Lay a trunk's soft shadow on the ground, falling toward the viewer, in place."""
    h, w = picture.shape[:2]
    rows, columns = np.mgrid[int(base - radius) : h, :w].astype(np.float32)
    down = rows - base
    across = np.abs(columns - x + 0.9 * down) / (radius * (1 + 0.004 * np.maximum(down, 0)))
    dark = smoothstep(1.5, 0.5, across) * smoothstep(-radius, 0, down) * amount
    picture[int(base - radius) :] *= (1 - dark)[..., None]


def tufts(
    picture: Array, x: float, base: float, radius: float, t: float, rng: np.random.Generator
) -> None:
    """Heap leaves against the foot of a trunk, in place."""
    count = 90
    spots = np.stack(
        [rng.normal(x, radius * 1.1, count), base + rng.normal(0, radius * 0.22, count)], -1
    )
    tint = np.stack([rgb(color) for color in LITTER])[rng.integers(0, len(LITTER), count)]
    tint = mix(tint * rng.uniform(0.5, 1.0, (count, 1)), "#f0d08a", 0.75 * (1 - t) ** 1.5)
    plants.leaves(picture, spots, radius * rng.uniform(0.12, 0.26, count), tint, rng, 0.4)


def light_shafts(h: int, w: int, rng: np.random.Generator) -> Array:
    """Return slanting beams of light."""
    y, x = grid(h, w)
    across = (x - 1.05) * 0.9 + (y + 0.2) * 0.55
    beams = np.interp(across, np.linspace(-1.5, 1.5, 600), 0.5 + 0.5 * profile(600, rng, 0.9, 8))
    return np.asarray(0.16 * np.clip(beams, 0, 1.4) * smoothstep(0.95, 0.1, y), np.float32)
