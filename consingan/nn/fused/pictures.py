"""Pictures and maps that convolutions take: pictures side by side, maps resampled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from consingan.nn.fused.maps import compute, new_map, size_of

PIXELS = 256  # that a program copies
RESAMPLED = 32  # px that a program makes


@lru_cache(maxsize=1)
def _kernels() -> Any:
    from consingan.nn.fused import picture_kernels

    return picture_kernels


def three_pictures(real: Tensor, fake: Tensor, mixing: Tensor | None, dtype: torch.dtype) -> Tensor:
    """(1, c, h, w) each -> real, fake and, with `mixing`, mixing real + (1 - mixing) fake."""
    (colors, height, width), pixels = fake.shape[1:], fake.shape[-2] * fake.shape[-1]
    out = new_map(2 if mixing is None else 3, colors, (height, width), fake, dtype)
    strides = [s for x in (real, fake) for s in (x.stride(1), x.stride(3))]
    compute(
        _kernels().three_pictures, (math.ceil(pixels / PIXELS),),
        real, fake, real if mixing is None else mixing, out, pixels, *strides,
        MIXED=mixing is not None, COLORS=colors, WIDE=1 << (colors - 1).bit_length(), BLOCK=PIXELS,
    )  # fmt: skip
    return out


@dataclass(frozen=True)
class Taps:
    """A narrow matrix along an axis: the first input of each output, and weights from there on."""

    first: Tensor
    weights: Tensor

    @classmethod
    def of(cls, matrix: Tensor, device: torch.device) -> Taps:
        """Of a matrix (outputs, inputs) with some neighbors in each row."""
        used = matrix != 0
        first = used.int().argmax(1)
        last = matrix.shape[1] - 1 - used.flip(1).int().argmax(1)
        count = int((last - first).max()) + 1
        first = first.clamp(max=max(matrix.shape[1] - count, 0))
        weights = matrix.gather(1, first[:, None] + torch.arange(min(count, matrix.shape[1])))
        return cls(first.int().to(device), weights.float().contiguous().to(device))


def resample(
    x: Tensor, rows: Taps, columns: Taps, noise: Tensor | None = None, amplitude: float = 0.0
) -> Tensor:
    """(N, C, h, w) resampled along both axes, plus amplitude times noise of the result's shape."""
    size = len(rows.first), len(columns.first)
    out = new_map(len(x), x.shape[1], size, x)
    compute(
        _kernels().resample, (math.ceil(size[0] * size[1] / RESAMPLED), len(x)),
        x, out if noise is None else noise, out, rows.first, rows.weights, columns.first,
        columns.weights, rows.weights.shape[1], columns.weights.shape[1], *size_of(x), *size,
        amplitude, NOISY=noise is not None, C=x.shape[1], BLOCK=RESAMPLED, num_warps=4,
    )  # fmt: skip
    return out
