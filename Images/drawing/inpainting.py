"""Pictures for the inpainting task: something that should not be there, its mask, and the truth.

A mask is wider than the thing itself, since JPEG scatters colors around it.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .canvas import (
    Array,
    blur,
    develop,
    fbm,
    grid,
    mix,
    over,
    polygon,
    profile,
    ramp,
    seeded,
    smoothstep,
)
from .generation import stone_wall
from .lakes import alpine_lake

HEIGHT, WIDTH = 192, 256
RIM = 3  # px by which a mask is wider
STAMP = "#ff9a2e"


def wire_across_sky() -> dict[str, Array]:
    """Evening clouds over hills, and two wires across them."""
    rng = seeded("wire_across_sky")
    y, x = grid(HEIGHT, WIDTH)
    clouds = smoothstep(-0.2, 1.5, fbm(HEIGHT, WIDTH, rng, 1.8, (2.6, 1.0), 2))
    sky = ramp(y, [(0, "#4a7fb8"), (0.55, "#e8b98c"), (0.85, "#f6d9ae")])
    scene = mix(sky, "#fff4e6", 0.7 * clouds)
    for base, color in ((0.80, "#6d6a80"), (0.88, "#3b4150")):
        line = base + 0.03 * profile(WIDTH, rng, 1.7, 1.5)
        over(scene, color, smoothstep(-0.01, 0.01, y - line[None, :]))
    truth = develop(scene, rng, vignette=0.1)
    wires = np.zeros((HEIGHT, WIDTH), np.float32)
    for height, sag in ((0.30, 0.10), (0.42, 0.13)):
        line = height + sag * (1 - (2 * x / x.max() - 1) ** 2)
        wires = np.maximum(wires, np.clip(1.6 - np.abs(y - line) * HEIGHT, 0, 1))
    return _set("wire_across_sky", truth, "#1d1f24", wires)


def figure_before_wall() -> dict[str, Array]:
    """A rubble wall, and somebody who walked into the picture."""
    truth = stone_wall()["stone_wall.jpg"][-HEIGHT:, :WIDTH].copy()
    y, x = grid(HEIGHT, WIDTH)
    middle = 0.62 * x.max()
    head = ((y - 0.46) ** 2 + (x - middle) ** 2) < 0.055**2
    outline = [(0.53, -0.09), (0.53, 0.09), (0.78, 0.11), (0.79, 0.06), (1.01, 0.07), (1.01, 0.01),
               (0.83, 0.0), (1.01, -0.01), (1.01, -0.07), (0.79, -0.06), (0.78, -0.11)]  # fmt: skip
    points = [((middle + across) * HEIGHT, down * HEIGHT) for down, across in outline]
    body = np.maximum(head, polygon(HEIGHT, WIDTH, points) > 0.5).astype(np.float32)
    return _set("figure_before_wall", truth, "#27324d", blur(body, 0.6))


def date_stamp() -> dict[str, Array]:
    """A lake below mountains, and the date that a camera of the nineties printed into it."""
    truth = alpine_lake()["alpine_lake.jpg"][-HEIGHT:, -WIDTH:].copy()
    height, width = truth.shape[:2]
    canvas = Image.new("L", (width, height))
    font = ImageFont.load_default(17)
    ImageDraw.Draw(canvas).text((width - 106, height - 28), "'98  7 24", fill=255, font=font)
    return _set("date_stamp", truth, STAMP, np.asarray(canvas, np.float32) / 255)


def _set(name: str, truth: Array, color: str, shape: Array) -> dict[str, Array]:
    """The picture with a thing of one color, where that is, and without it."""
    picture = truth.copy()
    over(picture, color, shape)
    near = blur((shape > 0.05).astype(np.float32), RIM / 2)
    mask = (near > 0.04).astype(np.float32)
    return {f"{name}.jpg": picture, f"{name}_mask.png": mask, f"{name}_truth.jpg": truth}
