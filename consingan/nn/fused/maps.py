"""What the kernels are given: maps, packed weights, a GPU, and how much of it each launch takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

KERNEL = 3
TAPS = KERNEL**2
WIDE = 16  # rows or columns that the matrix units take at least

Size = tuple[int, int]


@dataclass(frozen=True)
class Launch:
    """How many pixels a program computes, with how many warps, loading how far ahead."""

    block: int
    warps: int
    stages: int


LAUNCHES = ((9000, Launch(64, 4, 3)), (2**62, Launch(128, 8, 3)))
"""Up to so many pixels of a picture, of 64 channels and three pictures (measured on an H200)."""


FULL = 64  # channels: of more a program loads less ahead, for which most cards lack memory


def launch_of(pixels: int, channels: int) -> Launch:
    """For a map of so many pixels, of which a program holds all channels."""
    launch = next(launch for most, launch in LAUNCHES if pixels <= most)
    return launch if channels <= FULL else replace(launch, stages=2)


def compute(kernel: Any, programs: tuple[int, ...], *given: Any, **how: Any) -> None:
    """Launch a kernel on the GPU of the first tensor, which need not be torch's current one.

    Triton asks for the current one: there another's memory is none, without an error or with one.
    """
    with torch.cuda.device_of(given[0]):
        kernel[programs](*given, **how)


def packed(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """(C, c, 3, 3) -> (9, c, C) in `dtype`, as `convolve` and `from_colors` read it."""
    outputs, inputs = weight.shape[:2]
    made = weight.new_empty(KERNEL, KERNEL, inputs, outputs, dtype=dtype)
    return made.copy_(weight.permute(2, 3, 1, 0)).view(-1, inputs, outputs)


def packed_transposed(weight: Tensor, dtype: torch.dtype) -> Tensor:
    """(c, C, 3, 3) -> (9, c, C): of a convolution from C channels to c colors."""
    return packed(weight.transpose(0, 1), dtype)


def new_map(
    n: int, channels: int, size: Size, like: Tensor, dtype: torch.dtype | None = None
) -> Tensor:
    """(n, channels, *size), whatever was in memory."""
    return torch.empty(
        (n, channels, *size), dtype=dtype or like.dtype, device=like.device,
        memory_format=torch.channels_last,
    )  # fmt: skip


def as_map(x: Tensor) -> Tensor:
    """`x` in the memory order that the kernels read."""
    return x.contiguous(memory_format=torch.channels_last)


def size_of(x: Tensor) -> Size:
    """(h, w)."""
    return x.shape[-2], x.shape[-1]


def reached(size: Size, padding: Size, step: int = 1) -> Size:
    """Size of a convolution's result, or with -1 of the input that gives one of `size`."""
    height, width = (n + step * (2 * p - KERNEL + 1) for n, p in zip(size, padding, strict=True))
    return height, width


def depth_of(colors: int) -> int:
    """Products of all taps of the colors, as many as the matrix units want."""
    return max(WIDE, 1 << (TAPS * colors - 1).bit_length())
