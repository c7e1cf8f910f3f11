"""Passes through a network by hand: forward, backward, and the gradient penalty's second order.

For a block l with c = W * h_{l-1}, x^ = (c - mean) s, u = gain x^ + bias, h_l = m u (m the slopes of
the leaky ReLU, s = 1 / sqrt(var + eps), E the mean over pixels), with B^h = dS/dh_l:

    D = m B^h,  B^c = gain s (D - E[D] - x^ E[D x^]),  B^h_{l-1} = W^T B^c

The penalty P looks at g = dS/dx. With v = dP/dg held fixed, its gradient is that of the derivative
of S along v, T = <g, v>. Forward, with h._0 = v:

    c. = W * h._{l-1},  u. = gain s (c. - E[c.] - x^ E[c. x^]) = gain x^.,  h._l = m u.

and back, where the adjoint of h. is B^h again and A^h that of h (zero after the last block):

    dT/dgain = sum(D x^.) + sum(m A^h x^),  dT/dbias = sum(m A^h)
    X = m A^h - s E[c. x^] D - s E[D x^] c.
    A^c = gain s (X - E[X] - x^ (E[X x^] + E[D x^.])),  A^h_{l-1} = W^T A^c
    dT/dW = gradient of W * h._{l-1} for B^c + gradient of W * h_{l-1} for A^c
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.kernels import conv_backward, through_leaky_relu
from consingan.methods.singan.networks import SLOPE, Block, Network
from consingan.networks import NORM_EPS

NO_PADDING = (0, 0)
MOMENTUM = 0.1  # of running statistics


@dataclass(frozen=True)
class Local:
    """A network's present weights in the number format and memory order of the passes.

    Attributes:
        convs: of the blocks, then of the tail.
        biases: the same.
        gains: of the normalizations, in the weights' own format.
    """

    convs: list[Tensor]
    biases: list[Tensor]
    gains: list[Tensor]

    @classmethod
    def of(cls, network: Network, dtype: torch.dtype) -> Local:
        """Take up what the optimizer has made of `network`."""
        convs = [*(block.conv for block in network.blocks), network.last]
        return cls(
            [local(conv.weight.detach(), dtype) for conv in convs],
            [bias_of(conv).detach().to(dtype) for conv in convs],
            [block.norm.weight.detach() for block in network.blocks],
        )


@dataclass(frozen=True)
class Trace:
    """What a pass through one block leaves behind.

    Attributes:
        x: input.
        c: output of the convolution.
        mean: of each channel of `c`.
        inverse: 1 / standard deviation of each channel.
        h: output.
    """

    x: Tensor
    c: Tensor
    mean: Tensor
    inverse: Tensor
    h: Tensor


@dataclass(frozen=True)
class Slopes:
    """What a backward pass leaves behind of one block.

    Attributes:
        d: gradient at the normalization's output, D above.
        c: gradient at the convolution's output, B^c above.
        gain: sum(D x^).
        bias: sum(D).
    """

    d: Tensor
    c: Tensor
    gain: Tensor
    bias: Tensor


def local(x: Tensor, dtype: torch.dtype) -> Tensor:
    """`x` in the number format and memory order of the passes."""
    return x.to(dtype=dtype, memory_format=torch.channels_last)


def bias_of(conv: torch.nn.Conv2d) -> Tensor:
    """The bias that all convolutions here have."""
    assert conv.bias is not None
    return conv.bias


def forward(blocks: Sequence[Block], weights: Local, x: Tensor) -> list[Trace]:
    """Pass (1, 3, h, w) through `blocks`; running statistics move where a block has them."""
    traces = []
    for block, weight, bias in zip(blocks, weights.convs, weights.biases, strict=False):
        norm = block.norm
        c = F.conv2d(x, weight, bias)
        u, mean, inverse = torch.native_batch_norm(
            c, norm.weight, norm.bias, norm.running_mean, norm.running_var, True, MOMENTUM, NORM_EPS
        )
        h = F.leaky_relu_(u, SLOPE)
        traces.append(Trace(x, c, mean, inverse, h))
        x = h
    return traces


def through_norm(gradient: Tensor, trace: Trace, gain: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """gain s (D - E[D] - x^ E[D x^]), sum(D x^) and sum(D) of a gradient D."""
    return _norm_backward(gradient, trace.c, gain, trace.mean, trace.inverse, [True, True, True])


def sums(gradient: Tensor, trace: Trace, gain: Tensor) -> tuple[Tensor, Tensor]:
    """sum(D x^) and sum(D) of a gradient D, in one pass over memory."""
    wanted = [False, True, True]
    _, product, total = _norm_backward(
        gradient, trace.c, gain, trace.mean, trace.inverse, wanted
    )
    return product, total


def channel_products(a: Tensor, b: Tensor, gain: Tensor) -> Tensor:
    """sum(a b) of each channel, in one pass over memory."""
    plain, unit = torch.zeros_like(gain), torch.ones_like(gain)
    return _norm_backward(a, b, gain, plain, unit, [False, True, True])[1]


def _norm_backward(
    gradient: Tensor, c: Tensor, gain: Tensor, mean: Tensor, inverse: Tensor, wanted: list[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    return torch.ops.aten.native_batch_norm_backward(  # type: ignore[no-any-return]
        gradient, c, gain, None, None, mean, inverse, True, NORM_EPS, wanted
    )


def backward(
    traces: Sequence[Trace], weights: Local, gradient: Tensor, to_input: bool = False
) -> tuple[list[Slopes], Tensor | None]:
    """Send a gradient at the last block's output back, using up its memory.

    The traces may be those of other weights than `weights`: then the stored pass is sent back
    with the weights of now.

    Returns:
        for each block its gradients, and that of the network's input if `to_input`.
    """
    found: list[Slopes] = []
    carried: Tensor | None = gradient
    for number in range(len(traces) - 1, -1, -1):
        trace = traces[number]
        assert carried is not None
        d = through_leaky_relu(carried, trace.h, SLOPE)
        c, gain, bias = through_norm(d, trace, weights.gains[number])
        found.append(Slopes(d, c, gain, bias))
        carried = F.conv_transpose2d(c, weights.convs[number]) if number or to_input else None
    return found[::-1], carried


def weight_gradient(gradient: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """Gradient of a convolution's weight, for its input and the gradient at its output."""
    return conv_backward(gradient, x, weight, NO_PADDING, [False, True, False])[1]


@dataclass(frozen=True)
class Push:
    """What the tangent pass leaves behind of one block: h. before it, c. and the sums of c."""

    x: Tensor
    c: Tensor
    product: Tensor
    total: Tensor


def tangent(traces: Sequence[Trace], weights: Local, v: Tensor) -> tuple[list[Push], Tensor]:
    """Carry a direction v at the input through the blocks; what it is after the last."""
    found = []
    for trace, weight, gain in zip(traces, weights.convs, weights.gains, strict=False):
        c = F.conv2d(v, weight)
        u, product, total = through_norm(c, trace, gain)
        found.append(Push(v, c, product, total))
        v = through_leaky_relu(u, trace.h, SLOPE)
    return found, v


def second_order(
    traces: Sequence[Trace], weights: Local, slopes: Sequence[Slopes], pushes: Sequence[Push]
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Gradients of T for weight, gain and bias of each block."""
    found = []
    above: Tensor | None = None
    for number in range(len(traces) - 1, -1, -1):
        trace, slope, push = traces[number], slopes[number], pushes[number]
        gain, weight = weights.gains[number], weights.convs[number]
        if above is not None:
            above = through_leaky_relu(above, trace.h, SLOPE)
        c, d_gain, d_bias = _through_norm_twice(above, trace, slope, push, gain)
        d_weight = weight_gradient(slope.c, push.x, weight).to(gain.dtype)
        d_weight += weight_gradient(c, trace.x, weight)
        found.append((d_weight, d_gain, d_bias))
        above = F.conv_transpose2d(c, weight) if number else None
    return found[::-1]


def _through_norm_twice(
    above: Tensor | None, trace: Trace, slope: Slopes, push: Push, gain: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """A^c, dT/dgain, dT/dbias of one block; `above` is m A^h, nothing for the last."""
    n = trace.c.shape[-2] * trace.c.shape[-1]
    s = trace.inverse
    crossed = channel_products(slope.d, push.c, gain)
    from_push = s * (crossed - (slope.bias * push.total + slope.gain * push.product) / n)
    product, total = torch.zeros_like(gain), torch.zeros_like(gain)
    if above is not None:
        product, total = sums(above, trace, gain)
    of_d, of_push = s * push.product / n, s * slope.gain / n
    mean = (total - of_d * slope.bias - of_push * push.total) / n
    along = (product - of_d * slope.gain - of_push * push.product + from_push) / n
    k = gain * s
    offset = k * (s * along * trace.mean - mean)
    c = _combined(offset, [(trace.c, -k * s * along), (slope.d, -k * of_d), (push.c, -k * of_push)])
    if above is not None:
        c.addcmul_(above, _per_channel(k, c))
    return c, from_push + product, total


def _combined(offset: Tensor, terms: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """offset + sum of maps times a factor for each channel."""
    (first, factor), *others = terms
    total = torch.addcmul(_per_channel(offset, first), first, _per_channel(factor, first))
    for term, factor in others:
        total.addcmul_(term, _per_channel(factor, first))
    return total


def _per_channel(x: Tensor, like: Tensor) -> Tensor:
    return x.to(like.dtype)[None, :, None, None]
