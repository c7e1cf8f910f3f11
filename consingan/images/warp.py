"""Thin-plate-spline warps: exact at every pixel, the same for both pictures of a pair.

A warp is a map (2, h, w), float64: the (row, column) in px of the source that each pixel of the
result is read from. It interpolates, with U(r) = r^2 log r^2 (Bookstein 1989, section II),

    f(x) = a_0 + a_1 row + a_2 column + sum_i w_i U(|x - p_i|),    f(p_i) = q_i
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int]

POINTS = 3  # control points a side (Vinker et al. 2021, section 3.2)
REACH = 0.1  # of the side, by which a control point moves at most


def spline_map(places: Tensor, sources: Tensor, size: Size) -> Tensor:
    """The warp that reads `sources` at `places`, (2, h, w) float64.

    Args:
        places: (n, 2), (row, column) in the result; such as coincide come from one place.
        sources: (n, 2), where they come from.
        size: (h, w) of the result.
    """
    places, sources = places.double(), sources.double()
    n = len(places)
    flat = torch.cat([places.new_ones(n, 1), places], 1)
    system = places.new_zeros(n + 3, n + 3)
    system[:n, :n] = _bending(places)
    system[:n, n:], system[n:, :n] = flat, flat.T
    wanted = torch.cat([sources, sources.new_zeros(3, 2)])
    # Not `solve`: two points in one place, a corner that is not moved, make it singular.
    weights = torch.linalg.lstsq(system, wanted, driver="gelsd").solution
    rows, columns = (torch.arange(n, dtype=torch.float64) for n in size)
    bending, plane = weights[:n].T, weights[n:]
    even = plane[0] + rows[:, None, None] * plane[1] + columns[None, :, None] * plane[2]
    bent = (bending @ _radial(places, rows, columns)).view(2, *size)
    read: Tensor = bent + even.permute(2, 0, 1)
    return read


def _radial(centers: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """U of the distances of n centers to all pixels, (n, h w)."""
    down = (centers[:, 0, None] - rows).square()
    across = (centers[:, 1, None] - columns).square()
    squared = (down[:, :, None] + across[:, None, :]).flatten(1)
    return torch.xlogy(squared, squared)


def _bending(places: Tensor) -> Tensor:
    """U of the distances of all places to one another, (n, n)."""
    squared = (places[:, None] - places[None]).square().sum(-1)
    return torch.xlogy(squared, squared)


def control_points(size: Size) -> Tensor:
    """The grid of control points of a picture of `size` (h, w), (9, 2), from side to side."""
    rows = torch.linspace(0, size[0], POINTS, dtype=torch.float64)
    columns = torch.linspace(0, size[1], POINTS, dtype=torch.float64)
    return torch.cartesian_prod(rows, columns)


def warp_of(moves: Tensor, size: Size) -> Tensor:
    """The warp that moves the control points.

    The four corners are held by points of their own beside the grid's, as Vinker et al. do.

    Args:
        moves: (9, 2) in [-1, 1], as shares of `REACH` of the sides (row, column).
        size: (h, w) in px.
    """
    sides = torch.tensor(size, dtype=torch.float64)
    sources = control_points(size)
    corners = torch.cartesian_prod(*(torch.tensor([0.0, s], dtype=torch.float64) for s in size))
    places = sources + moves.double() * REACH * sides
    return spline_map(torch.cat([places, corners]), torch.cat([sources, corners]), size)


def random_warp(size: Size, rng: torch.Generator) -> Tensor:
    """A warp for pictures of `size` (h, w), drawn from `rng`."""
    moves = 2 * torch.rand(POINTS**2, 2, generator=rng, dtype=torch.float64) - 1
    return warp_of(moves, size)


def warped(image: Tensor, read: Tensor, nearest: bool = False) -> Tensor:
    """`image` (1, C, h, w) read at the map `read`, mirrored at the border: (1, C, h', w').

    Args:
        image: whatever its range.
        read: see the module.
        nearest: whether pixels stay as they are (labels), else bilinear.
    """
    height, width = image.shape[-2:]
    # torch's unit is half a side, from the outer edges of the outermost pixels.
    sides = torch.tensor([height, width], dtype=torch.float64)[:, None, None]
    unit = (2 * read + 1) / sides - 1
    grid = unit.flip(0).permute(1, 2, 0)[None].to(image)
    mode = "nearest" if nearest else "bilinear"
    return F.grid_sample(image, grid, mode, padding_mode="reflection", align_corners=False)
