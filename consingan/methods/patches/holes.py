"""The geometry of a hole: what is known around it, at every scale, and which patches are free."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.errors import UserError
from consingan.methods.patches.pyramid import Size, scale_count, scale_sizes

SHARE = 0.45
"""Of a scale's patches that must be free of the hole, else there is too little to choose from: of
eight squares of 40 in 128 px the SWD was 22.0 with a quarter and 20.7 with this."""
THICK = 1.5
"""Sides of a patch that the hole may be thick at the coarsest scale. At coarser ones yet a patch
shows so much beside the hole that none like it is found: a black visor was filled with a face."""


def hole_sizes(hole: Tensor, sizes: Sequence[Size]) -> list[Tensor]:
    """The hole (H, W, bool) at each of `sizes`: every pixel that has a part of it."""
    whole = hole.float()[None]
    return [F.adaptive_max_pool2d(whole, size)[0] > 0 for size in sizes]


def touched(hole: Tensor, patch: int) -> Tensor:
    """Which windows of (h, w) have a pixel of the hole, (rows, columns)."""
    return F.max_pool2d(hole.float()[None], patch, stride=1)[0] > 0


def scales_around(hole: Tensor, floor: int, patch: int) -> int:
    """S for a hole (H, W, bool): as few as make it as thin as a patch at the coarsest scale.

    Raises:
        UserError: there is no patch without a pixel of the hole.
    """
    size = (hole.shape[0], hole.shape[1])
    if min(size) < patch or bool(touched(hole, patch).all()):
        raise UserError(
            f"The mask leaves no known patch of {patch} px to fill the hole with; "
            "make the hole smaller or use a smaller --patch."
        )
    thick, scales = 2 * float(depth(hole).max()), 1
    for more in range(2, scale_count([size], floor, patch) + 1):
        if thick <= THICK * patch * 2 ** (scales - 1):
            break
        coarser = hole_sizes(hole, [scale_sizes(size, more, floor)[-1]])[0]
        if 1 - float(touched(coarser, patch).float().mean()) < SHARE:
            break
        scales = more
    return scales


def depth(hole: Tensor) -> Tensor:
    """Of each pixel of a hole (h, w) the distance in px from what is known, 0 outside."""
    from scipy.ndimage import distance_transform_edt

    return torch.from_numpy(distance_transform_edt(hole.cpu().numpy())).float().to(hole.device)


def nearest_free(hole: Tensor, patch: int) -> Tensor:
    """Of each patch of (h, w), (N,), the number of the nearest one without a hole's pixel."""
    from scipy.ndimage import distance_transform_edt

    taken = touched(hole, patch).cpu().numpy()
    row, column = distance_transform_edt(taken, return_distances=False, return_indices=True)
    numbers = torch.from_numpy(row).long() * taken.shape[1] + torch.from_numpy(column).long()
    found: Tensor = numbers.flatten().to(hole.device)
    return found
