"""A generator's stages in these kernels, differentiable once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from consingan.machine.graphs import constant
from consingan.machine.lanes import Lanes
from consingan.nn.blocks import Block
from consingan.nn.fused.convolutions import convolve, through_slopes, to_colors
from consingan.nn.fused.maps import Size, as_map, packed, packed_transposed
from consingan.nn.fused.pictures import Taps, resample
from consingan.nn.fused.sums import colors_gradient, weight_gradient
from consingan.nn.kernels import FastOperations
from consingan.nn.upsampling import whole_matrix


class _Blocks(torch.autograd.Function):
    """Convolutions with leaky ReLU one after the other: weights and biases are told in turns."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float, padding: Size, *parameters: Tensor) -> Tensor:
        weights, biases = parameters[::2], parameters[1::2]
        lanes = Lanes(x.device)
        local = []
        for number, weight in enumerate(weights):
            with lanes.beside(number):
                local.append(packed(weight, x.dtype))
        lanes.join()
        values = [as_map(x)]
        for weight, bias in zip(local, biases, strict=True):
            values.append(convolve(values[-1], weight, padding, bias=bias, slope=slope)[0])
        ctx.save_for_backward(*values, *local)
        ctx.slope, ctx.padding, ctx.shapes = slope, padding, [p.shape for p in parameters]
        return values[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors  # asked for once: with checkpointing they are computed then
        count = len(saved) // 2
        values, local = saved[: count + 1], saved[count + 1 :]
        slope, padding = ctx.slope, ctx.padding
        lanes, kept = Lanes(gradient.device), []
        found = [torch.empty(shape, device=gradient.device) for shape in ctx.shapes]
        b, sums = through_slopes(as_map(gradient), values[-1], slope)
        dx = None
        for layer in range(count - 1, -1, -1):
            with lanes.beside(layer):
                sums.into(found[2 * layer + 1])
                kept += [b, sums, _descend(values[layer], b, padding, found[2 * layer])]
            if layer:
                b, more = convolve(b, local[layer], padding, values=values[layer], slope=slope,
                                   step=-1, sums=True)  # fmt: skip
                assert more is not None
                sums = more
            elif ctx.needs_input_grad[0]:
                dx, _ = convolve(b, local[0], padding, step=-1)
        lanes.join()
        return dx, None, None, *found


def _descend(value: Tensor, gradient: Tensor, padding: Size, out: Tensor) -> object:
    """Fill a weight's gradient; what must be kept until that is done."""
    if value.shape[1] == gradient.shape[1]:
        return weight_gradient(value, gradient, padding, out)
    parts = colors_gradient(value, gradient, padding)
    parts.into(out)
    return parts


class _Picture(torch.autograd.Function):
    """tanh of a convolution to colors, whose products are of 10 bits, in the weights' format."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, padding: Size) -> Tensor:
        x = as_map(x)
        local = packed_transposed(weight, weight.dtype)
        y = to_colors(x, local, padding, bias=bias, dtype=weight.dtype)
        ctx.save_for_backward(x, local, y)
        ctx.padding, ctx.shape = padding, weight.shape
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, local, y = ctx.saved_tensors
        g = as_map(torch.ops.aten.tanh_backward(gradient, y).to(x.dtype))
        lanes = Lanes(x.device)
        with lanes.beside():
            parts = colors_gradient(g, x, ctx.padding, step=-1)
            dw = parts.into(torch.empty(ctx.shape, device=x.device), transposed=True)
        with lanes.beside(1):
            db = g.sum((2, 3), dtype=torch.float32).sum(0)
        dx, _ = convolve(g, local.to(x.dtype), ctx.padding, step=-1)
        lanes.join()
        return dx, dw, db, None


class _Resample(torch.autograd.Function):
    """Bicubic up-sampling, plus noise."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, size: Size, noise: Tensor | None, amplitude: float) -> Tensor:
        ctx.size = (x.shape[-2], x.shape[-1])
        rows, columns = _matrices(ctx.size, size, False, x.device)
        noise = None if noise is None else as_map(noise.expand(len(x), -1, -1, -1))
        return resample(as_map(x), rows, columns, noise, amplitude)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        size = (gradient.shape[-2], gradient.shape[-1])
        rows, columns = _matrices(ctx.size, size, True, gradient.device)
        return resample(as_map(gradient), rows, columns), None, None, None


def _matrices(before: Size, after: Size, transposed: bool, device: torch.device) -> list[Taps]:
    found = []
    for one, other in zip(before, after, strict=True):
        taps = _taps_of(one, other, transposed, device)
        for table in (taps.first, taps.weights):
            constant(table)  # a recorded iteration knows it by its address
        found.append(taps)
    return found


@lru_cache(maxsize=256)
def _taps_of(before: int, after: int, transposed: bool, device: torch.device) -> Taps:
    matrix = whole_matrix(before, after)
    return Taps.of(matrix.t() if transposed else matrix, device)


@dataclass(frozen=True)
class FusedOperations(FastOperations):
    """A generator of 3x3 convolutions with leaky ReLU, see `choice.usable`."""

    def upsample(self, x: Tensor, size: Size) -> Tensor:
        """See `Operations.upsample`."""
        return _Resample.apply(x, size, None, 0.0)  # type: ignore[no-any-return,no-untyped-call]

    def upsample_onto(self, noise: Tensor, x: Tensor, amplitude: float) -> Tensor:
        """See `Operations.upsample_onto`."""
        size = (noise.shape[-2], noise.shape[-1])
        return _Resample.apply(x, size, noise, amplitude)  # type: ignore[no-any-return,no-untyped-call]

    def block(self, block: Block, x: Tensor) -> Tensor:
        """See `Operations.block`."""
        return self.stage([block], x)

    def stage(self, blocks: Sequence[Block], x: Tensor) -> Tensor:
        """See `Operations.stage`."""
        parameters = [p for block in blocks for p in (block.conv.weight, block.conv.bias)]
        first = blocks[0]
        return _Blocks.apply(  # type: ignore[no-any-return,no-untyped-call]
            x.to(self.dtype), first.slope, first.conv.padding, *parameters
        )

    def render(self, tail: nn.Conv2d, x: Tensor) -> Tensor:
        """See `Operations.render`."""
        return _Picture.apply(x, tail.weight, tail.bias, tail.padding)  # type: ignore[no-any-return,no-untyped-call]
