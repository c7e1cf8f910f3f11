"""Sums over pixels: gradients of weights and biases, and what the critic's last layer sees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from consingan.nn.fused.maps import FULL, TAPS, WIDE, Size, compute, depth_of, size_of
from consingan.nn.kernels import conv_backward

FEW, MANY = 16, 128  # parts that are read at a time
BLOCK = 64  # pixels
PROGRAMS = 384  # some for each of an H100's 132 processors
LONG = 20000  # pixels of all pictures from which on cuDNN's weight gradient is faster (measured)
ROUNDS = 5  # blocks of pixels that one program takes


@lru_cache(maxsize=1)
def _kernels() -> Any:
    from consingan.nn.fused import sum_kernels

    return sum_kernels


@dataclass(frozen=True)
class Parts:
    """Sums that are still to be added up: (N, terms, depth, C) in float32, rows taps by colors."""

    parts: Tensor
    colors: int

    def into(
        self, out: Tensor, *, transposed: bool = False, factor: float = 1.0,
        pictures: int | None = None, negative: int = -1,
    ) -> Tensor:  # fmt: skip
        """Fill a convolution's weight gradient (C, c, 3, 3) or a bias's (C,).

        Args:
            out: where the sums go, contiguous float32.
            transposed: it is (c, C, 3, 3).
            factor: of the whole.
            pictures: the first ones alone, by default all.
            negative: the picture whose sums are subtracted.
        """
        n, terms, depth, channels = self.parts.shape
        taps = TAPS if depth > 1 else 1
        apart, beside = (taps, taps * channels) if transposed else (taps * self.colors, taps)
        compute(
            _kernels().fold, (taps * self.colors,),
            self.parts, out, n if pictures is None else pictures, terms, depth, negative, factor,
            apart, beside, COLORS=self.colors, C=channels,
            BLOCK=FEW if terms <= FEW else MANY, num_warps=4 if terms <= FEW else 8,
        )  # fmt: skip
        return out


def colors_gradient(colors: Tensor, features: Tensor, padding: Size, step: int = 1) -> Parts:
    """Weight gradient of a convolution from or to colors.

    Args:
        colors: (N, c, h, w), the convolution's input; with `step` -1 its output's gradient.
        features: (N, C, h', w'), its output's gradient; with `step` -1 its input.
        padding: of the convolution.
        step: see the others.
    """
    (n, channels), count = features.shape[:2], colors.shape[1]
    pixels = n * features.shape[-2] * features.shape[-1]
    depth = depth_of(count)
    programs = min(math.ceil(pixels / BLOCK), PROGRAMS)
    out = torch.empty((1, programs, depth, channels), device=features.device)
    top, left = (step * p for p in padding)
    compute(
        _kernels().colors_gradient, (programs,),
        colors, features, out, n, *size_of(colors), *size_of(features), top, left,
        STEP=step, C=channels, COLORS=count, DEPTH=depth, BLOCK=BLOCK, num_warps=4,
    )  # fmt: skip
    return Parts(out, count)


def weight_gradient(values: Tensor, gradients: Tensor, padding: Size, out: Tensor) -> list[Any]:
    """Fill `out` (C, C, 3, 3) for the input and the output's gradient of a convolution.

    Returns:
        what must be kept until that is done.
    """
    n, channels, height, width = gradients.shape
    pixels = n * height * width
    if pixels > LONG:
        like = values.new_empty(out.shape)  # of a convolution's weight its shape is read
        dw = conv_backward(gradients, values, like, padding, [False, True, False])[1]
        out.copy_(dw)
        return [like, dw]
    programs = min(math.ceil(pixels / BLOCK / ROUNDS), FEW)
    parts = torch.empty((1, programs, TAPS * channels, channels), device=values.device)
    compute(
        _kernels().weight_gradient, (TAPS, programs),
        values, gradients, parts, n, *size_of(values), height, width, *padding,
        C=channels, BLOCK=BLOCK, num_warps=4 if channels <= FULL else 8,
    )  # fmt: skip
    Parts(parts, channels).into(out)
    return [parts]


def tap_sums(features: Tensor, outputs: Size, padding: Size) -> Parts:
    """Sums over the places of each tap of a convolution (N, C, h, w) -> (N, 1, *outputs)."""
    n, channels, height, width = features.shape
    programs = min(math.ceil(height * width / BLOCK), MANY)
    out = torch.empty((n, programs, WIDE, channels), device=features.device)
    compute(
        _kernels().tap_sums,
        (programs, n),
        features,
        out,
        height,
        width,
        *outputs,
        *padding,
        C=channels,
        BLOCK=BLOCK,
        num_warps=4,
    )
    return Parts(out, 1)
