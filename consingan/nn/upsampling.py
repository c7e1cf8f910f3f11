"""Bicubic up-sampling as products with narrow matrices, a fraction of the time of torch's own.

Interpolation is linear along each axis: an output pixel is a sum of four input pixels. As one dense
matrix the products would grow with the 3/2 power of the pixels; cut into blocks of some output
pixels, each of which reads a short stretch of the input, they grow with the pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from consingan.machine.graphs import constant
from consingan.machine.memory import worth_keeping
from consingan.nn.ring import ring, ring_part
from consingan.settings.tiles import ENDS, Wraps

Size = tuple[int, int]
Box = tuple[Size, Size]  # ranges [a, b) of rows and of columns
BLOCK = 64  # output px at least of a product on a CPU (measured at 33 to 620 px)
GPU_BLOCK = 512  # a GPU multiplies one large matrix sooner than it launches many small ones
_COMB = 8  # more than an output pixel's four inputs and what rounding may shift them by


def bicubic(x: Tensor, size: Size) -> Tensor:
    """Up(x, size): bicubic interpolation of (N, C, h, w) to `size`, corners aligned."""
    return F.interpolate(x, size=size, mode="bicubic", align_corners=True)


def bicubic_by_matrices(x: Tensor, size: Size) -> Tensor:
    """`bicubic` by matrix products, (N, C, h, w) -> (N, C, *size), channels-last.

    It equals torch's own to rounding and is differentiable once.
    """
    return _Bicubic.apply(x, size)  # type: ignore[no-any-return,no-untyped-call]


def bicubic_around(x: Tensor, size: Size, wraps: Wraps) -> Tensor:
    """Up(x, size) of a map on a ring or a torus, (N, C, h, w) -> (N, C, *size), channels-last.

    Along an axis that wraps it is as in `ring`, along another one `bicubic`.

    Args:
        x: the map.
        size: (H, W).
        wraps: whether bottom meets top, and right meets left.
    """
    rows, columns = (
        (ring if wrapped else _whole)(n_in, n_out, x.dtype, x.device)
        for n_in, n_out, wrapped in zip(x.shape[-2:], size, wraps, strict=True)
    )
    y = _along_width(x.permute(0, 2, 3, 1), _one_block(columns), size[1])
    return _along_height(y, _one_block(rows), size[0]).permute(0, 3, 1, 2)


def _one_block(weights: Tensor) -> tuple[_Block, ...]:
    """A whole matrix as the one block of a product."""
    return (_Block(0, weights.shape[0], 0, weights.shape[1], weights),)


def _whole(n_in: int, n_out: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    make = _cast if worth_keeping(n_out, n_in, device) else _cast.__wrapped__
    return make(n_in, n_out, dtype, device)


@lru_cache(maxsize=64)
def _cast(n_in: int, n_out: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    return whole_matrix(n_in, n_out).to(dtype).to(device)


def whole_matrix(n_in: int, n_out: int) -> Tensor:
    """The matrix (n_out, n_in) of `bicubic` along an axis, float64."""
    return _part_of_matrix(n_in, n_out, (0, n_out), (0, n_in))


@lru_cache(maxsize=4096)
def sources(n_in: int, n_out: int, first: int, last: int) -> tuple[int, int]:
    """Range [a, b) of the `n_in` inputs that the outputs [first, last) of `n_out` are made of."""
    inputs, weights = _taps(n_in, n_out)
    used = inputs[first:last][weights[first:last] != 0]
    return int(used.min()), int(used.max()) + 1


def bicubic_rows(x: Tensor, size: Size, rows: Size, height: int, first: int) -> Tensor:
    """Rows [a, b) = `rows` of `bicubic_by_matrices` of a picture that is known in part.

    Args:
        x: rows `first` and on of (N, C, `height`, w), as many as `sources` asks for.
        size: (H, W) of the whole result.
        rows: of the result.
        height: of the whole picture.
        first: row of the picture that `x` begins with.

    Returns:
        (N, C, b - a, W), without gradients.
    """
    y = x.permute(0, 2, 3, 1)
    y = _along_width(y, _blocks(x.shape[-1], size[1], False, x.dtype, x.device), size[1])
    here = _part_of_matrix(height, size[0], rows, (first, first + x.shape[-2]))
    flat = y.reshape(len(y), y.shape[1], -1)
    made = torch.matmul(here.to(x.dtype).to(x.device), flat)
    return made.view(len(y), rows[1] - rows[0], size[1], -1).permute(0, 3, 1, 2)


def bicubic_window(
    x: Tensor, size: Size, box: Box, whole: Size, known: Box, wraps: Wraps = ENDS
) -> Tensor:
    """A window of `bicubic_by_matrices` of a picture that is known in part; differentiable.

    Along axes that wrap a window of `bicubic_around`.

    Args:
        x: (N, C, h, w), the rows and columns `known` of a picture of size `whole` (h', w'), at
            least those that `sources` asks for.
        size: (H, W) of the whole result.
        box: rows and columns of the result.
        whole: see x.
        known: see x.
        wraps: along which axes ends meet.

    Returns:
        (N, C, rows, columns) of `box`, channels-last.
    """
    rows, columns = (
        (ring_part if wrapped else _part_of_matrix)(before, after, *ranges).to(x.dtype).to(x.device)
        for wrapped, before, after, *ranges in zip(wraps, whole, size, box, known, strict=True)
    )
    y = torch.matmul(columns, x.permute(0, 2, 3, 1))  # (N, h, columns, C)
    samples, height, width, channels = y.shape
    y = torch.matmul(rows, y.reshape(samples, height, width * channels))
    return y.view(samples, -1, width, channels).permute(0, 3, 1, 2)


class _Bicubic(torch.autograd.Function):
    """Up-sampling as products along each axis; its gradient as two more."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, size: Size) -> Tensor:
        ctx.size = (x.shape[-2], x.shape[-1])
        return _along_both_axes(x, size, transposed=False)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _along_both_axes(gradient, ctx.size, transposed=True), None


@dataclass(frozen=True)
class _Block:
    """Outputs [start, stop) = `weights` (stop - start, last - first) times inputs [first, last)."""

    start: int
    stop: int
    first: int
    last: int
    weights: Tensor


def _along_both_axes(x: Tensor, size: Size, transposed: bool) -> Tensor:
    """Multiply rows and columns of (N, C, h, w) by the matrices of up-sampling, or transposed."""
    height, width = x.shape[-2:]

    def blocks(n_in: int, n_out: int) -> tuple[_Block, ...]:
        if transposed:
            n_in, n_out = n_out, n_in
        return _blocks(n_in, n_out, transposed, x.dtype, x.device)

    def across(y: Tensor) -> Tensor:
        return _along_width(y, blocks(width, size[1]), size[1])

    def down(y: Tensor) -> Tensor:
        return _along_height(y, blocks(height, size[0]), size[0])

    y = x.permute(0, 2, 3, 1)
    y = across(down(y)) if size[0] < height else down(across(y))  # the smaller one in between
    return y.permute(0, 3, 1, 2)


def _along_width(y: Tensor, blocks: Sequence[_Block], width: int) -> Tensor:
    """(N, h, w, C) -> (N, h, width, C)."""
    samples, height, before, channels = y.shape
    made = _products(y.reshape(-1, before, channels), blocks, width)
    return made.view(samples, height, width, channels)


def _along_height(y: Tensor, blocks: Sequence[_Block], height: int) -> Tensor:
    """(N, h, w, C) -> (N, height, w, C)."""
    samples, before, width, channels = y.shape
    made = _products(y.reshape(samples, before, -1), blocks, height)
    return made.view(samples, height, width, channels)


def _products(flat: Tensor, blocks: Sequence[_Block], outputs: int) -> Tensor:
    """(B, n, m) -> (B, outputs, m)."""
    parts = (
        torch.bmm(
            constant(b.weights).expand(len(flat), -1, -1), flat[:, b.first : b.last]
        )  # of bfloat16 each picture's own copy of the weights is made: hence narrow blocks
        for b in blocks
    )
    if len(blocks) == 1:
        return next(parts)
    made = flat.new_empty(len(flat), outputs, flat.shape[2])
    for block, part in zip(blocks, parts, strict=True):
        made[:, block.start : block.stop] = part
    return made


@lru_cache(maxsize=256)
def _taps(n_in: int, n_out: int) -> tuple[Tensor, Tensor]:
    """Inputs (n_out, 8) of each output and their float64 weights, read off torch's own.

    The picture that is interpolated has a column for each remainder of 8, one where the row's
    number leaves it: of eight neighbors each shows its weight in a column of its own.
    """
    comb = (torch.arange(n_in)[:, None] % _COMB == torch.arange(_COMB)).double()
    shown = bicubic(comb.view(1, 1, n_in, _COMB), (n_out, _COMB))[0, 0]
    step = (n_in - 1) / (n_out - 1) if n_out > 1 else 0.0
    center = (torch.arange(n_out, dtype=torch.float64) * step).floor().long()
    inputs = center[:, None] + torch.arange(_COMB) - (_COMB // 2 - 1)
    weights = shown.gather(1, inputs % _COMB)
    outside = (inputs < 0) | (inputs >= n_in)
    return inputs.clamp(0, n_in - 1), weights.masked_fill(outside, 0.0)


def _readers(n_in: int, n_out: int, first: int, last: int) -> tuple[int, int]:
    """Range [a, b) of the `n_out` outputs that are made of any of the inputs [first, last)."""
    inputs, weights = _taps(n_in, n_out)
    reading = (inputs >= first) & (inputs < last) & (weights != 0)
    outputs = reading.any(1).nonzero()
    return (int(outputs[0]), int(outputs[-1]) + 1) if len(outputs) else (0, 1)


def _part_of_matrix(n_in: int, n_out: int, rows: Size, columns: Size) -> Tensor:
    """Rows and columns, each [a, b), of the matrix (n_out, n_in) of weights, float64."""
    inputs, weights = (table[rows[0] : rows[1]] for table in _taps(n_in, n_out))
    part = torch.zeros(rows[1] - rows[0], columns[1] - columns[0], dtype=torch.float64)
    inside = (weights != 0) & (inputs >= columns[0]) & (inputs < columns[1])
    outputs = torch.arange(len(inputs))[:, None].expand_as(inputs)
    return part.index_put_((outputs[inside], inputs[inside] - columns[0]), weights[inside])


@lru_cache(maxsize=256)
def _blocks(
    n_in: int, n_out: int, transposed: bool, dtype: torch.dtype, device: torch.device
) -> tuple[_Block, ...]:
    """The matrix (n_out, n_in) of interpolation, or its transpose, in blocks of rows."""
    least = GPU_BLOCK if device.type == "cuda" else BLOCK
    outputs = n_in if transposed else n_out
    block = math.ceil(outputs / max(outputs // least, 1))
    found = []
    for start in range(0, outputs, block):
        stop = min(start + block, outputs)
        if transposed:
            first, last = _readers(n_in, n_out, start, stop)
            weights = _part_of_matrix(n_in, n_out, (first, last), (start, stop)).t()
        else:
            first, last = sources(n_in, n_out, start, stop)
            weights = _part_of_matrix(n_in, n_out, (start, stop), (first, last))
        # Cast first: Apple's GPUs have no float64.
        kept = weights.contiguous().to(dtype).to(device)
        found.append(_Block(start, stop, first, last, kept))
    return tuple(found)
