"""3x3 convolutions and their gradients, each with its activation in one kernel.

Maps are (N, C, h, w) in channels-last memory, sums float32.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from consingan.nn.fused.maps import (
    WIDE,
    Size,
    compute,
    depth_of,
    launch_of,
    new_map,
    reached,
    size_of,
)
from consingan.nn.fused.sums import Parts

PLAIN, LEAKY, SLOPES = 0, 1, 2
"""What is done to a convolution's result: nothing, bias and leaky ReLU, or the slopes of a leaky
ReLU where it gave certain values."""


@lru_cache(maxsize=1)
def _kernels() -> Any:
    from consingan.nn.fused import convolution_kernels

    return convolution_kernels


def convolve(
    x: Tensor, weight: Tensor, padding: Size, *, bias: Tensor | None = None,
    values: Tensor | None = None, slope: float = 1.0, step: int = 1, sums: bool = False,
    out: Tensor | None = None,
) -> tuple[Tensor, Parts | None]:  # fmt: skip
    """A convolution and what `bias` (then a leaky ReLU follows) or `values` ask for.

    Args:
        x: (N, C, h, w), or a picture (N, c, h, w).
        weight: from `packed`.
        padding: of the convolution, (down, across).
        bias: (C,), float32.
        values: what a leaky ReLU gave where the result is: it is multiplied by the slopes there.
        slope: of the leaky ReLU.
        step: -1 for the gradient of the convolution for its input instead.
        sums: whether sums over pixels are wanted, too.
        out: where the result goes; it may be `values`.

    Returns:
        The map, and the sums of each picture's.
    """
    kernels = _kernels()
    (n, inputs), size = x.shape[:2], reached(size_of(x), padding, step)
    channels = weight.shape[2] if step == 1 or inputs != weight.shape[2] else weight.shape[1]
    out = new_map(n, channels, size, x) if out is None else out
    launch = launch_of(size[0] * size[1], channels)
    tiles = math.ceil(size[0] * size[1] / launch.block)
    parts = torch.empty((n, tiles, 1, channels), device=x.device) if sums else out
    mode = LEAKY if bias is not None else PLAIN if values is None else SLOPES
    top, left = (step * p for p in padding)
    numbers = (*size_of(x), *size, top, left, slope)
    optional = (out if bias is None else bias, out if values is None else values)
    given = (x, weight, *optional, out, parts)  # what a mode does not read may be anything
    how = {"num_warps": launch.warps, "num_stages": launch.stages}
    if inputs == channels:
        compute(
            kernels.convolve,
            (tiles, n),
            *given,
            *numbers,
            MODE=mode,
            SUMS=sums,
            STEP=step,
            C=channels,
            BLOCK=launch.block,
            **how,
        )
    else:
        compute(
            kernels.from_colors, (tiles, n),
            *given, *numbers, MODE=mode, SUMS=sums, STEP=step, C=channels,
            COLORS=inputs, DEPTH=depth_of(inputs), BLOCK=launch.block, **how,
        )  # fmt: skip
    return out, Parts(parts, 1) if sums else None


def to_colors(
    x: Tensor, weight: Tensor, padding: Size, *, factor: float = 1.0, step: int = 1,
    bias: Tensor | None = None, dtype: torch.dtype = torch.float32,
) -> Tensor:  # fmt: skip
    """A convolution (N, C, h, w) -> (N, c, h', w') times `factor`; with a `bias` tanh of the sum.

    `weight` (9, c, C) is from `packed` with `step` -1, from `packed_transposed` with 1.
    """
    size, colors, channels = reached(size_of(x), padding, step), weight.shape[1], weight.shape[2]
    out, launch = new_map(len(x), colors, size, x, dtype), launch_of(size[0] * size[1], channels)
    tiles = math.ceil(size[0] * size[1] / launch.block)
    top, left = (step * p for p in padding)
    compute(
        _kernels().to_colors, (tiles, len(x)),
        x, weight, out if bias is None else bias, out, *size_of(x), *size, top, left, factor,
        RENDER=bias is not None, STEP=step, C=channels, COLORS=colors, WIDE=WIDE,
        BLOCK=launch.block, num_warps=launch.warps, num_stages=launch.stages,
    )  # fmt: skip
    return out


def penalized(
    x: Tensor, weight: Tensor, padding: Size, push: Tensor, scores: int, factor: float
) -> Tensor:
    """Sums of (|g| - 1)^2, g = scores W^T x, some that add up; `push` (1, c, h, w) is filled.

    It gets factor (|g| - 1) g / |g|, see `linear_critic.penalty_and_gradient`.
    """
    size, channels = size_of(push), weight.shape[2]
    launch = launch_of(size[0] * size[1], channels)
    tiles = math.ceil(size[0] * size[1] / launch.block)
    sums = torch.empty(tiles, device=x.device)
    compute(
        _kernels().penalized, (tiles,),
        x, weight, push, sums, *size_of(x), *size, -padding[0], -padding[1], float(scores), factor,
        C=channels, COLORS=weight.shape[1], WIDE=WIDE,
        BLOCK=launch.block, num_warps=launch.warps, num_stages=launch.stages,
    )  # fmt: skip
    return sums


def _begin(
    seed: Tensor, values: Tensor, slope: float, negative: int, apart: int
) -> tuple[Tensor, Parts]:
    (n, channels), pixels = values.shape[:2], values.shape[-2] * values.shape[-1]
    launch, out = launch_of(pixels, channels), new_map(n, channels, size_of(values), values)
    tiles = math.ceil(pixels / launch.block)
    sums = torch.empty((n, tiles, 1, channels), device=values.device)
    compute(
        _kernels().begin_backward, (tiles, n),
        seed, values, out, sums, pixels, apart, negative, slope,
        C=channels, BLOCK=launch.block, num_warps=launch.warps,
    )  # fmt: skip
    return out, Parts(sums, 1)


def through_slopes(gradient: Tensor, values: Tensor, slope: float) -> tuple[Tensor, Parts]:
    """`gradient` (N, C, h, w) through a leaky ReLU that gave `values`, and sums of each picture."""
    return _begin(gradient, values, slope, -1, gradient.shape[-2] * gradient.shape[-1])


def begin_backward(
    seed: Tensor, values: Tensor, slope: float, negative: int = -1
) -> tuple[Tensor, Parts]:
    """`seed` (1, C, h, w) through a leaky ReLU that gave `values`, and sums of each picture.

    That of picture `negative` has its sign changed; the sums are as `convolve` has them.
    """
    return _begin(seed, values, slope, negative, 0)
