"""Pieces of both networks computed in fewer passes over memory than operation by operation."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from consingan.machine.graphs import constant
from consingan.machine.lanes import Lanes
from consingan.machine.precision import Arithmetic, Casts
from consingan.nn.blocks import Block, Operations
from consingan.nn.upsampling import bicubic_by_matrices

Size = tuple[int, int]
SMALL_PICTURE = 16384  # px up to which a CPU had better take pictures in one batch (measured)
SMALL_ON_GPU = 2**18  # the same of a GPU (by reckoning: one such picture does not fill it)
MANY_PIXELS = 10000  # from which on a GPU sums them as a product (at 2501 slower, at 19665 faster)
PLANES = 64
"""Channels of pictures in bfloat16 on a GPU, zeros after the colors: from and to fewer cuDNN
recommends convolutions that take up to five times as long (measured, with 64 features)."""


def is_small(picture: Tensor) -> bool:
    """Whether calls cost more than memory, so that pictures had better go in one batch."""
    limit = SMALL_ON_GPU if picture.device.type == "cuda" else SMALL_PICTURE
    return picture.shape[-2] * picture.shape[-1] <= limit


def conv_leaky_relu(x: Tensor, weight: Tensor, bias: Tensor, slope: float, padding: Size) -> Tensor:
    """Convolution and leaky ReLU, (N, c, h, w) -> (N, C, h', w'); not differentiable.

    oneDNN applies the activation while it writes the convolution's result; elsewhere it is done
    in place.
    """
    if _has_fused_convolution(x.device.type, x.dtype):
        return torch.ops.mkldnn._convolution_pointwise(  # type: ignore[no-any-return]
            x, weight, bias, padding, [1, 1], [1, 1], 1, "leaky_relu", [slope], ""
        )
    return F.leaky_relu_(F.conv2d(x, weight, bias, padding=padding), slope)


@lru_cache(maxsize=16)
def _has_fused_convolution(device: str, dtype: torch.dtype) -> bool:
    if device != "cpu" or dtype not in (torch.float32, torch.bfloat16):
        return False
    if not torch.backends.mkldnn.is_available():
        return False
    if dtype == torch.bfloat16 and not _onednn_has_bf16():
        return False
    return hasattr(torch.ops.mkldnn, "_convolution_pointwise")


def _onednn_has_bf16() -> bool:
    """Without AVX-512, oneDNN refuses bfloat16; torch's own convolution does it slowly."""
    ask = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return ask is not None and bool(ask())


def through_leaky_relu(gradient: Tensor, output: Tensor, slope: float) -> Tensor:
    """`gradient` times the slopes where the activation gave `output`, in place."""
    return torch.ops.aten.leaky_relu_backward.grad_input(  # type: ignore[no-any-return]
        gradient, output, slope, True, grad_input=gradient
    )


def conv_backward(
    gradient: Tensor, x: Tensor, weight: Tensor, padding: Size, wanted: Sequence[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of a convolution for input, weight and bias, as far as they are `wanted`."""
    return torch.ops.aten.convolution_backward(  # type: ignore[no-any-return]
        gradient, x, weight, [len(weight)], [1, 1], padding, [1, 1],
        False, [0, 0], 1, wanted,
    )  # fmt: skip


def pixel_sums(x: Tensor) -> Tensor:
    """(N, C, h, w) -> (N, C), summed in float32 or better."""
    exact = torch.promote_types(x.dtype, torch.float32)
    if not x.is_cuda:
        return x.sum((2, 3), dtype=exact)
    belong = ready_for_pixel_sums(x)
    if belong is not None:
        rows = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])
        return torch.mm(constant(belong), rows, out_dtype=exact)
    return x.sum(3, dtype=exact).sum(2)  # of both axes at once few processors have work


def ready_for_pixel_sums(x: Tensor) -> Tensor | None:
    """What `pixel_sums` multiplies such maps with, if it does; it is made once.

    Whoever sums in lanes asks before: a lane waits for the stream that it begins in alone, not for
    another lane that is making the same.
    """
    n, _, height, width = x.shape
    many = x.is_cuda and height * width > MANY_PIXELS and x.dtype == torch.bfloat16
    if not many or not _can_multiply_into_float32():
        return None
    return _belonging(n, height * width, x.dtype, x.device)


@lru_cache(maxsize=1)
def _can_multiply_into_float32() -> bool:
    """Whether torch, which learned it late, not for AMD, keeps products of bfloat16 in float32."""
    return torch.version.hip is None and "dtype" in torch.ops.aten.mm.overloads()


@lru_cache(maxsize=32)  # of one stage, 2 MiB each at most where two pictures go together
def _belonging(n: int, pixels: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(n, n * pixels), ones where a pixel belongs to picture i."""
    return torch.eye(n, dtype=dtype, device=device).repeat_interleave(pixels, 1)


def planes_of(colors: int, device: torch.device, dtype: torch.dtype) -> int:
    """How many channels convolutions in `dtype` had better be given for pictures of `colors`."""
    few = device.type == "cuda" and dtype == torch.bfloat16
    return max(colors, PLANES) if few else colors


def widened(x: Tensor, planes: int, dtype: torch.dtype) -> Tensor:
    """(N, C, h, w) with zeros after its channels up to `planes`, channels-last."""
    n, channels, height, width = x.shape
    if channels == planes:
        return x.to(dtype=dtype, memory_format=torch.channels_last)
    wide = x.new_zeros(n, height, width, planes, dtype=dtype)
    wide[..., :channels] = x.permute(0, 2, 3, 1)
    return wide.permute(0, 3, 1, 2)


def _with_outputs(weight: Tensor, outputs: int) -> Tensor:
    """A convolution's weight with filters of zeros after its own up to `outputs`."""
    missing = outputs - len(weight)
    return F.pad(weight, (0, 0, 0, 0, 0, 0, 0, missing)) if missing else weight


def conv_gradients(
    gradient: Tensor, x: Tensor, weight: Tensor, padding: Size, wanted: Sequence[bool]
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """`conv_backward`; on a GPU in kernels that run side by side, the bias summed in float32."""
    if not x.is_cuda:
        return conv_backward(gradient, x, weight, padding, wanted)
    for_input, for_weight, for_bias = wanted
    lanes = Lanes(x.device)
    dx = dw = db = None
    with lanes.beside():
        if for_weight:
            _, dw, _ = conv_backward(gradient, x, weight, padding, [False, True, False])
    with lanes.beside(1):
        if for_bias:
            db = pixel_sums(gradient).sum(0)
    if for_input:
        dx, _, _ = conv_backward(gradient, x, weight, padding, [True, False, False])
    lanes.join()
    return dx, dw, db


class _Seeded(torch.autograd.Function):
    """Zero, with a gradient that was computed elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return x.new_zeros(())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _: Tensor) -> tuple[Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return gradient, None


def seeded(x: Tensor, gradient: Tensor) -> Tensor:
    """A number whose backward pass begins with `gradient` at `x`.

    torch's own way to say that, `x.backward(gradient)`, imports an algebra system: half a second.
    """
    return _Seeded.apply(x, gradient)  # type: ignore[no-any-return,no-untyped-call]


class _ConvLeakyReLU(torch.autograd.Function):
    """`conv_leaky_relu` in the number format of `x`, with weights in another, differentiable."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, slope: float, padding: Size
    ) -> Tensor:
        local = weight.to(x.dtype, memory_format=torch.channels_last)
        y = conv_leaky_relu(x, local, bias.to(x.dtype), slope, padding)
        ctx.save_for_backward(x, local, y)
        ctx.slope, ctx.padding, ctx.weights = slope, padding, weight.dtype
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, y = ctx.saved_tensors
        gradient = torch.ops.aten.leaky_relu_backward(gradient, y, ctx.slope, True)
        wanted = ctx.needs_input_grad[:3]
        dx, dw, db = conv_gradients(gradient, x, weight, ctx.padding, wanted)
        return dx, _to(dw, ctx.weights), _to(db, ctx.weights), None, None


class _ExactConv(torch.autograd.Function):
    """Convolution carried out in the weights' number format, its gradient in that of `x`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, padding: Size) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.padding, colors = padding, len(weight)
        ctx.planes = planes_of(colors, x.device, x.dtype)
        if ctx.planes == colors:
            return F.conv2d(x.to(weight.dtype), weight, bias, padding=padding)
        wide = _with_outputs(weight, ctx.planes).to(memory_format=torch.channels_last)
        return F.conv2d(x.to(weight.dtype), wide, padding=padding)[:, :colors] + bias[:, None, None]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        colors = len(weight)
        local = _with_outputs(weight, ctx.planes).to(x.dtype, memory_format=torch.channels_last)
        if ctx.planes != colors:
            gradient = widened(gradient, ctx.planes, x.dtype)
        gradient = gradient.to(x.dtype)
        dx, dw, db = conv_gradients(gradient, x, local, ctx.padding, ctx.needs_input_grad[:3])
        return dx, _to(dw, weight.dtype, colors), _to(db, weight.dtype, colors), None


def _to(x: Tensor | None, dtype: torch.dtype, first: int | None = None) -> Tensor | None:
    return None if x is None else x[:first].to(dtype)


@dataclass(frozen=True)
class FastOperations(Operations):
    """A generator's pieces in the number format `dtype`, with weights in their own.

    The picture itself is made in the weights' format: bfloat16's 8 bits would band it.
    """

    dtype: torch.dtype

    def upsample(self, x: Tensor, size: Size) -> Tensor:
        """See `Operations.upsample`."""
        return bicubic_by_matrices(x, size)

    def block(self, block: Block, x: Tensor) -> Tensor:
        """See `Operations.block`."""
        x, conv = x.to(self.dtype), block.conv
        if block.only_leaky:
            return _ConvLeakyReLU.apply(  # type: ignore[no-any-return,no-untyped-call]
                x, conv.weight, conv.bias, block.slope, conv.padding
            )
        if self.dtype == conv.weight.dtype:
            return block(x)  # type: ignore[no-any-return]
        with Casts(x.device.type, self.dtype):
            return block(x)  # type: ignore[no-any-return]

    def convolve(self, block: Block, x: Tensor) -> Tensor:
        """See `Operations.convolve`."""
        if self.dtype == block.conv.weight.dtype:
            return super().convolve(block, x)
        with Casts(x.device.type, self.dtype):
            return super().convolve(block, x)

    def render(self, tail: nn.Conv2d, x: Tensor) -> Tensor:
        """See `Operations.render`."""
        y: Tensor = _ExactConv.apply(x, tail.weight, tail.bias, tail.padding)  # type: ignore[no-untyped-call]
        return torch.tanh(y)


class Operable(Protocol):
    """A network whose pieces are computed by exchangeable operations."""

    operations: Operations

    def parameters(self) -> Iterator[nn.Parameter]:
        """Its weights."""
        ...


@contextlib.contextmanager
def applied(
    arithmetic: Arithmetic, network: Operable, operations: Operations | None = None
) -> Iterator[None]:
    """Run `network` in `arithmetic`, with faster operations, these if they are given."""
    weight = next(network.parameters())
    faster = operations or FastOperations(arithmetic.dtype(weight.dtype))
    before, network.operations = network.operations, faster
    try:
        with arithmetic.scope(weight.device):
            yield
    finally:
        network.operations = before
