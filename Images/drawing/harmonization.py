"""Sets for the harmonization task: a painting, and a photographed thing pasted into it."""

from __future__ import annotations

import numpy as np

from . import objects, plants, village
from .canvas import (
    Array,
    blur,
    fbm,
    grid,
    mix,
    over,
    profile,
    ramp,
    rgb,
    seeded,
    shrink,
    smoothstep,
)
from .painting import Brush, flow_along, follow_edges, paint

NIGHT = [
    "#0b1a4a",
    "#16307a",
    "#2a56a8",
    "#4d86c6",
    "#8fbcd8",
    "#d9e2c8",
    "#f6d65a",
    "#f2a93b",
    "#0d1226",
    "#24402f",
]


def pasted(
    name: str, painting: Array, cutout: objects.Cutout, place: tuple[int, int], mask: bool = True
) -> dict[str, Array]:
    """Return a painting, the same with ``cutout`` at ``place`` (top, left), and the mask."""
    color, alpha = cutout
    naive, area = painting.copy(), np.zeros(painting.shape[:2], np.float32)
    where = np.s_[place[0] : place[0] + alpha.shape[0], place[1] : place[1] + alpha.shape[1]]
    over(naive[where], color, alpha)
    area[where] = alpha
    files = {f"{name}.jpg": painting, f"{name}_naive.jpg": naive}
    if mask:
        files[f"{name}_naive_mask.png"] = area
    return files


def starry_village() -> dict[str, Array]:
    """Paint a village under a swirling sky with thick short strokes; paste a balloon in."""
    h, w = 800, 1200
    rng = seeded("starry_village")
    scene, stream = village.swirling_sky(h, w, rng)
    flow = follow_edges(scene, flow_along(village.settle(scene, stream, rng)))
    brushes = [
        Brush(60, 16, 2.5, 0.10, 0.05),
        Brush(38, 9, 2.6, 0.10, 0.08, load=1.2),
        Brush(24, 6, 2.4, 0.08, 0.07, careful=0.4, load=1.2),
        Brush(14, 4.5, 2.4, 0.08, 0.04, careful=0.8),
    ]
    painting = shrink(paint(scene, flow, brushes, rng, NIGHT, "#8a7440"), 2)
    return pasted("starry_village", painting, objects.balloon(116), (62, 262))


HARBOR = [
    "#6f8aa0",
    "#93a8b3",
    "#b7bdb8",
    "#4d6a82",
    "#e9a06a",
    "#f3c08c",
    "#d9673a",
    "#33495c",
    "#d8cfc0",
    "#8f8fa6",
]


def harbor_scene(h: int, w: int, rng: np.random.Generator) -> Array:
    """Draw a misty harbor at sunrise: sky, far quay with masts and cranes, water, boats."""
    y, x = grid(h, w)
    shore = 0.44
    away = np.hypot((y - 0.25) * 1.1, x - 0.92)
    sky = ramp(y / shore, [(0, "#7f93a8"), (0.45, "#a9b0b4"), (0.8, "#dba98a"), (1, "#b9a6a4")])
    over(sky, "#f2b27c", 0.75 * np.exp(-((away / 0.26) ** 2)))
    cloud = fbm(h, w, rng, 1.8, (2.5, 1.0))
    over(
        sky,
        mix("#8093a9", "#f0b98c", smoothstep(0.8, 0.1, away)),
        0.6 * smoothstep(0.2, 1.6, cloud),
    )
    picture = sky
    quay = shore - 0.02 - 0.035 * np.clip(profile(w, rng, 1.1, 3), -0.8, 2)[None, :]
    over(
        picture,
        mix("#57708a", "#a9745f", np.exp(-((x - 0.92) ** 2) / 0.06)),
        0.9 * smoothstep(-0.01, 0.012, y - quay),
    )
    for _ in range(26):
        mx, top = rng.uniform(0, 1.5), shore - rng.uniform(0.06, 0.26)
        tilt, color = rng.normal(0, 0.02), str(rng.choice(["#3f5872", "#4d647a", "#5f7286"]))
        mast = (
            smoothstep(0.005, 0.003, np.abs(x - mx - tilt * (shore - y))) * (y > top) * (y < shore)
        )
        over(picture, color, 0.9 * mast)
    over(picture, "#e8541f", smoothstep(0.042, 0.038, away))
    water = picture[np.clip((2 * shore * h - np.arange(h)).astype(int), 0, h - 1)]
    water = mix(blur(water, 5), "#5d7d92", 0.35 + 0.4 * smoothstep(shore, 1, y))
    ripple = fbm(h, w, rng, 1.5, (7.0, 0.8), coarsest=5)
    water = mix(water, "#3c5a72", 0.55 * smoothstep(0.3, 1.6, ripple))
    water = mix(water, "#c5c6bd", 0.45 * smoothstep(0.7, 1.8, -ripple))
    trail = np.exp(-(((x - 0.92 - 0.02 * ripple) / (0.022 + 0.07 * np.clip(y - shore, 0, 1))) ** 2))
    dashes = smoothstep(-0.2, 0.5, np.sin(np.clip(y - shore, 0, 1) ** 0.8 * 150) + 0.5 * ripple)
    water = mix(water, "#f0793a", 0.9 * trail * dashes)
    over(picture, water, smoothstep(shore - 0.002, shore + 0.002, y))
    for cx, cy, size in ((0.40, 0.78, 0.17), (0.70, 0.60, 0.085), (0.98, 0.535, 0.045)):
        boat(picture, cx, cy, size)
    return picture


def boat(picture: Array, cx: float, cy: float, size: float) -> None:
    """Paint a dark rowing boat with two people and its reflection, in place."""
    h, w = picture.shape[:2]
    y, x = grid(h, w)
    u = (x - cx) / size
    hull = smoothstep(0.0, 0.04, (y - cy) / size + 0.10 - 0.16 * u * u) * smoothstep(
        0.26, 0.22, (y - cy) / size + 0.22 * u * u
    )
    dark = mix("#22384c", "#45617a", smoothstep(1.0, -1.0, u) * 0.6)
    mirror = (
        smoothstep(0.2, 0.3, (y - cy) / size)
        * smoothstep(0.85, 0.2, (y - cy) / size)
        * smoothstep(0.9, 0.5, np.abs(u))
    )
    over(picture, "#2f4a60", 0.65 * mirror)
    over(picture, dark, hull * (np.abs(u) < 1.05))
    for side, tall in ((-0.35, 0.55), (0.25, 0.42)):
        body = np.hypot((u - side) / 0.13, ((y - cy) / size + tall * 0.5) / (0.5 * tall))
        over(picture, "#1f3040", smoothstep(1.05, 0.95, body))
        head = np.hypot(u - side, (y - cy) / size + tall * 1.08) / 0.085
        over(picture, "#2c3a48", smoothstep(1.1, 0.9, head))
    oar = np.abs((y - cy) / size - 0.1 - 0.45 * (u - 0.3)) < 0.025
    over(picture, "#2a3d4f", (oar & (u > 0.3) & (u < 1.15)).astype(np.float32))


def misty_harbor() -> dict[str, Array]:
    """Paint a harbor at sunrise with loose strokes; paste a lighthouse in."""
    h, w = 800, 1120
    rng = seeded("misty_harbor")
    scene = harbor_scene(h, w, rng)
    y, x = grid(h, w)
    shore = 0.44
    sky_field = y + 0.45 * x * smoothstep(0.40, 0.1, y) + 0.05 * fbm(h, w, rng, 2.6)
    water_field = y + 0.006 * np.sin(x * 40 + 12 * np.sqrt(np.clip(y - shore, 0, 1)) * 20)
    field = np.where(y < shore, sky_field, water_field).astype(np.float32)
    brushes = [
        Brush(74, 22, 2.5, 0.22, 0.035),
        Brush(48, 11, 2.2, 0.16, 0.06),
        Brush(30, 7, 2.4, 0.10, 0.05, careful=0.35, load=1.2),
        Brush(16, 4.5, 2.6, 0.08, 0.04, careful=0.5, load=1.1),
        Brush(10, 4, 2.6, 0.08, 0.03, careful=0.8),
    ]
    flow = follow_edges(scene, flow_along(field))
    painting = shrink(paint(scene, flow, brushes, rng, HARBOR, "#8f8678"), 2)
    return pasted("misty_harbor", painting, objects.lighthouse(118), (88, 92))


MEADOW = [
    "#2f6b3a",
    "#5c9a3e",
    "#9cc24a",
    "#d8da66",
    "#2b4f8a",
    "#6ea4d6",
    "#bfe0f0",
    "#d93a2b",
    "#f08a2c",
    "#f6d84e",
    "#e6e2f0",
    "#7a4c9a",
]


def meadow_scene(h: int, w: int, rng: np.random.Generator) -> Array:
    """Draw a summer meadow with poppies below poplars and white clouds."""
    y, x = grid(h, w)
    picture = ramp(y, [(0, "#4f94d6"), (0.25, "#8cc4e8"), (0.42, "#dcecdc"), (1, "#dcecdc")])
    cloud = fbm(h, w, rng, 1.9, (1.7, 1.0), coarsest=2)
    over(
        picture,
        ramp(y * 2 + 0.15 * cloud, [(0, "#ffffff"), (0.6, "#fbeedd"), (1, "#c8c4e0")]),
        smoothstep(0.3, 1.0, cloud) * (y < 0.4),
    )
    hills = 0.42 - 0.03 * profile(w, rng, 2.2)[None, :]
    over(
        picture,
        mix("#5f8fb0", "#7db08a", smoothstep(0.38, 0.46, y)),
        smoothstep(-0.003, 0.003, y - hills),
    )
    ground = 0.48 - 0.015 * np.sin(x * 3 + 0.6)
    light = 0.5 + 0.28 * fbm(h, w, rng, 1.8, (3.0, 0.8), coarsest=2)
    grass = ramp(
        light + 0.25 * (0.6 - y),
        [(0, "#27562f"), (0.4, "#5a9440"), (0.75, "#a9c850"), (1, "#e6dc78")],
    )
    over(picture, grass, smoothstep(-0.003, 0.003, y - ground))
    for tree in MEADOW_TREES:
        meadow_tree(picture, tree, rng)
    blossoms(picture, rng)
    return picture


# The trees of the meadow: where they stand, how tall and how wide they are.
MEADOW_TREES = (
    (0.10, 0.30, 0.055),
    (0.22, 0.36, 0.05),
    (0.33, 0.27, 0.05),
    (1.18, 0.24, 0.10),
    (1.33, 0.30, 0.12),
)


def meadow_tree(picture: Array, tree: tuple[float, float, float], rng: np.random.Generator) -> None:
    """Paint a tree (place, height, width) with its blue shadow, in place."""
    h, w = picture.shape[:2]
    y, x = grid(h, w)
    cx, tall, wide = tree
    crown = np.hypot((y - 0.52 + tall / 2) / (tall / 2), (x - cx) / wide)
    crown = crown + 0.16 * fbm(h, w, rng, 1.6, coarsest=6)
    shade = (x - cx) / wide + 0.5 * (y - 0.35) / tall + 0.4 * fbm(h, w, rng, 1.4, coarsest=8)
    leaf = mix("#1f4a35", "#8fb548", smoothstep(0.9, -0.9, shade))
    over(picture, leaf, smoothstep(1.02, 0.96, crown))
    shadow = np.hypot((y - 0.53) / 0.022, (x - cx - wide) / (2.2 * wide))
    over(picture, "#2c4a6a", 0.6 * smoothstep(1.1, 0.5, shadow) * (y > 0.515))


def blossoms(picture: Array, rng: np.random.Generator) -> None:
    """Strew poppies, daisies and cornflowers over the meadow, larger in front, in place."""
    h, w = picture.shape[:2]
    count = 2600
    depth = np.sort(rng.uniform(0, 1, count) ** 1.5)
    spots = np.stack([rng.uniform(0, w, count), h * (0.50 + 0.52 * depth)], -1)
    patch = fbm(h, w, rng, 1.8, (2.0, 0.8), coarsest=1)
    level = patch[spots[:, 1].astype(int).clip(0, h - 1), spots[:, 0].astype(int)]
    keep = level > rng.uniform(-1.2, 0.8, count)
    spots, depth, level = spots[keep], depth[keep], level[keep]
    colors = np.stack(
        [rgb(c) for c in ("#e0301e", "#f2542a", "#c81f2a", "#f8f4ea", "#f7d23c", "#4a5fc8")]
    )
    tint = colors[rng.choice(6, len(spots), p=[0.38, 0.2, 0.14, 0.12, 0.08, 0.08])]
    sizes = h * (0.003 + 0.013 * depth) * rng.uniform(0.7, 1.2, len(spots))
    plants.leaves(picture, spots, sizes, tint, rng, 0.75)


def poppy_meadow() -> dict[str, Array]:
    """Paint a summer meadow in dots of pure color; paste a cup of coffee in, without a mask."""
    h, w = 720, 1040
    rng = seeded("poppy_meadow")
    scene = meadow_scene(h, w, rng)
    flow = flow_along(fbm(h, w, rng, 2.4))
    brushes = [
        Brush(22, 20, 2.5, 0.5, 0.06),
        Brush(11, 10, 1.5, 0.8, 0.10, load=0.6),
        Brush(8.5, 8, 1.2, 0.8, 0.09, load=0.55),
        Brush(7, 6.5, 1.5, 0.8, 0.08, careful=1.0, load=0.55),
    ]
    painting = shrink(paint(scene, flow, brushes, rng, MEADOW, "#e8e0cc"), 2)
    return pasted("poppy_meadow", painting, objects.coffee_cup(98), (244, 212), mask=False)
