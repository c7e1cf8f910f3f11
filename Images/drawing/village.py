"""A village under a swirling sky: the scene of one of the paintings."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .canvas import Array, Point, fbm, grid, mix, over, profile, ramp, smoothstep

SWIRLS = (
    (0.30, 0.62, 0.17, 1.0),
    (0.40, 0.93, 0.12, -0.9),
    (0.17, 0.26, 0.09, 0.7),
    (0.50, 0.33, 0.08, 0.6),
)
HILLS = (
    (0.64, 0.06, "#1b3a78", "#3f6fae"),
    (0.71, 0.05, "#142b57", "#2f5f86"),
    (0.79, 0.03, "#16322f", "#3f6a48"),
)
LIGHTS = (
    (0.15, 1.33, 0.10),
    (0.10, 0.52, 0.045),
    (0.33, 0.27, 0.040),
    (0.13, 0.86, 0.042),
    (0.40, 1.20, 0.038),
    (0.06, 1.08, 0.03),
    (0.27, 1.04, 0.03),
)
WALLS = ["#6f93b8", "#8aa6b4", "#4d76a6", "#a9b8b0"]
ROOFS = ["#1f3357", "#8a4a30", "#24405f", "#a5683a"]
CHURCH = (
    (
        (
            (0.955, 0.86),
            (0.955, 0.75),
            (0.980, 0.715),
            (0.992, 0.53),
            (1.004, 0.715),
            (1.03, 0.75),
            (1.03, 0.86),
        ),
        "#101b36",
    ),
    (((0.94, 0.88), (0.94, 0.78), (1.06, 0.74), (1.17, 0.78), (1.17, 0.88)), "#5d7fa6"),
    (((0.93, 0.79), (0.99, 0.735), (1.12, 0.735), (1.18, 0.79)), "#1c2c52"),
)


def swirling_sky(h: int, w: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return a starry sky and the field whose contour lines its strokes follow."""
    y, x = grid(h, w)
    stream = 1.15 * y + 0.035 * fbm(h, w, rng, 2.6, coarsest=1) + 0.04 * np.sin(x * 5.0 + 1)
    for cy, cx, size, turn in SWIRLS:
        stream = stream + 0.30 * turn * size / 0.17 * np.exp(
            -((y - cy) ** 2 + (x - cx) ** 2) / size**2
        )
    bands = 0.5 + 0.5 * np.sin(stream * 46 + 0.8 * fbm(h, w, rng, 2.0, coarsest=3))
    value = 0.16 + 0.30 * bands + 0.25 * smoothstep(0.2, 0.6, y)
    for cy, cx, size, _ in SWIRLS:
        value = value + 0.26 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (0.8 * size) ** 2) * (
            0.4 + 0.6 * bands
        )
    sky = ramp(
        value,
        [(0, "#0a1848"), (0.25, "#183a8c"), (0.5, "#3a72bd"), (0.75, "#86b8d8"), (1, "#dfe8cf")],
    )
    for cy, cx, size in LIGHTS:
        away = np.hypot(y - cy, x - cx)
        ring = 0.5 + 0.5 * np.cos(away / size * 9)
        halo = np.exp(-((away / (1.25 * size)) ** 2)) * (0.55 + 0.45 * ring)
        over(
            sky,
            ramp(away / size, [(0, "#fff6c0"), (0.5, "#fbd54a"), (1.2, "#d9d77a"), (2, "#8fc0c8")]),
            halo,
        )
        stream = stream + 2.2 * size * np.exp(-((away / (1.5 * size)) ** 2))
    my, mx, size = LIGHTS[0]
    disc = smoothstep(0.048, 0.044, np.hypot(y - my, x - mx))
    bite = smoothstep(0.040, 0.044, np.hypot(y - my + 0.008, x - mx - 0.022))
    over(sky, "#f7a531", disc * bite)
    return sky, np.asarray(stream, np.float32)


def settle(picture: Array, stream: Array, rng: np.random.Generator) -> Array:
    """Put hills, houses, a church and a cypress under the sky, in place; return the flow field."""
    h, w = picture.shape[:2]
    y, x = grid(h, w)
    flow = stream.copy()
    for base, tall, color, light in HILLS:
        line = base - tall * profile(w, rng, 2.3, 1)[None, :] * 0.7
        line = line - 0.08 * smoothstep(0.7, 1.5, x[:1]) * (base < 0.7)
        down = y - line
        stripes = 0.5 + 0.5 * np.sin(down * 120 + 2 * fbm(h, w, rng, 1.9, coarsest=2))
        over(picture, mix(color, light, stripes * 0.8), smoothstep(-0.002, 0.002, down))
        flow = np.where(down > 0, down + 0.02 * fbm(h, w, rng, 2.2, coarsest=2), flow)
    houses(picture, rng)
    reach = 0.012 + 0.060 * np.clip((y - 0.10) / 0.9, 0, 1) ** 0.8
    wave = 0.012 * np.sin(y * 22) + 0.020 * np.sin(y * 9 + 1)
    u = (x - 0.155 - wave) / reach
    tree = smoothstep(1.0, 0.9, np.abs(u) + 0.25 * fbm(h, w, rng, 1.5, (0.5, 1.5), coarsest=6)) * (
        y > 0.09
    )
    over(picture, mix("#0c1512", "#3f5a2c", 0.5 + 0.5 * np.sin(u * 7 + y * 20)), tree)
    return np.asarray(
        np.where(tree > 0.5, (x - wave) * 1.0 + 0.01 * np.sin(y * 30), flow), np.float32
    )


def houses(picture: Array, rng: np.random.Generator) -> None:
    """Paint a village with lit windows, a church and bushes, in place."""
    h = picture.shape[0]
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for outline, color in CHURCH:
        pen.polygon([(x * h, y * h) for x, y in outline], fill=color)
    for row, count in ((0.815, 9), (0.855, 9), (0.905, 7)):
        for place in 0.36 + 1.12 * (np.arange(count) + rng.uniform(0.1, 0.9, count)) / count:
            house(pen, h, (float(place), row + rng.uniform(-0.01, 0.012)), rng)
    for _ in range(70):
        x, y, r = rng.uniform(0, 1.5), rng.uniform(0.90, 1.02), rng.uniform(0.012, 0.032)
        green = mix("#12261f", "#4d7a45", float(rng.uniform(0, 1)))
        box = ((x - 1.5 * r) * h, (y - r) * h, (x + 1.5 * r) * h, (y + r) * h)
        pen.ellipse(box, fill=tuple((green * 255).astype(int).tolist()))
    picture[:] = np.asarray(image, np.float32) / 255


def house(pen: ImageDraw.ImageDraw, h: int, foot: Point, rng: np.random.Generator) -> None:
    """Draw a house that stands at ``foot`` (x, y), most often with a light in the window."""
    place, base = foot
    size = 0.040 + 0.35 * (base - 0.80)
    wide = size * rng.uniform(0.8, 1.2)
    top, ridge = base - size, base - 1.75 * size
    left, right = place - wide, place + wide
    pen.rectangle((left * h, top * h, right * h, base * h), fill=str(rng.choice(WALLS)))
    roof = [
        (left - 0.01, top),
        (place - 0.6 * wide, ridge),
        (place + 0.6 * wide, ridge),
        (right + 0.01, top),
    ]
    pen.polygon([(x * h, y * h) for x, y in roof], fill=str(rng.choice(ROOFS)))
    if rng.uniform() < 0.8:
        x, s = place + wide * rng.uniform(-0.5, 0.2), 0.45 * size
        pane = (x * h, (base - 0.75 * size) * h, (x + s) * h, (base - 0.2 * size) * h)
        pen.rectangle(pane, fill="#ffd84e")
