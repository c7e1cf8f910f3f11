"""Two lakes for the generation task: under northern lights, and below snowy mountains."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, signal

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
    sample,
    seeded,
    shrink,
    slopes,
    smoothstep,
    warp,
)
from .terrain import Camera, project, view


def ribbon_feet(h: int, w: int, rng: np.random.Generator) -> list[Array]:
    """Return where the feet of the aurora's ribbons shine: far ones low, near ones high."""
    steps, bands = 120_000, 4
    feet = [np.zeros((h, w), np.float32) for _ in range(bands)]
    t = np.linspace(0, 1, steps)
    for start, turns, low, strength in ((0.5, 1.55, 0.62, 1.0), (3.6, 1.1, 0.44, 0.7)):
        swing = np.sin(start + 2 * np.pi * turns * t) * (0.45 + 0.55 * t)
        xs = w * (0.50 + 0.74 * swing + 0.05 * (0.3 + t) * profile(steps, rng, 2.2, 3))
        ys = h * (low - 0.50 * t**1.1 + 0.034 * (0.3 + t) * profile(steps, rng, 2.3, 3))
        rays = np.exp(0.45 * profile(steps, rng, 1.0, 30) + 0.6 * profile(steps, rng, 1.9, 3))
        rays *= smoothstep(0, 0.08, t) * smoothstep(1.0, 0.75, t)
        rays *= np.abs(np.gradient(xs)) ** 0.75
        rays *= strength / rays.mean()
        inside = (xs >= 0) & (xs < w) & (ys >= 0) & (ys < h)
        for band in range(bands):
            here = inside & ((t * bands).astype(int).clip(0, bands - 1) == band)
            where = (ys[here].astype(int), xs[here].astype(int))
            np.add.at(feet[band], where, rays[here].astype(np.float32))
    return feet


def aurora_curtains(h: int, w: int, rng: np.random.Generator) -> Array:
    """Return the light of folded curtains: smear the rays up from their feet, green to violet."""
    light = np.zeros((h, w, 3), np.float32)
    y, x = np.mgrid[:h, :w].astype(np.float32)
    spread = 1 + 0.16 * (y / h - 0.6)
    x = w / 2 + (x - w / 2) / spread
    for band, feet in enumerate(ribbon_feet(h, w, rng)):
        size = 0.55 + 0.32 * band
        flipped = ndimage.gaussian_filter(feet, (1.5 + 1.5 * band, 1.0 + 0.3 * band))[::-1]
        for color, length, gain in (
            ("#3dff93", 0.050, 1.0),
            ("#22b8a0", 0.085, 0.5),
            ("#8d4dff", 0.12, 0.34),
        ):
            fade = np.exp(-1 / (length * size * h))
            smear = signal.lfilter([1 - fade], [1, -fade], flipped, axis=0)
            if gain < 1:
                smear = signal.lfilter([1 - fade], [1, -fade], smear, axis=0)
            light += gain * smear[::-1, :, None] * rgb(color) ** 1.6 * (length * size)
    light = sample(light, y, x, mode="nearest")
    return light / np.percentile(light, 99.3)


def stars(h: int, w: int, rng: np.random.Generator, count: int) -> Array:
    """Return a field of stars, most faint, a few bright, along a faint band of milk."""
    y, x = grid(h, w)
    field = np.zeros((h, w, 3), np.float32)
    rows, columns = rng.integers(0, h, count), rng.integers(0, w, count)
    tints = mix("#ffd9b0", "#b9d2ff", rng.uniform(0, 1, count))
    field[rows, columns] = (rng.pareto(1.5, count).clip(0, 25) * 0.55)[:, None] * tints
    soft = blur(field, 1.3) * 7 + blur(field, 6) * 2.5
    band = np.exp(-(((x * 0.75 + y - 0.78) / 0.16) ** 2)) * np.clip(
        1 + 0.55 * fbm(h, w, rng, 1.5), 0, 3
    )
    milk = 0.028 * band[..., None] * rgb("#aab8e8")
    return np.asarray(soft + milk, np.float32)


def aurora() -> dict[str, Array]:
    """Draw northern lights over a lake, with mountains, firs and stars."""
    h, w = 1200, 1600
    rng = seeded("aurora")
    shore = 0.735
    y, _ = grid(h, w)
    sky = ramp(y / shore, [(0, "#040816"), (0.5, "#0a1730"), (0.85, "#123046"), (1, "#1d4b55")])
    light = ndimage.zoom(aurora_curtains(h // 2, w // 2, rng), (2, 2, 1), order=1)
    veil = blur(light, 60)
    sky = sky + stars(h, w, rng, 2600) * 0.8
    sky = 1 - np.exp(-(sky * 1.05 + 1.15 * light + 0.55 * veil))
    picture = sky.astype(np.float32)
    line = h * (shore - 0.075) - h * 0.045 * profile(w, rng, 1.6, 1.2)
    below = (np.arange(h)[:, None] - line[None, :]).astype(np.float32)
    over(picture, night_peaks(below, rng), smoothstep(-1, 1, below))
    banks = h * (shore - 0.012) - h * 0.012 * profile(w, rng, 1.9)
    for far in (0, 1):
        tall = (h * (0.045 + 0.03 * far), h * (0.09 + 0.05 * far))
        trees = plants.firs(
            h, w, plants.forest_edge(banks + 6 * far, rng, 190 - 80 * far, tall, 14), rng
        )
        trees = np.maximum(
            trees, smoothstep(-1, 1, np.arange(h)[:, None] - banks[None, :] - 8 * far)
        )
        over(picture, ["#0d2226", "#050d12"][far], trees)
    picture = lake_mirror(picture, int(h * shore), rng)
    near = plants.firs(h, w, [(h * a, h * 1.03, h * b) for a, b in FRAME_TREES], rng)
    over(picture, "#02060a", near)
    return {"aurora.jpg": develop(shrink(picture, 3), seeded("grain"), 0.010, 0.15, 0.15)}


FRAME_TREES = [(0.02, 0.62), (0.11, 0.40), (0.19, 0.24), (1.30, 0.52), (1.22, 0.31), (1.13, 0.17)]


def night_peaks(below: Array, rng: np.random.Generator) -> Array:
    """Paint far snowy mountains by the green light from above."""
    h, w = below.shape
    relief = fbm(h, w, rng, 1.5, (0.8, 1.0), coarsest=4) * 14
    shade = lambert(relief, (-0.6, -0.5, 0.5))
    snow = smoothstep(90, 10, below + 30 * fbm(h, w, rng, 1.4, coarsest=6))
    return mix("#0c1f2b", "#5fa697", shade * snow * 0.8)


def lake_mirror(picture: Array, shore: int, rng: np.random.Generator) -> Array:
    """Mirror everything above the ``shore`` row in dark water with fine ripples."""
    h, w = picture.shape[:2]
    rows = np.arange(h - shore, dtype=np.float32)[:, None]
    ripple = fbm(h - shore, w, rng, 1.1, (9.0, 0.7), coarsest=4)
    source_y = shore - 1 - rows * 1.05 + ripple * (1.5 + rows * 0.06)
    from_y = np.clip(source_y, 0, shore - 1)
    x = np.broadcast_to(np.arange(w, dtype=np.float32), from_y.shape) + ripple * (
        0.6 + rows * 0.012
    )
    mirrored = np.stack(
        [
            ndimage.map_coordinates(
                blur(picture[..., c], 1.5), [from_y, x], order=1, mode="nearest"
            )
            for c in range(3)
        ],
        -1,
    )
    depth = rows / len(rows)
    water = mix(mirrored * 0.95, "#04121c", 0.03 + 0.25 * depth + 0 * mirrored[..., 0])
    water += (0.05 * np.exp(-rows / 7))[..., None] * rgb("#6fd9b8")
    out = picture.copy()
    out[shore:] = water
    return out


def alpine_heights(rng: np.random.Generator, size: int = 1024) -> Array:
    """Return a tileable map of sharp ridges and eroded flanks, in [0, 1]."""
    base = fbm(size, size, rng, 2.0)
    ridged = np.zeros((size, size), np.float32)
    gain, weight = 1.0, np.ones((size, size), np.float32)
    for coarsest in (2, 4, 8, 16, 32, 64):
        octave = 1 - np.abs(np.clip(fbm(size, size, rng, 2.6, coarsest=coarsest) * 0.7, -1, 1))
        octave = octave * octave * weight
        ridged += gain * octave
        weight = np.clip(octave * 1.6, 0, 1)
        gain *= 0.44
    ridged = (ridged - ridged.min()) / (ridged.max() - ridged.min())
    return np.asarray(np.clip(ridged * 0.8 + 0.06 * base, 0, None), np.float32)


def alpine_lake() -> dict[str, Array]:
    """Draw snowy mountains in morning light behind a still lake, through a perspective camera."""
    h, w = 960, 1440
    rng = seeded("alpine_lake")
    horizon = 0.62 * h
    camera = Camera(h, w, 1.3 * w, horizon, altitude=0.05, near=2.2, far=26, steps=1100)
    z, x = camera.ground()
    terrain = alpine_heights(rng)
    scale = 1024 / 30.0
    shore = z + 0.35 * np.abs(x + 0.4)
    rough = project(terrain, z + 3.0, x + 41.0, scale)
    heights = smoothstep(5.4, 12.0, shore) * 3.6 * rough**1.15 - 0.03
    heights += 0.10 * smoothstep(4.8, 5.8, shore + 0.3 * rough)
    screen = view(camera, heights.astype(np.float32))
    land = alpine_ground(terrain, heights, (z, x), scale, rng)
    sky = alpine_sky(h, w, horizon, rng)
    picture = mix(sky, screen.look(land), screen.hit)
    water_top = int(horizon + camera.focal * camera.altitude / 5.15)
    picture = alpine_water(picture, water_top, rng)
    return {"alpine_lake.jpg": develop(shrink(picture, 3), seeded("grain"), 0.010, 0.2, 0.3)}


def alpine_ground(
    terrain: Array,
    heights: Array,
    place: tuple[Array, Array],
    scale: float,
    rng: np.random.Generator,
) -> Array:
    """Color the (depth, column) ground: snow, rock, forest, sun from the left, blue distance."""
    z, x = place
    relief = terrain * 3.6 * scale
    sun = lambert(relief, (-0.8, -0.35, 0.5))
    lit = cast_shadows(relief, (-1.0, -2.4), 1.5, 60)
    light = project(sun * lit, z + 3.0, x + 41.0, scale)[..., None]
    dy, dx = slopes(relief)
    steep = project(np.hypot(dy, dx).astype(np.float32), z + 3.0, x + 41.0, scale)
    detail = project(fbm(1024, 1024, rng, 1.0, coarsest=12), z, x, 1024 / 6.0)
    rock = mix("#4d4a4c", "#837a72", smoothstep(-1.5, 1.5, detail))
    gentle, sheer = np.percentile(steep[heights > 0.6], (45, 80))
    snow = smoothstep(0.55, 0.95, heights + 0.10 * detail)
    snow *= smoothstep(float(sheer), float(gentle), steep + 0.10 * float(sheer) * detail)
    albedo = mix(rock, "#f6f8ff", snow)
    wood = smoothstep(0.50, 0.30, heights + 0.12 * detail)
    trees = project(fbm(1024, 1024, rng, 0.5, coarsest=60), z * 1.0, x, 1024 / 2.2)
    albedo = mix(albedo, mix("#16291d", "#4d6236", smoothstep(-1, 2, trees)), wood)
    lit_color = albedo * (light * rgb("#ffe2b8") * 1.35 + rgb("#7d98c9") * 0.52)
    return mix(lit_color, "#a9c0dc", 0.72 * (1 - np.exp(-np.maximum(z - 5, 0) / 19)))


def alpine_sky(h: int, w: int, horizon: float, rng: np.random.Generator) -> Array:
    """Paint a morning sky with soft clouds, lit from the left."""
    y, _ = grid(h, w)
    sky = ramp(
        y * h / horizon, [(0, "#3f74b8"), (0.5, "#85aedb"), (0.85, "#cfdcea"), (1, "#f3e6d8")]
    )
    cloud = fbm(h, w, rng, 1.75, (2.2, 0.9))
    lit = np.clip(0.55 + 0.6 * (cloud - warp(cloud, -14 + 0 * y, -18 + 0 * y)), 0, 1)
    return mix(
        sky,
        ramp(lit, [(0, "#a9b6cf"), (0.5, "#e9e6ea"), (1, "#fffaf0")]),
        0.9 * smoothstep(0.2, 1.6, cloud),
    )


def alpine_water(picture: Array, shore: int, rng: np.random.Generator) -> Array:
    """Lay the mirror of everything above ``shore`` below it, with bands of breeze."""
    h, w = picture.shape[:2]
    out = lake_mirror(picture, shore, rng)
    y, _ = grid(h, w)
    breeze = smoothstep(0.6, 1.6, fbm(h, w, rng, 1.6, (12.0, 0.6))) * smoothstep(
        shore, shore + 60, y * h
    )
    return np.asarray(mix(out, "#b9cbe0", 0.35 * breeze), np.float32)
