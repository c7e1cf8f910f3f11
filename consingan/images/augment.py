"""What harmonization and editing do to the training image before the generator repairs it.

Harmonization learns to give back the image from one with changed colors and holes, editing from
one with misplaced tiles (Hinz et al. 2021, the applications' sections and the supplementary).
Every function takes an image and a random source and returns a new image:

* images are (1, 3, H, W), RGB, floating point, in [-1, 1], on any device;
* `rng` lives on the CPU, so that a seed gives the same change on every device;
* the result has the input's shape, type and device, is contiguous and in [-1, 1]; the input is
  left as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

RECOLOR_PROBABILITY = 0.25
CUT_OUT_PROBABILITY = 0.9

# Units of 8-bit HSV, in which the paper's library counts: hue 0..180, the others 0..255.
MAX_HUE_SHIFT = 20 / 180
MAX_SATURATION_SHIFT = 30 / 255
MAX_VALUE_SHIFT = 20 / 255

# The paper names no strength for its additive noise: 1 to 5 % of the range from black to white.
ADDITIVE_NOISE_STD = (0.01, 0.05)
MULTIPLICATIVE_NOISE = (0.5, 1.5)

# Number of rectangles -> shortest and longest side, in pixels.
CUT_OUT_SIDES = {1: (30, 60), 2: (15, 30)}

SEPIA = (
    (0.393, 0.769, 0.189),
    (0.349, 0.686, 0.168),
    (0.272, 0.534, 0.131),
)

# All orders of three channels but the one that changes nothing.
CHANNEL_ORDERS = ((0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))


class TileRule(NamedTuple):
    """Ranges for the tiles of one shuffle, in percent of the image's height or width."""

    side: tuple[int, int]
    distance: tuple[int, int]


# Number of tiles -> their ranges (Hinz et al. 2021, supplementary).
TILE_RULES = {
    1: TileRule(side=(20, 50), distance=(5, 15)),
    2: TileRule(side=(15, 30), distance=(5, 10)),
    3: TileRule(side=(10, 20), distance=(5, 10)),
    4: TileRule(side=(10, 15), distance=(5, 10)),
    5: TileRule(side=(10, 15), distance=(5, 10)),
}


class Move(NamedTuple):
    """A stretch of one axis and where it goes, in pixels: [source, source + side) -> target."""

    source: int
    target: int
    side: int


def recolor(image: Tensor, rng: torch.Generator) -> Tensor:
    """Change the colors, with probability 0.25, by exactly one of four families.

    The families are equally likely: pixel noise; inverted colors or sepia; a channel dropped or
    the channels shuffled; a shift of hue, saturation and value.
    """
    if not _happens(RECOLOR_PROBABILITY, rng):
        return _copy(image)
    family = RECOLOR_FAMILIES[_integer(0, len(RECOLOR_FAMILIES) - 1, rng)]
    changed = family((image + 1) / 2, rng)
    return _copy(changed.clamp(0, 1) * 2 - 1)


def cut_out(image: Tensor, rng: torch.Generator) -> Tensor:
    """Fill, with probability 0.9, one large or two small rectangles with a random color each.

    One rectangle has sides of 30 to 60 px, two have sides of 15 to 30 px; both cases are equally
    likely, heights and widths are drawn apart, and a rectangle lies inside the image. No side is
    longer than half the image's, rounded down, so that at least half of the picture stays however
    small it is: an image one pixel wide or high is returned unchanged.
    """
    result = _copy(image)
    if not _happens(CUT_OUT_PROBABILITY, rng):
        return result
    count = _integer(1, len(CUT_OUT_SIDES), rng)
    for _ in range(count):
        rows = _hole(image.shape[-2], CUT_OUT_SIDES[count], rng)
        columns = _hole(image.shape[-1], CUT_OUT_SIDES[count], rng)
        color = torch.rand((1, 3, 1, 1), generator=rng) * 2 - 1
        result[:, :, rows, columns] = color.to(result)
    return result


def shuffle_tiles(image: Tensor, rng: torch.Generator) -> Tensor:
    """Copy one to five tiles of the image to places nearby.

    The more tiles, the smaller they are: see `TILE_RULES`. Every tile is taken from the unchanged
    image; where two land on each other, the later one is seen.
    """
    result = _copy(image)
    for rows, columns in plan_tiles(image.shape[-2], image.shape[-1], rng):
        tile = image[
            :,
            :,
            rows.source : rows.source + rows.side,
            columns.source : columns.source + columns.side,
        ]
        result[
            :,
            :,
            rows.target : rows.target + rows.side,
            columns.target : columns.target + columns.side,
        ] = tile
    return result


def plan_tiles(height: int, width: int, rng: torch.Generator) -> list[tuple[Move, Move]]:
    """Draw the tiles of one shuffle: for each its vertical and its horizontal move, in pixels.

    Sides and distances are whole numbers of pixels within the stated percentages; where an image
    is so small that none lies within, the smallest number above is taken. Source and target lie
    inside the image.
    """
    rule_count = _integer(1, len(TILE_RULES), rng)
    rule = TILE_RULES[rule_count]
    return [(_move(height, rule, rng), _move(width, rule, rng)) for _ in range(rule_count)]


def rgb_to_hsv(rgb: Tensor) -> Tensor:
    """Convert (N, 3, H, W) RGB in [0, 1] to hue (turns), saturation and value, all in [0, 1].

    Grays have hue 0, black has saturation 0.
    """
    red, green, blue = rgb.unbind(dim=1)
    value, strongest = rgb.max(dim=1)
    chroma = value - rgb.amin(dim=1)
    divisor = torch.where(chroma > 0, chroma, 1)
    sixths = torch.stack(
        [(green - blue) / divisor, (blue - red) / divisor + 2, (red - green) / divisor + 4], dim=1
    )
    hue = sixths.gather(1, strongest.unsqueeze(1)).squeeze(1) / 6 % 1
    saturation = chroma / torch.where(value > 0, value, 1)
    return torch.stack([hue, saturation, value], dim=1)


def hsv_to_rgb(hsv: Tensor) -> Tensor:
    """Convert (N, 3, H, W) hue (turns, any real number), saturation and value in [0, 1] to RGB."""
    hue, saturation, value = hsv.unbind(dim=1)
    channels = []
    for offset in (5, 3, 1):
        sixth = (offset + hue * 6) % 6
        slope = torch.minimum(sixth, 4 - sixth).clamp(0, 1)
        channels.append(value * (1 - saturation * slope))
    return torch.stack(channels, dim=1)


# The four families of `recolor`: RGB in [0, 1] -> RGB, possibly beyond [0, 1].


def _pixel_noise(rgb: Tensor, rng: torch.Generator) -> Tensor:
    if _happens(0.5, rng):
        low, high = MULTIPLICATIVE_NOISE
        factor = torch.rand(rgb.shape, generator=rng) * (high - low) + low
        return rgb * factor.to(rgb)
    noise = torch.randn(rgb.shape, generator=rng) * _uniform(*ADDITIVE_NOISE_STD, rng)
    return rgb + noise.to(rgb)


def _invert_or_sepia(rgb: Tensor, rng: torch.Generator) -> Tensor:
    if _happens(0.5, rng):
        return 1 - rgb
    return torch.einsum("oc,nchw->nohw", rgb.new_tensor(SEPIA), rgb)


def _drop_or_shuffle_channels(rgb: Tensor, rng: torch.Generator) -> Tensor:
    if _happens(0.5, rng):
        kept = torch.ones(3)
        kept[_integer(0, 2, rng)] = 0
        return rgb * kept.view(1, 3, 1, 1).to(rgb)
    order = CHANNEL_ORDERS[_integer(0, len(CHANNEL_ORDERS) - 1, rng)]
    return rgb[:, list(order)]


def _shift_hsv(rgb: Tensor, rng: torch.Generator) -> Tensor:
    hue, saturation, value = rgb_to_hsv(rgb).unbind(dim=1)
    shifted = [
        hue + _uniform(-MAX_HUE_SHIFT, MAX_HUE_SHIFT, rng),
        (saturation + _uniform(-MAX_SATURATION_SHIFT, MAX_SATURATION_SHIFT, rng)).clamp(0, 1),
        (value + _uniform(-MAX_VALUE_SHIFT, MAX_VALUE_SHIFT, rng)).clamp(0, 1),
    ]
    return hsv_to_rgb(torch.stack(shifted, dim=1))


RECOLOR_FAMILIES: tuple[Callable[[Tensor, torch.Generator], Tensor], ...] = (
    _pixel_noise,
    _invert_or_sepia,
    _drop_or_shuffle_channels,
    _shift_hsv,
)


def _hole(length: int, sides: tuple[int, int], rng: torch.Generator) -> slice:
    """Draw where a rectangle lies on an axis of `length` pixels, at most half of it long."""
    shortest, longest = (min(side, length // 2) for side in sides)
    side = _integer(shortest, longest, rng)
    start = _integer(0, length - side, rng)
    return slice(start, start + side)


def _move(length: int, rule: TileRule, rng: torch.Generator) -> Move:
    """Draw a tile's extent and displacement along an axis of `length` pixels."""
    side = _pixels(length, rule.side, rng)
    # Only an image of one pixel has no room for the distance.
    distance = min(_pixels(length, rule.distance, rng), length - side)
    low = _integer(0, length - side - distance, rng)
    source, target = (low, low + distance) if _happens(0.5, rng) else (low + distance, low)
    return Move(source, target, side)


def _pixels(length: int, percent: tuple[int, int], rng: torch.Generator) -> int:
    """Draw a whole number of pixels between two percentages of `length`; at least one pixel."""
    low, high = percent
    smallest = -(-low * length // 100)
    return _integer(smallest, max(smallest, high * length // 100), rng)


def _copy(image: Tensor) -> Tensor:
    return image.clone(memory_format=torch.contiguous_format)


def _happens(probability: float, rng: torch.Generator) -> bool:
    return _uniform(0, 1, rng) < probability


def _uniform(low: float, high: float, rng: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=rng))


def _integer(low: int, high: int, rng: torch.Generator) -> int:
    """Draw a whole number; both ends are included."""
    return int(torch.randint(low, high + 1, (), generator=rng))
