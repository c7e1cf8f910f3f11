"""A painter: repaints a picture with oriented brush strokes of several sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .canvas import Array, blur, fbm, lambert, mix, rgb, slopes, smoothstep

ANGLES, BENDS, KINDS = 36, 5, 4


@dataclass
class Brush:
    """One pass over the canvas, with strokes of ``length`` x ``width`` pixels."""

    length: float
    width: float
    cover: float = 2.0  # how many strokes lie over each pixel
    wander: float = 0.15  # how far a stroke strays from the flow, in radians
    mottle: float = 0.05  # how far its color strays from the picture
    careful: float = 0.0  # 0: strokes everywhere; 1: only where the picture has details
    load: float = 1.0  # how thick the paint is


def stamp(brush: Brush, angle: float, bend: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the opacity and the thickness of paint of one stroke."""
    reach = int(np.ceil(np.hypot(brush.length, brush.width) / 2)) + 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    s = (x * np.cos(angle) + y * np.sin(angle)) / (brush.length / 2)
    u = (-x * np.sin(angle) + y * np.cos(angle)) / (brush.width / 2) - bend * (s * s - 0.4)
    hairs = max(int(brush.width * 1.2), 5)
    bristle = rng.uniform(0, 1, hairs)
    across = (u + 1) / 2 * (hairs - 1)
    hair = np.interp(across, np.arange(hairs), bristle)
    ends = np.interp(across, np.arange(hairs), rng.uniform(0.72, 1.0, hairs))
    soft_s, soft_u = 3 / brush.length, 2.2 / brush.width
    alpha = smoothstep(ends + soft_s, ends - soft_s, np.abs(s)) if brush.length > brush.width else 1
    alpha = alpha * smoothstep(
        1.0 + soft_u, 1.0 - soft_u, np.hypot(u, np.clip(np.abs(s) - 0.6, 0, None))
    )
    rim = np.exp(-(((np.abs(u) - 0.85) / 0.2) ** 2))
    thick = (0.35 + 0.65 * hair + 0.5 * rim + 0.3 * smoothstep(0.4, 1.0, s)) * alpha
    alpha = alpha * (0.80 + 0.20 * hair)
    return alpha.astype(np.float32), thick.astype(np.float32)


def pull(colors: Array, palette: Sequence[str], strength: float) -> Array:
    """Move colors toward the nearest one of a limited palette."""
    inks = np.stack([rgb(color) for color in palette])
    nearest = ((colors[:, None] - inks[None]) ** 2 @ np.array([1.0, 1.4, 0.8])).argmin(axis=1)
    return np.asarray(colors + (inks[nearest] - colors) * strength, np.float32)


@dataclass
class Canvas:
    """The painting while it is made: its colors and the relief of the paint."""

    color: Array
    relief: Array

    def put(self, y: int, x: int, color: Array, mark: tuple[Array, Array], load: float) -> None:
        """Lay one stroke down with its middle at (y, x)."""
        alpha, thick = mark
        reach = alpha.shape[0] // 2
        h, w = self.relief.shape
        top, left = max(y - reach, 0), max(x - reach, 0)
        bottom, right = min(y + reach + 1, h), min(x + reach + 1, w)
        cut = np.s_[top - y + reach : bottom - y + reach, left - x + reach : right - x + reach]
        a = alpha[cut]
        paint = self.color[top:bottom, left:right]
        paint += (color - paint) * a[..., None]
        ground = self.relief[top:bottom, left:right]
        ground += thick[cut] * load - 0.55 * ground * a


def paint(
    scene: Array,
    flow: Array,
    brushes: Sequence[Brush],
    rng: np.random.Generator,
    palette: Sequence[str] = (),
    ground: str = "#7a6a52",
) -> Array:
    """Paint ``scene`` over a colored ground, strokes along the angles ``flow`` (radians)."""
    h, w = scene.shape[:2]
    canvas = Canvas(
        mix(ground, scene, np.full((h, w), 0.35, np.float32)), np.zeros((h, w), np.float32)
    )
    for brush in brushes:
        sweep(canvas, scene, flow, brush, rng, palette)
    return canvas_light(canvas, rng)


def sweep(
    canvas: Canvas,
    scene: Array,
    flow: Array,
    brush: Brush,
    rng: np.random.Generator,
    palette: Sequence[str],
) -> None:
    """Make one pass with one brush."""
    h, w = scene.shape[:2]
    seen = blur(scene, brush.width * 0.35)
    count = int(brush.cover * h * w / (brush.length * brush.width))
    ys, xs = rng.integers(0, h, count), rng.integers(0, w, count)
    if brush.careful:
        detail = blur(np.abs(scene - blur(scene, brush.width * 1.5)).sum(-1), brush.width * 0.5)
        keep = detail[ys, xs] > brush.careful * rng.uniform(0.1, 0.5, count)
        ys, xs = ys[keep], xs[keep]
    colors = seen[ys, xs]
    if len(palette):
        colors = pull(colors, palette, 0.45)
    tone = rng.normal(0, brush.mottle, (len(ys), 1)) + rng.normal(
        0, brush.mottle * 0.6, (len(ys), 3)
    )
    colors = np.clip(colors * (1 + 0.6 * tone) + 0.6 * tone, 0, 1).astype(np.float32)
    step = brush.length * 0.3
    angles = flow[ys, xs]
    ahead_y = (ys + step * np.sin(angles)).astype(int).clip(0, h - 1)
    ahead_x = (xs + step * np.cos(angles)).astype(int).clip(0, w - 1)
    turn = (flow[ahead_y, ahead_x] - angles + np.pi / 2) % np.pi - np.pi / 2
    bends = np.clip(-turn * brush.length / brush.width * 0.55, -2.2, 2.2)
    angles = angles + rng.normal(0, brush.wander, len(ys))
    marks: dict[tuple[int, int, int], tuple[Array, Array]] = {}
    kinds = rng.integers(0, KINDS, len(ys))
    slots = np.rint(angles / (2 * np.pi) * ANGLES).astype(int) % ANGLES
    levels = np.rint(bends / 2.2 * (BENDS // 2)).astype(int)
    for y, x, color, key in zip(
        ys, xs, colors, zip(slots, levels, kinds, strict=True), strict=True
    ):
        if key not in marks:
            bend = key[1] / (BENDS // 2) * 2.2
            marks[key] = stamp(brush, key[0] / ANGLES * 2 * np.pi, bend, rng)
        canvas.put(int(y), int(x), color, marks[key], brush.load)


def canvas_light(canvas: Canvas, rng: np.random.Generator) -> Array:
    """Light the relief of the paint and the weave of the cloth from the upper left."""
    h, w = canvas.relief.shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    weave = 0.09 * (np.sin(x * 1.05) * np.sin(y * 1.05)) + 0.08 * fbm(h, w, rng, 0.6, coarsest=60)
    relief = blur(canvas.relief, 0.7) * 1.25 + weave
    light = lambert(relief, (-0.6, -0.6, 0.75))
    shade = 1 + 0.85 * (light - float(np.median(light)))
    shine = smoothstep(0.90, 1.0, light) * smoothstep(0.2, 0.9, canvas.color.mean(-1)) * 0.08
    return np.clip(canvas.color * shade[..., None] + shine[..., None], 0, 1)


def flow_along(field: Array) -> Array:
    """Return the angle of the contour lines of ``field`` at every pixel."""
    dy, dx = np.gradient(field)
    return np.asarray(np.arctan2(dx, -dy), np.float32)


def follow_edges(scene: Array, flow: Array, size: float = 3.0) -> Array:
    """Turn the strokes along the outlines of things, where the scene has strong ones."""
    dy, dx = slopes(blur(scene.mean(-1), size / 3))
    even = blur((dy * dy - dx * dx).astype(np.float32), size)
    skew = blur((-2 * dx * dy).astype(np.float32), size)
    strength = np.hypot(even, skew)
    trust = strength / (strength + float(np.percentile(strength, 92)))
    cosine = (1 - trust) * np.cos(2 * flow) + trust * even / (strength + 1e-9)
    sine = (1 - trust) * np.sin(2 * flow) + trust * skew / (strength + 1e-9)
    return np.asarray(0.5 * np.arctan2(sine, cosine), np.float32)
