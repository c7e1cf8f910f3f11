"""Things that look photographed: turned bodies under sun and sky, and a cup from a photograph."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.interpolate import PchipInterpolator
from skimage import data
from skimage.transform import resize

from .canvas import (
    Array,
    fbm,
    lambert,
    mix,
    over,
    profile,
    seeded,
    shrink,
    smoothstep,
    to_linear,
    tone_map,
)

Cutout = tuple[Array, Array]


def turned(width: int, radii: Array) -> tuple[Array, Array, Array]:
    """Return the normals, the azimuth and the mask of a body turned around the middle column.

    ``radii`` holds its radius, in pixels, at each row; rows of radius 0 are empty.
    """
    x = np.arange(width, dtype=np.float32)[None, :] - width / 2
    r = radii[:, None]
    u = np.clip(x / np.maximum(r, 1e-3), -1, 1)
    rise = np.gradient(radii)[:, None] + 0 * x
    depth = np.sqrt(1 - u * u)
    normal = np.stack([u, -rise, depth], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    mask = smoothstep(1, -1, np.abs(x) - r) * (r > 0)
    return normal.astype(np.float32), np.arcsin(u).astype(np.float32), mask.astype(np.float32)


def daylight(albedo: Array, normal: Array, shine: float, power: float = 40) -> Array:
    """Light a surface with a sun at the upper left, blue sky and warm ground."""
    sun = np.array([-0.62, -0.52, 0.59])
    direct = np.clip(normal @ sun, 0, 1)
    sky = 0.5 - 0.5 * normal[..., 1]
    ambient = (
        sky[..., None] * to_linear("#9fc1f0") * 0.55
        + (1 - sky)[..., None] * to_linear("#c8b08c") * 0.28
    )
    half = (sun + np.array([0, 0, 1])) / np.linalg.norm(sun + np.array([0, 0, 1]))
    gloss = shine * np.clip(normal @ half, 0, 1) ** power
    rim = 0.25 * shine * (1 - np.clip(normal[..., 2], 0, 1)) ** 4
    light = albedo * (2.3 * direct[..., None] * to_linear("#fff1da") + ambient)
    return np.asarray(light + gloss[..., None] + rim[..., None] * to_linear("#bcd6ff"), np.float32)


def balloon(height: int) -> Cutout:
    """Return a hot-air balloon of striped cloth with its basket, ``height`` pixels tall."""
    rng = seeded("balloon")
    h, w = height * 3, int(height * 3 * 0.76)
    t = np.linspace(0, 1, h)
    knots = [0.0, 0.02, 0.07, 0.15, 0.27, 0.38, 0.50, 0.62, 0.72, 0.775]
    sizes = [0.0, 0.13, 0.245, 0.325, 0.368, 0.365, 0.318, 0.225, 0.125, 0.082]
    radii = np.where(t <= 0.775, PchipInterpolator(knots, sizes)(np.minimum(t, 0.775)), 0) * h
    radii[0] = 0.01
    normal, azimuth, mask = turned(w, radii.astype(np.float32))
    gores = 22
    phase = (azimuth + 0.25) * gores / (2 * np.pi)
    local = phase - np.floor(phase) - 0.5
    bulge = 0.55 * local * np.clip(normal[..., 2], 0, 1)
    normal = normal + np.stack([bulge, 0.05 * fbm(h, w, rng, 1.6, coarsest=8), 0 * bulge], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    colors = np.stack(
        [to_linear(c) for c in ("#d8232a", "#f4c11b", "#d8232a", "#f2efe4", "#1f4fa0", "#f2efe4")]
    )
    albedo = colors[np.floor(phase).astype(int) % len(colors)]
    band = smoothstep(0.012, 0.010, np.abs(t - 0.40) - 0.028)[:, None] + 0 * azimuth
    albedo = mix(albedo, to_linear("#14306b"), band)
    seam = smoothstep(0.47, 0.50, np.abs(local)) * 0.5
    tapes = smoothstep(0.90, 0.97, np.abs(((t * 34) % 1)[:, None] * 2 - 1)) * 0.16
    albedo = albedo * (1 - np.clip(seam + tapes, 0, 1))[..., None]
    light = daylight(albedo, normal, 0.07, 18)
    inside = smoothstep(0.50, 0.78, t)[:, None] * 0.35
    light = light + albedo * to_linear("#ffb060") * inside[..., None]
    picture = light.copy()
    alpha = hang_basket(picture, mask, rng)
    return shrink(tone_map(picture, 0.72), 3), shrink(alpha, 3)


def hang_basket(picture: Array, mask: Array, rng: np.random.Generator) -> Array:
    """Hang a wicker basket on ropes below a balloon, in place; return the mask of both."""
    h, w = mask.shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    y, x = y / h, (x - w / 2) / h
    alpha = mask.copy()
    for side in (-1.0, -0.45, 0.45, 1.0):
        t = np.clip((y - 0.765) / (0.915 - 0.765), 0, 1)
        at = side * (0.078 + (0.052 - 0.078) * t)
        rope = smoothstep(0.0026, 0.0012, np.abs(x - at)) * (y > 0.765) * (y < 0.92)
        over(picture, to_linear("#4a4038"), rope)
        alpha = np.maximum(alpha, rope)
    wide = 0.056 - 0.008 * np.clip((y - 0.91) / 0.085, 0, 1)
    box = (
        smoothstep(0.002, -0.002, np.abs(x) - wide)
        * smoothstep(0.908, 0.911, y)
        * smoothstep(0.996, 0.992, y)
    )
    wicker = 0.62 + 0.38 * np.sin(y * 900) * np.sin(x * 520 + 3.1 * np.floor(y * 900 / np.pi))
    side_light = 1.15 - 0.8 * smoothstep(-0.03, 0.05, x)
    tint = mix(to_linear("#5b3516"), to_linear("#c08a4c"), wicker) * (1.1 * side_light)[..., None]
    border = smoothstep(0.925, 0.921, y) + smoothstep(0.986, 0.989, y)
    tint = mix(tint, to_linear("#2f1c10") * 1.6, np.clip(border, 0, 1) * 0.85)
    shadow = 0.45 + 0.55 * smoothstep(0.905, 0.95, y)
    over(
        picture,
        tint * shadow[..., None] * (1 + 0.1 * fbm(h, w, rng, 0.8, coarsest=20))[..., None],
        box,
    )
    burner = smoothstep(0.002, -0.002, np.abs(x) - 0.016) * (y > 0.80) * (y < 0.825)
    rail = smoothstep(0.002, -0.002, np.abs(x) - 0.068) * (y > 0.823) * (y < 0.828)
    burner = np.maximum(burner, rail)
    over(picture, to_linear("#77777c"), burner)
    return np.asarray(np.maximum(np.maximum(alpha, box), burner), np.float32)


# The lighthouse from its spire down: rows and the radii there, both as parts of its height.
TOWER_ROWS = [0.0, 0.02, 0.021, 0.035, 0.085, 0.0851, 0.095, 0.0951, 0.19]
TOWER_ROWS += [0.1901, 0.20, 0.2001, 0.235, 0.2351, 0.25, 0.2501, 0.94]
TOWER_RADII = [0.003, 0.003, 0.012, 0.02, 0.058, 0.066, 0.066, 0.048, 0.048]
TOWER_RADII += [0.092, 0.092, 0.088, 0.088, 0.096, 0.096, 0.068, 0.1235]


def lighthouse(height: int) -> Cutout:
    """Return a red and white lighthouse on a rock, ``height`` pixels tall."""
    rng = seeded("lighthouse")
    h, w = height * 3, int(height * 3 * 0.56)
    t = np.linspace(0, 1, h)
    radii = (np.interp(t, TOWER_ROWS, TOWER_RADII) * h * (t <= 0.94)).astype(np.float32)
    radii = ndimage.gaussian_filter1d(radii, 1) * (t <= 0.94)
    normal, azimuth, mask = turned(w, radii)
    rows = (t[:, None] + 0 * azimuth).astype(np.float32)
    bumps = 0.05 * fbm(h, w, rng, 0.9, coarsest=25)
    normal = normal + np.stack([bumps, bumps, 0 * bumps], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    picture = daylight(tower_paint(rows, rng), normal, 0.22, 30)
    shade = 1 - 0.55 * smoothstep(0.31, 0.25, rows) * (rows > 0.25)
    picture = picture * shade[..., None]
    tower_glass(picture, rows, azimuth)
    alpha = np.maximum(mask, rock(picture, rng))
    return shrink(tone_map(picture, 0.74), 3), shrink(alpha, 3)


def tower_paint(rows: Array, rng: np.random.Generator) -> Array:
    """Return the albedo of the lighthouse: stripes, iron, red dome and stains of rain."""
    h, w = rows.shape
    stripe = smoothstep(-0.05, 0.05, np.sin((rows - 0.25) / 0.67 * np.pi * 5))
    albedo = mix(to_linear("#ece8de"), to_linear("#b3221c"), stripe)
    albedo = mix(albedo, to_linear("#3a3d42"), smoothstep(0.256, 0.25, rows))
    albedo = mix(albedo, to_linear("#a31f1b"), smoothstep(0.09, 0.085, rows))
    albedo *= (0.96 + 0.10 * fbm(h, w, rng, 1.1, (0.4, 1.6), coarsest=5))[..., None].clip(0.5, 1.2)
    stain = smoothstep(0.8, 2.4, fbm(h, w, rng, 1.5, (0.25, 2.0), coarsest=4)) * 0.35
    return mix(albedo, to_linear("#6d5a48"), stain * (rows > 0.26))


def tower_glass(picture: Array, rows: Array, azimuth: Array) -> None:
    """Glaze the lantern, light its lamp, and cut the windows of the tower, in place."""
    bars = smoothstep(0.80, 0.9, np.abs(np.sin(azimuth * 5 + 0.3)))
    lamp = np.exp(-((azimuth / 0.45) ** 2) - ((rows - 0.145) / 0.025) ** 2)
    pane = mix(to_linear("#7fa3bd"), to_linear("#25353f"), smoothstep(-0.9, 0.7, azimuth))
    pane = mix(pane + 5 * lamp[..., None] * to_linear("#ffd98a"), to_linear("#2a2c30"), bars)
    over(picture, pane, ((rows > 0.0955) & (rows < 0.19)).astype(np.float32))
    for row, place in ((0.36, -0.25), (0.52, 0.15), (0.68, -0.2)):
        across = smoothstep(0.115, 0.10, np.abs(azimuth - place))
        window = across * smoothstep(0.021, 0.019, np.abs(rows - row))
        over(picture, to_linear("#10161c"), window)


def rock(picture: Array, rng: np.random.Generator) -> Array:
    """Set a rock under the lighthouse, in place; return its mask."""
    h, w = picture.shape[:2]
    x = (np.arange(w) - w / 2) / (w / 2)
    crest = h * (0.905 + 0.10 * np.abs(x) ** 2.6) + 0.010 * h * profile(w, rng, 1.4, 3)
    below = np.arange(h)[:, None] - crest[None, :]
    alpha = smoothstep(-1, 1, below.astype(np.float32)) * (np.abs(x) < 0.96)
    facets = 1 - np.abs(fbm(h, w, rng, 2.0, (1.4, 1.0), coarsest=9))
    relief = 16 * facets + 5 * fbm(h, w, rng, 1.3, coarsest=20)
    shade = lambert(relief.astype(np.float32), (-0.62, -0.6, 0.5))
    albedo = mix(
        to_linear("#4f4a45"), to_linear("#a3978a"), smoothstep(-1.5, 1.5, fbm(h, w, rng, 1.2))
    )
    wet = smoothstep(0.962, 0.985, np.arange(h)[:, None] / h + 0 * x)
    light = albedo * (2.1 * shade + 0.22)[..., None] * (1 - 0.65 * wet)[..., None]
    over(picture, light, alpha)
    return np.asarray(alpha, np.float32)


def coffee_cup(height: int) -> Cutout:
    """Return the cup and saucer cut from scikit-image's photograph ``data.coffee`` (CC0)."""
    photo = data.coffee().astype(np.float32) / 255
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]].astype(np.float32)
    mask = np.zeros(photo.shape[:2], np.float32)
    for cx, cy, rx, ry, tilt in ((277, 213, 200, 173, 0.16), (288, 110, 117, 94, 0.05)):
        u = (x - cx) * np.cos(tilt) + (y - cy) * np.sin(tilt)
        v = -(x - cx) * np.sin(tilt) + (y - cy) * np.cos(tilt)
        mask = np.maximum(mask, smoothstep(1.006, 0.994, np.hypot(u / rx, v / ry)))
    top, bottom, left, right = 12, 392, 68, 486
    scale = height / (bottom - top)
    size = (height, round((right - left) * scale))
    cut = resize(photo[top:bottom, left:right], size, anti_aliasing=True)
    alpha = resize(mask[top:bottom, left:right], size, anti_aliasing=True)
    return cut.astype(np.float32), alpha.astype(np.float32)
