"""The sliced Wasserstein distance as a loss: the same patches, in whatever places.

Each direction w in the space of patches gives one number a patch; sorted, the numbers of both
pictures are compared one by one (Rabin et al. 2011). `metrics.swd` is the figure of merit that goes
by the same distance, over a pyramid and by quantiles; it is no judge of what was trained with this.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 7  # px of a patch
DIRECTIONS = 16  # an iteration
MOST = 4096  # patches that count; of more those on a regular grid: sorting is all the time it takes


def patch_directions(channels: int, rng: torch.Generator) -> Tensor:
    """Random unit vectors in the space of patches, (DIRECTIONS, channels, SIDE, SIDE)."""
    vectors = torch.randn(DIRECTIONS, channels * SIDE**2, generator=rng)
    return F.normalize(vectors, dim=1).view(DIRECTIONS, channels, SIDE, SIDE)


def empty_directions(picture: Tensor) -> Tensor:
    """Room for the directions of patches of (1, C, h, w)."""
    return picture.new_empty(DIRECTIONS, picture.shape[1], SIDE, SIDE)


def sliced_distance(made: Tensor, real: Tensor, directions: Tensor) -> Tensor:
    """Mean over directions of the Wasserstein-1 distance between the patches' projections.

    Args:
        made: (1, C, h, w), which gradients flow to.
        real: of the same shape.
        directions: from `patch_directions`.
    """
    with torch.no_grad():
        wanted = _sorted_projections(real, directions)
    return (_sorted_projections(made, directions) - wanted).abs().mean()


def _sorted_projections(picture: Tensor, directions: Tensor) -> Tensor:
    """(directions, patches), ascending."""
    side = min(SIDE, *picture.shape[-2:])
    positions = (picture.shape[-2] - side + 1) * (picture.shape[-1] - side + 1)
    stride = math.ceil(math.sqrt(positions / MOST))
    projected = F.conv2d(picture, directions[..., :side, :side].to(picture), stride=stride)
    return projected.flatten(2)[0].sort(-1).values
