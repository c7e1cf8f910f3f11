"""Seamless tiles: the preview, and whether a seam can be seen."""

from __future__ import annotations

import torch
from torch import Tensor


def doubled(picture: Tensor) -> Tensor:
    """Two by two copies of (..., h, w), side by side."""
    return torch.cat([torch.cat([picture, picture], -1)] * 2, -2)


def seam_error(x: Tensor) -> tuple[float, float]:
    """How visible the wrap of (C, H, W) is, top to bottom and left to right; 1 is not at all.

    The mean difference across the wrap over that of neighbors inside.
    """
    errors = []
    for axis in (1, 2):
        difference = (x - x.roll(1, axis)).abs().mean((0, 3 - axis))
        inside = float(difference[1:].mean())
        errors.append(float(difference[0]) / inside if inside else 1.0)
    return errors[0], errors[1]
