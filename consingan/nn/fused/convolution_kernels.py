"""Triton kernels: 3x3 convolutions with what comes before and after them.

Maps lie in memory as (N, h, w, C). A program computes `BLOCK` pixels of one picture. Taps are
numbered row by row; with `STEP` 1 tap (i, j) reads i rows below and j columns right of the first
row and column that an output pixel reads (`top`, `left` before its own), with -1 above and left of
the last: that is a convolution's gradient for its input.

Numbers that change with the size are not specialized: each kernel is compiled once.
"""

# Triton reads these functions as a language of its own: its words are no Python types.
# mypy: disable-error-code="no-untyped-def,untyped-decorator"

from __future__ import annotations

import triton
import triton.language as tl

NUMBERS = ("height", "width", "out_height", "out_width", "top", "left")


@triton.jit
def _read(x, n, row, column, tap, inside, height, width, STEP: tl.constexpr, C: tl.constexpr):
    """What a tap reads for each pixel, zeros beyond the map: (BLOCK, C)."""
    y = row + STEP * (tap // 3)
    z = column + STEP * (tap % 3)
    there = inside & (y >= 0) & (y < height) & (z >= 0) & (z < width)
    at = ((n * height + y) * width + z) * C
    return tl.load(x + at[:, None] + tl.arange(0, C)[None, :], mask=there[:, None], other=0.0)


@triton.jit
def _activated(
    acc, n, px, inside, bias, values, pixels, slope, MODE: tl.constexpr, C: tl.constexpr
):
    """What becomes of a convolution's result, see `fused.MODES`."""
    channel = tl.arange(0, C)
    if MODE == 1:
        acc += tl.load(bias + channel)[None, :]
        acc = tl.where(acc > 0, acc, acc * slope)
    if MODE == 2:
        where = (n * pixels + px)[:, None] * C + channel[None, :]
        passed = tl.load(values + where, mask=inside[:, None], other=0.0)
        acc = tl.where(passed > 0, acc, acc * slope)
    return acc


@triton.jit
def _store(acc, n, px, inside, out, sums, pixels, SUMS: tl.constexpr, C: tl.constexpr):
    """Write the pixels, and the sums of each channel over them."""
    channel = tl.arange(0, C)
    made = acc.to(out.dtype.element_ty)
    tl.store(out + (n * pixels + px)[:, None] * C + channel[None, :], made, mask=inside[:, None])
    if SUMS:
        total = tl.sum(tl.where(inside[:, None], made.to(tl.float32), 0.0), 0)
        tl.store(sums + (n * tl.num_programs(0) + tl.program_id(0)) * C + channel, total)


@triton.jit(do_not_specialize=NUMBERS)
def convolve(
    x, weight, bias, values, out, sums, height, width, out_height, out_width, top, left, slope,
    MODE: tl.constexpr, SUMS: tl.constexpr, STEP: tl.constexpr, C: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """(N, h, w, C) -> (N, h', w', C) with weights (9, inputs, outputs), swapped for STEP -1."""
    n = tl.program_id(1)
    px = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    pixels = out_height * out_width
    inside = px < pixels
    row, column = px // out_width - top, px % out_width - left
    channel = tl.arange(0, C)
    acc = tl.zeros((BLOCK, C), tl.float32)
    for tap in range(9):
        a = _read(x, n, row, column, tap, inside, height, width, STEP, C)
        if STEP == 1:
            b = tl.load(weight + tap * C * C + channel[:, None] * C + channel[None, :])
        else:
            b = tl.load(weight + tap * C * C + channel[:, None] + channel[None, :] * C)
        acc = tl.dot(a, b, acc)
    acc = _activated(acc, n, px, inside, bias, values, pixels, slope, MODE, C)
    _store(acc, n, px, inside, out, sums, pixels, SUMS, C)


@triton.jit(do_not_specialize=[*NUMBERS, "x"])
def from_colors(
    x, weight, bias, values, out, sums, height, width, out_height, out_width, top, left, slope,
    MODE: tl.constexpr, SUMS: tl.constexpr, STEP: tl.constexpr, C: tl.constexpr,
    COLORS: tl.constexpr, DEPTH: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """(N, h, w, COLORS) -> (N, h', w', C) with weights (9, COLORS, C); DEPTH >= 9 COLORS."""
    n = tl.program_id(1)
    px = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    pixels = out_height * out_width
    inside = px < pixels
    k = tl.arange(0, DEPTH)
    tap, color, used = k // COLORS, k % COLORS, k < 9 * COLORS
    y = (px // out_width - top)[:, None] + STEP * (tap // 3)[None, :]
    z = (px % out_width - left)[:, None] + STEP * (tap % 3)[None, :]
    there = inside[:, None] & used[None, :] & (y >= 0) & (y < height) & (z >= 0) & (z < width)
    at = ((n * height + y) * width + z) * COLORS + color[None, :]
    a = tl.load(x + at, mask=there, other=0.0)
    channel = tl.arange(0, C)
    b = tl.load(weight + k[:, None] * C + channel[None, :], mask=used[:, None], other=0.0)
    acc = tl.dot(a, b)
    acc = _activated(acc, n, px, inside, bias, values, pixels, slope, MODE, C)
    _store(acc, n, px, inside, out, sums, pixels, SUMS, C)


@triton.jit
def _colors(
    x, weight, n, px, inside, height, width, out_width, top, left,
    STEP: tl.constexpr, C: tl.constexpr, COLORS: tl.constexpr, WIDE: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Convolution to COLORS channels, zeros after them up to WIDE: (BLOCK, WIDE)."""
    row, column = px // out_width - top, px % out_width - left
    channel, color = tl.arange(0, C), tl.arange(0, WIDE)
    acc = tl.zeros((BLOCK, WIDE), tl.float32)
    for tap in range(9):
        a = _read(x, n, row, column, tap, inside, height, width, STEP, C)
        b = tl.load(
            weight + (tap * COLORS + color[None, :]) * C + channel[:, None],
            mask=color[None, :] < COLORS, other=0.0,
        )  # fmt: skip
        acc = tl.dot(a.to(b.dtype), b, acc)
    return acc


@triton.jit(do_not_specialize=NUMBERS)
def to_colors(
    x, weight, bias, out, height, width, out_height, out_width, top, left, factor,
    RENDER: tl.constexpr, STEP: tl.constexpr, C: tl.constexpr, COLORS: tl.constexpr,
    WIDE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """(N, h, w, C) -> (N, h', w', COLORS): factor times the convolution, or a picture's colors."""
    n = tl.program_id(1)
    px = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    pixels = out_height * out_width
    inside = px < pixels
    acc = _colors(x, weight, n, px, inside, height, width, out_width, top, left,
                  STEP, C, COLORS, WIDE, BLOCK)  # fmt: skip
    color = tl.arange(0, WIDE)
    if RENDER:
        acc += tl.load(bias + color, mask=color < COLORS, other=0.0)[None, :]
        acc = 1 - 2 / (tl.exp(2 * acc) + 1)
    else:
        acc *= factor
    at = (n * pixels + px)[:, None] * COLORS + color[None, :]
    made = acc.to(out.dtype.element_ty)
    tl.store(out + at, made, mask=inside[:, None] & (color < COLORS)[None, :])


@triton.jit(do_not_specialize=[*NUMBERS, "push"])
def penalized(
    x, weight, push, sums, height, width, out_height, out_width, top, left, scores, factor,
    C: tl.constexpr, COLORS: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """G = scores * the gradient for the picture: sums of (|g| - 1)^2, factor (|g| - 1) g / |g|."""
    px = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    pixels = out_height * out_width
    inside = px < pixels
    acc = _colors(x, weight, 0, px, inside, height, width, out_width, top, left,
                  -1, C, COLORS, WIDE, BLOCK)  # fmt: skip
    g = acc * scores
    norm = tl.sqrt(tl.sum(g * g, 1))
    excess = norm - 1
    towards = (factor * excess / tl.maximum(norm, 1e-38))[:, None] * g
    color = tl.arange(0, WIDE)
    made = towards.to(push.dtype.element_ty)
    tl.store(push + px[:, None] * COLORS + color[None, :], made,
             mask=inside[:, None] & (color < COLORS)[None, :])  # fmt: skip
    # A column, since Triton 3.6 cannot add up a row of what Blackwell's matrix units made.
    total = tl.sum(tl.where(inside, excess * excess, 0.0)[:, None], 0)
    tl.store(sums + tl.program_id(0) + tl.arange(0, 1), total)


@triton.jit(do_not_specialize=["pixels", "apart", "negative"])
def begin_backward(
    seed, values, out, sums, pixels, apart, negative, slope, C: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """(N, h, w, C): gradients behind an activation, taken through it, one's with the other sign.

    `seed` has those of a picture each `apart` pixels, with 0 the same ones for all.
    """
    n = tl.program_id(1)
    px = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = px < pixels
    channel = tl.arange(0, C)
    at = px[:, None] * C + channel[None, :]
    first = tl.load(seed + n * apart * C + at, mask=inside[:, None], other=0.0).to(tl.float32)
    passed = tl.load(values + n * pixels * C + at, mask=inside[:, None], other=0.0)
    first = tl.where(passed > 0, first, first * slope)
    first = tl.where(n == negative, -first, first)
    _store(first, n, px, inside, out, sums, pixels, True, C)
