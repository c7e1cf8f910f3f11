"""Triton kernels: sums over pixels, in parts that are added up in a fixed order.

Words and numbers are those of convolution_kernels.py.
"""

# Triton reads these functions as a language of its own: its words are no Python types.
# mypy: disable-error-code="no-untyped-def,untyped-decorator"

from __future__ import annotations

import triton
import triton.language as tl

NUMBERS = ("height", "width", "out_height", "out_width", "top", "left")


@triton.jit(do_not_specialize=[*NUMBERS, "colors", "pictures"])
def colors_gradient(
    colors, features, out, pictures, height, width, out_height, out_width, top, left,
    STEP: tl.constexpr, C: tl.constexpr, COLORS: tl.constexpr, DEPTH: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Sums over pixels of features (N, h', w', C) times the colors that `from_colors` reads there.

    Each program leaves (DEPTH, C), of some blocks of pixels, rows numbered 9 taps times COLORS.
    """
    k = tl.arange(0, DEPTH)
    tap, color, used = k // COLORS, k % COLORS, k < 9 * COLORS
    channel = tl.arange(0, C)
    pixels = out_height * out_width
    acc = tl.zeros((DEPTH, C), tl.float32)
    first = tl.program_id(0) * BLOCK
    for start in range(first, pictures * pixels, tl.num_programs(0) * BLOCK):
        p = start + tl.arange(0, BLOCK)
        inside = p < pictures * pixels
        n, px = p // pixels, p % pixels
        y = (px // out_width - top)[None, :] + STEP * (tap // 3)[:, None]
        z = (px % out_width - left)[None, :] + STEP * (tap % 3)[:, None]
        there = inside[None, :] & used[:, None] & (y >= 0) & (y < height) & (z >= 0) & (z < width)
        at = ((n[None, :] * height + y) * width + z) * COLORS + color[:, None]
        a = tl.load(colors + at, mask=there, other=0.0)
        b = tl.load(features + p[:, None] * C + channel[None, :], mask=inside[:, None], other=0.0)
        acc = tl.dot(a, b, acc)
    at = (tl.program_id(0) * DEPTH + k[:, None]) * C + channel[None, :]
    tl.store(out + at, acc)


@triton.jit(do_not_specialize=["height", "width", "out_height", "out_width", "top", "left"])
def tap_sums(
    features, out, height, width, out_height, out_width, top, left,
    C: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Sums of features (N, h, w, C) over the places of each tap of a convolution to h' x w'.

    Each program leaves (16, C), of some blocks of pixels of a picture, the first 9 used. Output
    (y, x) reads tap (i, j) at (y + i - top, x + j - left).
    """
    n = tl.program_id(1)
    tap, channel = tl.arange(0, 16), tl.arange(0, C)
    pixels = height * width
    acc = tl.zeros((16, C), tl.float32)
    for start in range(tl.program_id(0) * BLOCK, pixels, tl.num_programs(0) * BLOCK):
        px = start + tl.arange(0, BLOCK)
        y = (px // width + top)[None, :] - (tap // 3)[:, None]
        x = (px % width + left)[None, :] - (tap % 3)[:, None]
        read = (y >= 0) & (y < out_height) & (x >= 0) & (x < out_width) & (tap < 9)[:, None]
        at = (n * pixels + px)[:, None] * C + channel[None, :]
        b = tl.load(features + at, mask=(px < pixels)[:, None], other=0.0)
        acc = tl.dot(read.to(b.dtype), b, acc)
    at = ((n * tl.num_programs(0) + tl.program_id(0)) * 16 + tap)[:, None] * C + channel[None, :]
    tl.store(out + at, acc)


@triton.jit(do_not_specialize=[*NUMBERS, "pictures"])
def weight_gradient(
    values, gradients, out, pictures, height, width, out_height, out_width, top, left,
    C: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Of a convolution from (N, h, w, C) to (N, h', w', C): each program leaves one tap's (C, C),
    inputs by outputs, of some blocks of pixels.
    """  # noqa: D205 - one sentence
    tap, channel = tl.program_id(0), tl.arange(0, C)
    pixels = out_height * out_width
    acc = tl.zeros((C, C), tl.float32)
    for start in range(tl.program_id(1) * BLOCK, pictures * pixels, tl.num_programs(1) * BLOCK):
        p = start + tl.arange(0, BLOCK)
        inside = p < pictures * pixels
        n, px = p // pixels, p % pixels
        y, x = px // out_width - top + tap // 3, px % out_width - left + tap % 3
        there = inside & (y >= 0) & (y < height) & (x >= 0) & (x < width)
        at = ((n * height + y) * width + x) * C
        a = tl.load(values + at[None, :] + channel[:, None], mask=there[None, :], other=0.0)
        b = tl.load(gradients + p[:, None] * C + channel[None, :], mask=inside[:, None], other=0.0)
        acc = tl.dot(a, b, acc)
    row = (tl.program_id(1) * 9 + tap) * C + channel
    tl.store(out + row[:, None] * C + channel[None, :], acc)


@triton.jit(do_not_specialize=["pictures", "terms", "depth", "negative", "apart", "beside"])
def fold(
    parts, out, pictures, terms, depth, negative, factor, apart, beside,
    COLORS: tl.constexpr, C: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Add parts (N, terms, depth, C) up, those of picture `negative` with the other sign.

    Row k = tap * COLORS + color goes to color * beside + tap, and `apart` lies between channels.
    Each picture is added up by itself, in the same order.
    """
    k, channel, some = tl.program_id(0), tl.arange(0, C), tl.arange(0, BLOCK)
    total = tl.zeros((C,), tl.float32)
    for n in range(pictures):
        own = tl.zeros((C,), tl.float32)
        for start in range(0, terms, BLOCK):
            row = (n * terms + start + some) * depth + k
            there = (start + some < terms)[:, None]
            part = tl.load(parts + row[:, None] * C + channel[None, :], mask=there, other=0.0)
            own += tl.sum(part, 0)
        total += tl.where(n == negative, -own, own)
    at = channel * apart + (k % COLORS) * beside + k // COLORS
    tl.store(out + at, total * factor)
