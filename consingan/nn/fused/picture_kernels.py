"""Triton kernels: pictures and maps that convolutions take."""

# Triton reads these functions as a language of its own: its words are no Python types.
# mypy: disable-error-code="no-untyped-def,untyped-decorator"

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit(
    do_not_specialize=["pixels", "real_apart", "real_beside", "fake_apart", "fake_beside", "out"]
)
def three_pictures(
    real, fake, mixing, out, pixels, real_apart, real_beside, fake_apart, fake_beside,
    MIXED: tl.constexpr, COLORS: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """(N, h, w, COLORS): real, fake and, if wanted, one between them."""
    px, color = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), tl.arange(0, WIDE)
    there = (px < pixels)[:, None] & (color < COLORS)[None, :]
    a = tl.load(real + px[:, None] * real_beside + color[None, :] * real_apart, mask=there)
    b = tl.load(fake + px[:, None] * fake_beside + color[None, :] * fake_apart, mask=there)
    at = px[:, None] * COLORS + color[None, :]
    kind = out.dtype.element_ty
    tl.store(out + at, a.to(kind), mask=there)
    tl.store(out + pixels * COLORS + at, b.to(kind), mask=there)
    if MIXED:
        share = tl.load(mixing)
        mixed = share * a + (1 - share) * b
        tl.store(out + 2 * pixels * COLORS + at, mixed.to(kind), mask=there)


@triton.jit(do_not_specialize=[
    "height", "width", "out_height", "out_width", "row_taps", "column_taps",
])  # fmt: skip
def resample(
    x, noise, out, rows, row_weights, columns, column_weights, row_taps, column_taps,
    height, width, out_height, out_width, amplitude,
    NOISY: tl.constexpr, C: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """(N, h, w, C) -> (N, h', w', C): each pixel a weighted sum of neighbors.

    Row y is made of the rows rows[y] and following with weights row_weights[y]; so are columns.
    """
    n = tl.program_id(1)
    px = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = px < out_height * out_width
    y, z = px // out_width, px % out_width
    top = tl.load(rows + y, mask=inside, other=0)
    left = tl.load(columns + z, mask=inside, other=0)
    channel = tl.arange(0, C)
    acc = tl.zeros((BLOCK, C), tl.float32)
    for i in range(row_taps):
        down = tl.load(row_weights + y * row_taps + i, mask=inside, other=0.0)
        along = tl.zeros((BLOCK, C), tl.float32)
        for j in range(column_taps):
            across = tl.load(column_weights + z * column_taps + j, mask=inside, other=0.0)
            at = ((n * height + top + i) * width + left + j) * C
            read = inside & (across != 0) & (down != 0)
            a = tl.load(x + at[:, None] + channel[None, :], mask=read[:, None], other=0.0)
            along += across[:, None] * a.to(tl.float32)
        acc += down[:, None] * along
    at = (n * out_height * out_width + px)[:, None] * C + channel[None, :]
    if NOISY:
        drawn = tl.load(noise + at, mask=inside[:, None], other=0.0)
        acc += amplitude * drawn.to(tl.float32)
    tl.store(out + at, acc.to(out.dtype.element_ty), mask=inside[:, None])
