"""The resize between all scales, of training and of use: truncated bytes, cubic, borders lopsided.

What the authors' programs (SinGAN's and ConSinGAN's) share, exact to the bit of a byte. A picture
passes through bytes first: floor(255 (x + 1) / 2), which training sees, so that it is part of the
method. ConSinGAN's own resize in this toolkit (images/resize.py) has neither bytes nor the border.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

from consingan.machine.device import complete
from consingan.machine.memory import worth_keeping
from consingan.nn.ring import ring
from consingan.settings.tiles import ENDS, Wraps

Size = tuple[int, int]

KERNEL_WIDTH = 4.0  # px, of Keys' kernel
CPU = torch.device("cpu")  # where the weights are made and kept


def resized(size: Size, factor: float) -> Size:
    """Height and width of `size` (h, w) after `resize` by `factor`: ceil(factor * side)."""
    return math.ceil(size[0] * factor), math.ceil(size[1] * factor)


def resize(x: Tensor, factor: float) -> Tensor:
    """(N, 3, h, w) in [-1, 1] to (N, 3, ceil(factor h), ceil(factor w)); beyond is clipped."""
    size = resized((x.shape[-2], x.shape[-1]), factor)
    return from_bytes(resample(_to_bytes(x), size, (factor, factor))).to(x)


def resize_to(x: Tensor, size: Size, wraps: Wraps = ENDS) -> Tensor:
    """(N, 3, h, w) in [-1, 1] to `size` (h, w), each side by its own factor."""
    factors = (size[0] / x.shape[-2], size[1] / x.shape[-1])
    if any(wraps):
        return resize_around(x, size, factors, wraps)
    return from_bytes(resample(_to_bytes(x), size, factors)).to(x)


def resize_around(x: Tensor, size: Size, factors: tuple[float, float], wraps: Wraps) -> Tensor:
    """(N, 3, h, w) in [-1, 1] whose ends meet along some axes to `size` (h, w), through bytes.

    Along an axis that wraps the kernel goes around, and pixels are areas, see
    `nn.ring`; along another one it is `resize` by its factor, cut to `size`.
    """
    pixels = _to_bytes(x)
    rows, columns = (
        ring(n, out, pixels.dtype, pixels.device)
        if wrapped
        else _taps(n, math.ceil(n * factor), factor, factors[0] < 1).to(pixels.device)[:out]
        for n, out, factor, wrapped in zip(x.shape[-2:], size, factors, wraps, strict=True)
    )
    return from_bytes(rows @ pixels @ columns.T).to(x)


def crop(x: Tensor, size: Size) -> Tensor:
    """The top left `size` (h, w) of (N, C, H, W); a side that is shorter stays as it is."""
    return x[..., : size[0], : size[1]]


def to_unit_bytes(x: Tensor) -> Tensor:
    """[-1, 1] to whole numbers 0..255, truncated; the order of float32 operations decides some."""
    return ((x.float() + 1) / 2).clamp(0, 1).mul(255).floor()


def resample(pixels: Tensor, size: Size, factors: tuple[float, float]) -> Tensor:
    """Cubic resize of (N, C, h, w) float64 to `size`, not clipped; the smaller factor's side first.

    Whether the kernel is widened against aliasing is decided for both sides by the vertical factor.
    """
    smooth = factors[0] < 1
    matrices = [
        _taps(n, out, factor, smooth).to(pixels.device)
        for n, out, factor in zip(pixels.shape[-2:], size, factors, strict=True)
    ]
    if factors[0] <= factors[1]:
        return (matrices[0] @ pixels) @ matrices[1].T
    return matrices[0] @ (pixels @ matrices[1].T)


def _to_bytes(x: Tensor) -> Tensor:
    return to_unit_bytes(x).to(complete(x.device), torch.float64)


def from_bytes(pixels: Tensor) -> Tensor:
    """Float64 numbers 0..255 as a picture in [-1, 1], clipped."""
    # Single precision from here on: the last bit decides which byte a value becomes next time.
    return ((pixels / 255).float() - 0.5).mul(2).clamp(-1, 1)


def _taps(n: int, outputs: int, factor: float, smooth: bool) -> Tensor:
    make = _weights if worth_keeping(outputs, n, CPU) else _weights.__wrapped__
    return make(n, outputs, factor, smooth)


@lru_cache(maxsize=64)
def _weights(n: int, outputs: int, factor: float, smooth: bool) -> Tensor:
    """Weights (outputs, n), float64, of one side.

    Output i = 1, 2, ... sits at u = i / s + (1 - 1/s) / 2, counted from 1. Taps before the picture
    are dropped (the others then sum to 1), taps behind it read the mirrored pixel.
    """
    if factor == 1 and outputs == n:
        return torch.eye(n, dtype=torch.float64)
    stretch = factor if smooth else 1.0
    width = KERNEL_WIDTH / stretch
    place = torch.arange(1, outputs + 1, dtype=torch.float64) / factor + 0.5 * (1 - 1 / factor)
    first = torch.floor(place - width / 2).long() - 1
    taps = first[:, None] + torch.arange(math.ceil(width) + 2)
    weights = stretch * _keys(stretch * (place[:, None] - taps - 1))
    weights = torch.where(taps >= 0, weights, 0)
    weights = weights / weights.sum(1, keepdim=True)
    around = taps.clamp(min=0) % (2 * n)
    source = torch.where(around < n, around, 2 * n - 1 - around)
    return torch.zeros(outputs, n, dtype=torch.float64).scatter_add_(1, source, weights)


def _keys(x: Tensor) -> Tensor:
    """Keys' cubic kernel with a = -0.5 (Keys 1981, eq. 15)."""
    x = x.abs()
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return torch.where(x <= 1, near, torch.where(x <= 2, far, 0))
