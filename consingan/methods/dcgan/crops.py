"""Crops of one image."""

from __future__ import annotations

import torch
from torch import Tensor


def cut(image: Tensor, side: int, count: int, rng: torch.Generator, flips: bool) -> Tensor:
    """(count, 3, side, side), from anywhere in `image` (1, 3, h, w), half of them mirrored."""
    height, width = image.shape[-2:]
    tops = torch.randint(height - side + 1, (count,), generator=rng).tolist()
    lefts = torch.randint(width - side + 1, (count,), generator=rng).tolist()
    mirrored = (torch.rand(count, generator=rng) < 0.5).tolist()
    found = []
    for top, left, turned in zip(tops, lefts, mirrored, strict=True):
        crop = image[..., top : top + side, left : left + side]
        found.append(crop.flip(3) if turned and flips else crop)
    return torch.cat(found)
