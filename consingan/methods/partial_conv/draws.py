"""What one iteration sees: the picture mirrored and enlarged, and what of it is hidden."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int]

STEPS = 25  # of a stroke
SHORT = 128  # px of a picture's shorter side at which a stroke is 8 px wide
COVERED = (0.05, 0.3)  # share of a picture under strokes, between these


@dataclass(frozen=True)
class Hiding:
    """How holes are drawn, see `PartialConvConfig`."""

    moved: float
    strokes: float
    zoom: float


@dataclass(frozen=True)
class Draw:
    """(1, 3, h, w) in [-1, 1]; (1, 1, h, w), 1 where there is truth, and where it is shown."""

    picture: Tensor
    known: Tensor
    shown: Tensor


def drawn(picture: Tensor, known: Tensor, rng: torch.Generator, hiding: Hiding) -> Draw:
    """One picture to learn from, on the picture's device.

    Args:
        picture: (1, 3, h, w) in [-1, 1].
        known: (1, 1, h, w), 0 in the user's hole.
        rng: on the CPU.
        hiding: how.
    """
    size = (picture.shape[-2], picture.shape[-1])
    chance = torch.rand(4, generator=rng).tolist()
    hole = 1 - known.cpu()
    if chance[0] < 0.5:
        picture, known = picture.flip(3), known.flip(3)
    factor = 1 + (hiding.zoom - 1) * chance[1]
    picture, known = enlarged(picture, known, factor, rng)
    own, strokes = chance[2] < hiding.moved, chance[3] < hiding.strokes
    mask = torch.zeros(1, 1, *size)
    if own or not strokes:
        mask = torch.maximum(mask, moved(hole, rng))
    if strokes or not own:
        mask = torch.maximum(mask, stroked(size, rng))
    shown = known * (1 - mask.to(known))
    return Draw(picture, known, shown)


def enlarged(
    picture: Tensor, known: Tensor, factor: float, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """A random part, 1/factor of each side, at the size of the whole."""
    if factor == 1:
        return picture, known
    height, width = picture.shape[-2:]
    rows, columns = (max(round(side / factor), 1) for side in (height, width))
    top = int(torch.randint(height - rows + 1, (1,), generator=rng))
    left = int(torch.randint(width - columns + 1, (1,), generator=rng))
    cut = (..., slice(top, top + rows), slice(left, left + columns))
    large = F.interpolate(picture[cut], (height, width), mode="bilinear")
    seen = F.interpolate(known[cut], (height, width), mode="bilinear")
    return large, (seen > 1 - 1e-4).to(known)


def moved(hole: Tensor, rng: torch.Generator) -> Tensor:
    """The hole's own shape anywhere, mirrored and turned, perhaps over the border."""
    size = (hole.shape[-2], hole.shape[-1])
    turn = torch.randint(2, (3,), generator=rng).tolist()
    hole = hole.flip(2) if turn[0] else hole
    hole = hole.flip(3) if turn[1] else hole
    hole = hole.transpose(2, 3) if turn[2] else hole
    rows, columns = (hole.amax(axis) for axis in (3, 2))
    first = [int(line.flatten().nonzero()[0]) for line in (rows, columns)]
    last = [int(line.flatten().nonzero()[-1]) + 1 for line in (rows, columns)]
    piece = hole[..., first[0] : last[0], first[1] : last[1]]
    made = torch.zeros(1, 1, *size)
    middle = [int(torch.randint(side, (1,), generator=rng)) for side in size]
    start = [m - p // 2 for m, p in zip(middle, piece.shape[-2:], strict=True)]
    low = [max(s, 0) for s in start]
    high = [min(s + p, side) for s, p, side in zip(start, piece.shape[-2:], size, strict=True)]
    made[..., low[0] : high[0], low[1] : high[1]] = piece[
        ..., low[0] - start[0] : high[0] - start[0], low[1] - start[1] : high[1] - start[1]
    ]
    return made


def stroked(size: Size, rng: torch.Generator) -> Tensor:
    """Random walks of a round pen, 8 px wide on 128, until some share is covered."""
    share = COVERED[0] + (COVERED[1] - COVERED[0]) * float(torch.rand(1, generator=rng))
    radius = max(1, round(4 * min(size) / SHORT))
    pen = (torch.arange(-radius, radius + 1).square()[:, None]
           + torch.arange(-radius, radius + 1).square() <= radius**2).float()  # fmt: skip
    points = torch.zeros(1, 1, *size)
    made = points
    for _ in range(64):
        if float(made.mean()) >= share:
            break
        start = torch.rand(2, generator=rng) * torch.tensor(size)
        turns = torch.randn(STEPS, generator=rng).cumsum(0) * 0.5
        turns = turns + 2 * torch.pi * torch.rand(1, generator=rng)
        steps = radius * torch.stack([turns.sin(), turns.cos()], 1)
        path = (start + steps.cumsum(0)).long() % torch.tensor(size)
        points[0, 0, path[:, 0], path[:, 1]] = 1
        made = (F.conv2d(points, pen[None, None], padding=radius) > 0.5).float()
    return made
