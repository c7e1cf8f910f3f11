"""The geometry of a hole: what is known around it, at every scale, and which patches are free."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.errors import UserError
from consingan.methods.patches.pyramid import Size, scale_count, scale_sizes

SHARES = (0.85, 0.25)
"""Of the coarsest scale's patches that should, and that must be free of the hole. What the hole's
own surroundings show must be free too: with 0.25 alone a black helmet was filled with a face."""
COARSE = 64  # px of the coarsest scale's shorter side, at most, where the lesser share will do


def smooth_fill(image: Tensor, hole: Tensor) -> Tensor:
    """The picture (C, H, W) with its hole (H, W, bool) filled from around it, coarse to fine.

    Means of what is known at half the size, and so on: no pixel of the hole matters.
    """
    known = (~hole).to(image)[None]
    return torch.where(hole, _pulled(torch.where(hole, 0, image), known), image)


def _pulled(total: Tensor, weight: Tensor) -> Tensor:
    """Total / weight, and where the weight is 0 the same at half the size."""
    value = total / weight.clamp_min(1e-6)
    if min(total.shape[1:]) == 1 or bool((weight > 0).all()):
        return value
    halves = (F.avg_pool2d(x[None], 2, ceil_mode=True)[0] for x in (total, weight))
    below = _pulled(*halves)
    up = F.interpolate(below[None], size=total.shape[1:], mode="bilinear")[0]
    return torch.where(weight > 0, value, up)


def hole_sizes(hole: Tensor, sizes: Sequence[Size]) -> list[Tensor]:
    """The hole (H, W, bool) at each of `sizes`: every pixel that has a part of it."""
    whole = hole.float()[None]
    return [F.adaptive_max_pool2d(whole, size)[0] > 0 for size in sizes]


def touched(hole: Tensor, patch: int) -> Tensor:
    """Which windows of (h, w) have a pixel of the hole, (rows, columns)."""
    return F.max_pool2d(hole.float()[None], patch, stride=1)[0] > 0


def scales_around(hole: Tensor, floor: int, patch: int) -> int:
    """S for a hole (H, W, bool): as many as leave enough patches at the coarsest scale.

    Raises:
        UserError: there is no patch without a pixel of the hole.
    """
    size = (hole.shape[0], hole.shape[1])
    if min(size) < patch or bool(touched(hole, patch).all()):
        raise UserError(
            f"The mask leaves no known patch of {patch} px to fill the hole with; "
            "make the hole smaller or use a smaller --patch."
        )
    most = scale_count([size], floor, patch)
    coarsest = {s: scale_sizes(size, s, floor)[-1] for s in range(most, 0, -1)}
    free = {s: 1 - float(touched(hole_sizes(hole, [size])[0], patch).float().mean())
            for s, size in coarsest.items()}  # fmt: skip
    good = [s for s in coarsest if free[s] >= SHARES[0] and min(coarsest[s]) <= COARSE]
    fair = [s for s in coarsest if free[s] >= SHARES[1]]
    return next(iter([*good, *fair]), 1)


def nearest_free(hole: Tensor, patch: int) -> Tensor:
    """Of each patch of (h, w), (N,), the number of the nearest one without a hole's pixel."""
    from scipy.ndimage import distance_transform_edt

    taken = touched(hole, patch).cpu().numpy()
    row, column = distance_transform_edt(taken, return_distances=False, return_indices=True)
    numbers = torch.from_numpy(row).long() * taken.shape[1] + torch.from_numpy(column).long()
    found: Tensor = numbers.flatten().to(hole.device)
    return found
