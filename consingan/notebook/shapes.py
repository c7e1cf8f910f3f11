"""A mask given by numbers, for notebooks in which nothing can be painted."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from consingan.errors import UserError
from consingan.images.io import write_image
from consingan.machine.files import make_folder

Point = tuple[float, float]


def parse_shape(text: str) -> list[Point]:
    """Corners of a polygon as (x, y) in percent of the width and height.

    "20,30 60,80" are opposite corners of a rectangle, three points or more are a polygon.

    Raises:
        UserError: the text is neither.
    """
    example = 'for example "20,30 60,80" for a rectangle or three points and more for a polygon'
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", text)]
    points = list(zip(numbers[::2], numbers[1::2], strict=False))
    if re.sub(r"[-\d.,;\s]", "", text) or len(numbers) % 2 or len(points) < 2:
        raise UserError(f"The shape {text!r} is not understood; give points in percent, {example}.")
    if not all(0 <= n <= 100 for n in numbers):
        raise UserError(f"The shape {text!r} leaves the picture; use percent, 0 to 100, {example}.")
    if len(points) == 2:
        (left, top), (right, bottom) = points
        points = [(left, top), (right, top), (right, bottom), (left, bottom)]
    if math.isclose(_area(points), 0):
        raise UserError(f"The shape {text!r} has no area; {example}.")
    return points


def save_shape(points: list[Point], size: tuple[int, int], path: Path) -> None:
    """Write the polygon with corners (x, y) in percent as a mask of `size` (h, w), white inside."""
    height, width = size
    mask = Image.new("L", (width, height))
    corners = [(x / 100 * (width - 1), y / 100 * (height - 1)) for x, y in points]
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    make_folder(path.parent)
    write_image(path, np.asarray(mask))


def _area(points: list[Point]) -> float:
    """Area of a polygon by the shoelace formula."""
    following = [*points[1:], points[0]]
    pairs = zip(points, following, strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2
