"""Pictures that the tests of metrics judge."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def photo(height: int = 72, width: int = 96, seed: int = 0) -> Tensor:
    """Noise of all scales with the spectrum of a photograph, (1, 3, height, width) in [0, 1]."""
    rng = torch.Generator().manual_seed(seed)
    total = torch.zeros(1, 3, height, width)
    for side in (2, 4, 8, 16, 32, 64):
        noise = torch.randn(1, 3, side, side, generator=rng)
        size = (height, width)
        total += F.interpolate(noise, size=size, mode="bicubic") / side**0.7
    return torch.sigmoid(2 * total)


def noisy(picture: Tensor, sigma: float, seed: int = 1) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return (picture + sigma * torch.randn(picture.shape, generator=rng)).clamp(0, 1)


def blurred(picture: Tensor, radius: int) -> Tensor:
    padded = F.pad(picture, [radius] * 4, mode="reflect")
    return F.avg_pool2d(padded, 2 * radius + 1, stride=1)


REAL = photo()
