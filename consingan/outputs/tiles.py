"""Seamless tiles: the preview, and whether a seam can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Seams:
    """How visible the ends of tiles are.

    Attributes:
        errors: of each tile, see `seam_of`.
        previews: of the first tiles, two by two of each; large ones reduced.
    """

    errors: Sequence[float]
    previews: Sequence[Tensor]

    @property
    def mean(self) -> float:
        """Of all tiles."""
        return fmean(self.errors)

    @property
    def worst(self) -> float:
        """Of the tile with the most visible seam."""
        return max(self.errors)

    def to_json(self) -> dict[str, Any]:
        """For metrics.json."""
        return {"mean": self.mean, "worst": self.worst}


def doubled(picture: Tensor) -> Tensor:
    """Two by two copies of (..., h, w), side by side."""
    return torch.cat([torch.cat([picture, picture], -1)] * 2, -2)


def seam_of(picture: Tensor, wraps: tuple[bool, bool]) -> float:
    """The mean `seam_error` of a picture (1, C, h, w) over the axes along which its ends meet."""
    errors = zip(seam_error(picture[0]), wraps, strict=True)
    return fmean(error for error, wrapped in errors if wrapped)


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
