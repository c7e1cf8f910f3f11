"""Scenes for the animation task: things that look alive when they move a little."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .canvas import (
    Array,
    blur,
    develop,
    drift,
    fbm,
    grid,
    mix,
    over,
    profile,
    ramp,
    rgb,
    seeded,
    shrink,
    slopes,
    smoothstep,
    to_linear,
    tone_map,
    warp,
)
from .terrain import Camera, project, view

FIRE = [
    (0.0, "#000000"),
    (0.18, "#5a0c02"),
    (0.38, "#d93a05"),
    (0.60, "#ff8a12"),
    (0.82, "#ffd257"),
    (1.0, "#fff6d0"),
]


def flames(h: int, w: int, foot: tuple[float, float], rng: np.random.Generator) -> Array:
    """Return the linear light of a fire that stands at ``foot`` (y, x, in picture heights)."""
    y, x = grid(h, w)
    light = np.zeros((h, w, 3), np.float32)
    swaying = fbm(h, w, rng, 2.3, (1.2, 0.5), coarsest=2) * 0.055
    curling = fbm(h, w, rng, 1.9, (1.0, 1.0), coarsest=5) * 0.016
    strands = 1 - np.abs(fbm(h, w, rng, 1.5, (0.35, 1.6), coarsest=4))
    for shift, tall, wide, gain in (
        (0.0, 0.56, 0.135, 1.0), (-0.085, 0.38, 0.080, 0.9), (0.09, 0.42, 0.085, 0.9),
        (-0.035, 0.50, 0.09, 0.8), (0.04, 0.30, 0.12, 0.8), (-0.12, 0.22, 0.07, 0.7),
        (0.14, 0.24, 0.06, 0.7),
    ):  # fmt: skip
        up = (foot[0] - y) / tall
        sway, curl = drift(swaying, rng), drift(curling, rng)
        across = (x - foot[1] - shift * (1 - 0.45 * up) + (sway + curl) * np.clip(up, 0, 2)) / wide
        body = np.clip(up + 0.06, 0, None) ** 0.35 * np.clip(1.05 - up, 0, None) ** 0.9 * 1.25
        shape = 1 - (across / np.maximum(body, 1e-3)) ** 2
        threads = warp(drift(strands, rng), 0 * y, 40 * curl / 0.016 * np.clip(up, 0, 1))
        heat = np.clip(shape, 0, 1) * (0.62 + 0.38 * threads) * (1.1 - 0.55 * np.clip(up, 0, 1))
        heat *= smoothstep(-0.07, 0.08, up) * gain
        light += to_linear(ramp(np.clip(heat, 0, 1), FIRE)) * (0.35 + 1.5 * heat[..., None])
    return light


def log(
    picture: Array, ends: tuple[float, float, float, float], radius: float, rng: np.random.Generator
) -> None:
    """Paint a charred log between two points (y, x, y, x, in picture heights), in place."""
    full, (ay, ax, by, bx) = picture.shape[0], ends
    pad = 2 * radius
    top, left = int((min(ay, by) - pad) * full), int((min(ax, bx) - pad) * full)
    window = picture[top : int((max(ay, by) + pad) * full), left : int((max(ax, bx) + pad) * full)]
    h, w = window.shape[:2]
    y, x = np.mgrid[:h, :w].astype(np.float32)
    y, x = (y + top) / full, (x + left) / full
    long = np.hypot(by - ay, bx - ax)
    ty, tx = (by - ay) / long, (bx - ax) / long
    along = (y - ay) * ty + (x - ax) * tx
    across = ((y - ay) * tx - (x - ax) * ty) / radius
    across = across + 0.10 * fbm(h, w, rng, 1.7, coarsest=2)
    alpha = smoothstep(1.0, 0.93, np.abs(across))
    alpha *= smoothstep(-0.004, 0.004, along) * smoothstep(long + 0.004, long - 0.004, along)
    grain = fbm(h, w, rng, 1.0, coarsest=3)
    cracks = smoothstep(0.25, 0.0, np.abs(fbm(h, w, rng, 1.1, coarsest=3)))
    hot = smoothstep(0.45, 0.0, along / long)
    round_light = np.sqrt(np.clip(1 - across**2, 0, 1))
    wood = (
        mix("#120b08", "#5f3a20", smoothstep(-1.5, 2, grain)) ** 2.2
        * (0.25 + 0.75 * round_light)[..., None]
    )
    wood = wood * (1 + 5 * hot[..., None] * rgb("#ff9a40"))
    embers = to_linear("#ff5a10") * (2.2 * hot * cracks * np.clip(1 + grain, 0, 2))[..., None]
    over(window, wood + embers, alpha)


def pebbles(
    picture: Array, fire: tuple[float, float], front: bool, rng: np.random.Generator
) -> None:
    """Set half of a ring of stones around the ``fire``, lit by it, in place."""
    full = picture.shape[0]
    angles = np.linspace(0.12, np.pi - 0.12, 9) if front else np.linspace(-np.pi + 0.3, -0.3, 7)
    for angle in angles + rng.normal(0, 0.05, len(angles)):
        cy, cx = fire[0] + 0.02 + 0.085 * np.sin(angle), fire[1] + 0.30 * np.cos(angle)
        ry, rx = 0.034 * rng.uniform(0.85, 1.25), 0.052 * rng.uniform(0.85, 1.2)
        top, left = int((cy - 0.06) * full), int((cx - 0.08) * full)
        window = picture[top : top + int(0.12 * full), left : left + int(0.16 * full)]
        h, w = window.shape[:2]
        y, x = np.mgrid[:h, :w].astype(np.float32) / full
        ny, nx = (y + top / full - cy) / ry, (x + left / full - cx) / rx
        bumpy = 0.10 * fbm(h, w, rng, 1.8, coarsest=1)
        r2 = ny**2 + nx**2 + bumpy
        nz = np.sqrt(np.clip(1 - r2, 0, 1))
        to_fire = np.array([fire[0] - 0.10 - cy, fire[1] - cx])
        to_fire = to_fire / np.linalg.norm(to_fire)
        facing = np.clip(ny * to_fire[0] + nx * to_fire[1] + 0.25 * nz, 0, 1)
        rough = 1 + 0.22 * fbm(h, w, rng, 1.0, coarsest=2)
        color = to_linear("#8b7f76") * (2.6 * facing * rough)[..., None] * rgb("#ff9c4a")
        color = color + to_linear("#2c3550") * (0.10 + 0.10 * np.clip(-ny, 0, 1))[..., None]
        over(window, color, smoothstep(1.0, 0.92, r2))


def night_wood(h: int, w: int, fire: tuple[float, float], rng: np.random.Generator) -> Array:
    """Return the dark clearing: trunks and ground, lit by the fire alone."""
    y, x = grid(h, w)
    picture = to_linear(ramp(y, [(0, "#0a1226"), (0.45, "#1c2340"), (0.7, "#15131c")]))
    grain = fbm(h, w, rng, 1.0, (0.4, 2.0), coarsest=10)
    for row in range(3):
        count = [16, 10, 6][row]
        for place in (np.arange(count) + rng.uniform(0.1, 0.9, count)) / count * w / h:
            radius = (0.008 + 0.010 * row) * rng.uniform(0.7, 1.3)
            left = max(int((place - 0.12) * h), 0)
            strip = np.s_[: int(0.7 * h), left : int((place + 0.12) * h)]
            lit_trunk(
                picture[strip], (y[strip], x[strip]), (place, radius), row, grain[strip], fire, rng
            )
            grain = drift(grain, rng)
    return picture


def lit_trunk(
    strip: Array,
    coordinates: tuple[Array, Array],
    size: tuple[float, float],
    row: int,
    grain: Array,
    fire: tuple[float, float],
    rng: np.random.Generator,
) -> None:
    """Paint a trunk (middle, radius) of the given row, 2 being nearest, in place."""
    (y, x), (place, radius) = coordinates, size
    middle = place + 0.004 * profile(len(y), rng, 2.0)[:, None] + rng.normal(0, 0.05) * (0.6 - y)
    u = (x - middle) / (radius * (1 + 0.5 * smoothstep(0.5, 0.68, y)))
    side = np.clip(0.5 + 0.8 * u * np.sign(fire[1] - place), 0, 1)
    rough = np.clip(1 + 0.5 * grain, 0.1, 2)
    reach = np.exp(-np.hypot(y - fire[0] + 0.1, x - fire[1]) / 0.30)
    bark = to_linear("#6b5443") * (side * rough * reach * (0.7 + 0.45 * row))[..., None]
    bark = bark * rgb("#ff9a48") + to_linear(["#10162a", "#0c101e", "#080a12"][row])
    foot = 0.65 + 0.02 * row
    over(strip, bark, smoothstep(1, 0.85, np.abs(u)) * smoothstep(foot + 0.01, foot - 0.01, y))


def ground_glow(picture: Array, fire: tuple[float, float], rng: np.random.Generator) -> None:
    """Lay earth and grass below the wood and let the fire shine on it, in place."""
    h, w = picture.shape[:2]
    y, x = grid(h, w)
    soil = fbm(h, w, rng, 0.9, (2.6, 1.0), coarsest=5)
    reach = 1 / (1 + (((y - fire[0]) / 0.11) ** 2 + ((x - fire[1]) / 0.30) ** 2))
    dirt = mix("#3a2a1e", "#9c7c58", smoothstep(-2, 2, soil)) ** 2.2
    lit = dirt * (2.4 * reach**1.3 * np.clip(1 + 0.45 * soil, 0.1, 2))[..., None] * rgb("#ffa050")
    lit = lit + to_linear("#141826") * 0.25
    over(picture, lit, smoothstep(0.635, 0.675, y + 0.008 * soil))


def sparks(h: int, w: int, fire: tuple[float, float], rng: np.random.Generator) -> Array:
    """Return glowing sparks that rise from the fire on bent paths."""
    light = np.zeros((h, w), np.float32)
    for _ in range(190):
        up = rng.uniform(0.05, 1.0) ** 0.9
        x = fire[1] + rng.normal(0, 0.05 + 0.17 * up)
        y = fire[0] - 0.12 - 0.75 * up
        turn, length = rng.normal(0, 0.7), rng.uniform(0.002, 0.014)
        bright = rng.pareto(2) * 0.8 + 0.4
        for s in np.linspace(0, 1, 24):
            py, px = y - length * s, x + length * np.sin(turn + 2 * s) * 0.5
            if 0 <= py < 1 and 0 <= px < w / h:
                light[int(py * h), int(px * h)] += bright * np.sin(np.pi * s) * 0.35
    return blur(light, 0.8) * 3.2 + blur(light, 4) * 4


def campfire() -> dict[str, Array]:
    """Draw a fire in a ring of stones, sparks, and a dark wood around it."""
    h, w = 960, 1200
    rng = seeded("campfire")
    fire = (0.79, 0.62)
    picture = night_wood(h, w, fire, rng)
    ground_glow(picture, fire, rng)
    pebbles(picture, fire, False, rng)
    for ends in BACK_LOGS:
        log(picture, ends, 0.022, rng)
    light = flames(h, w, (fire[0] + 0.015, fire[1]), rng)
    picture = picture * (1 - 0.7 * np.clip(light.mean(-1, keepdims=True), 0, 1)) + light
    for ends in FRONT_LOGS:
        log(picture, ends, 0.022, rng)
    picture += 0.35 * flames(h, w, (fire[0] + 0.045, fire[1]), rng)
    pebbles(picture, fire, True, rng)
    picture += sparks(h, w, fire, rng)[..., None] * to_linear("#ffab4a")
    glow = 0.10 * blur(light, 22) + 0.13 * blur(light, 90)
    picture = tone_map(picture + glow, 0.95)
    return {"campfire.jpg": develop(shrink(picture, 2), seeded("grain"), 0.010, 0.25, 0.0)}


BACK_LOGS = ((0.75, 0.66, 0.73, 0.42), (0.75, 0.58, 0.72, 0.84))
FRONT_LOGS = (
    (0.715, 0.67, 0.845, 0.47),
    (0.715, 0.58, 0.850, 0.775),
    (0.785, 0.64, 0.865, 0.585),
)


def sea_surface(rng: np.random.Generator, size: int = 1024) -> Array:
    """Return a tileable map of wind waves with sharp crests, deviation about 1."""
    swell = fbm(size, size, rng, 3.0, (1.8, 0.75), coarsest=7)
    chop = fbm(size, size, rng, 2.2, (1.3, 0.85), coarsest=22)
    waves = swell + 0.34 * chop + 0.10 * fbm(size, size, rng, 1.5, (1.4, 0.9), coarsest=60)
    dy, dx = slopes(blur(waves, 1.5))
    y, x = np.mgrid[:size, :size].astype(np.float32)
    pinched = ndimage.map_coordinates(waves, [y + 20 * dy, x + 20 * dx], order=1, mode="grid-wrap")
    return np.asarray(pinched / pinched.std(), np.float32)


def sea_sky(elevation: Array, side: Array) -> Array:
    """Return the linear light of an evening sky, by elevation and sideways angle (radians)."""
    sky = to_linear(ramp(elevation, [
        (0.0, "#f6b27a"), (0.05, "#ee9468"), (0.13, "#bd7486"), (0.26, "#62699f"), (0.6, "#2b4a86")
    ]))  # fmt: skip
    away = np.hypot(elevation - 0.075, side)
    glow = (0.9 * np.exp(-away * 8))[..., None]
    return np.asarray(sky + glow * to_linear("#ffc476"), np.float32)


def waves() -> dict[str, Array]:
    """Draw an open sea under a low sun: crests with foam, light through the water."""
    h, w = 840, 1200
    rng = seeded("waves")
    horizon = 0.36 * h
    camera = Camera(h, w, 1.1 * w, horizon, altitude=1.5, near=1.6, far=400, steps=1400)
    z, x = camera.ground()
    surface, scale = sea_surface(rng), 1024 / 44.0
    fade = 1 / (1 + z / 70)
    heights = 0.20 * project(surface, z, x, scale)
    screen = view(camera, (heights * fade).astype(np.float32))
    water = sea_water(surface, scale, (z, x), camera, heights, rng)
    y, px = grid(h, w)
    elevation, side = (horizon / h - y) / (1.1 * w / h), (px - 0.64 * w / h) / (1.1 * w / h)
    sky = sea_sky(elevation, side)
    cloud = fbm(h, w, rng, 1.7, (4.0, 0.9))
    cloud_light = (
        to_linear("#ff9f7a")
        * (0.30 + 1.3 * np.exp(-np.hypot(elevation - 0.075, side) * 6))[..., None]
    )
    sky = mix(
        sky, cloud_light, 0.85 * smoothstep(0.0, 1.5, cloud) * smoothstep(0.02, 0.10, elevation)
    )
    disc = smoothstep(0.015, 0.012, np.hypot(elevation - 0.075, side))
    sky = sky + (9 * disc)[..., None] * to_linear("#ffe9bd")
    picture = mix(sky, screen.look(water), screen.hit)
    picture = (
        picture + 0.10 * blur(np.minimum(picture, 9), 14) + 0.06 * blur(np.minimum(picture, 9), 50)
    )
    picture = tone_map(picture, 0.95)
    return {"waves.jpg": develop(shrink(picture, 2), seeded("grain"), 0.010, 0.2, 0.1)}


def sea_water(
    surface: Array,
    scale: float,
    place: tuple[Array, Array],
    camera: Camera,
    heights: Array,
    rng: np.random.Generator,
) -> Array:
    """Return the linear light of the (depth, column) water: mirror, body, glitter and foam."""
    z, x = place
    dz, dx = slopes(surface)
    calm = 1 / (1 + z / 45)
    sz = project(dz, z, x, scale) * 0.20 * scale * calm
    sx = project(dx, z, x, scale) * 0.20 * scale * calm
    mz, mx = slopes(fbm(1024, 1024, rng, 1.7, (1.5, 1.0), coarsest=8))
    sz += project(mz, z, x, 230.0) * 1.3 / (1 + z / 9)
    sx += project(mx, z, x, 230.0) * 1.3 / (1 + z / 9)
    distance = np.sqrt(z * z + x * x + camera.altitude**2)
    vz, vx, vy = -z / distance, -x / distance, camera.altitude / distance
    length = np.sqrt(sz * sz + sx * sx + 1)
    facing = np.clip((-sz * vz - sx * vx + vy) / length, 0.02, 1)
    up = 2 * facing / length - vy
    across = 2 * facing * -sx / length - vx
    fresnel = 0.02 + 0.98 * (1 - facing) ** 5
    sun_side = 0.14 / 1.1
    mirrored = sea_sky(np.clip(np.abs(up), 0, 1.2), across - sun_side)
    glitter = np.exp(-(((np.abs(up) - 0.075) / 0.11) ** 2) - ((across - sun_side) / 0.10) ** 2)
    mirrored = mirrored + (4.5 * glitter)[..., None] * to_linear("#ffd596")
    thin = smoothstep(-0.25, 0.65, heights) * np.clip(0.35 + 1.1 * sz, 0, 1)
    body = mix(to_linear("#062536"), to_linear("#2a9488"), 0.75 * thin)
    light = mix(body, mirrored, np.clip(fresnel * 0.95, 0, 1))
    lace = project(1 - np.abs(fbm(1024, 1024, rng, 1.1, coarsest=18)), z, x, scale * 1.7)
    crest = smoothstep(0.36, 0.78, heights + 0.30 * (lace - 0.5))
    foam = crest * smoothstep(0.2, 0.85, lace) * (1 / (1 + z / 60))
    light = mix(light, to_linear("#f6e6d8") * 0.85, foam)
    return mix(light, to_linear("#e9a27c"), 0.5 * (1 - np.exp(-z / 160)))
