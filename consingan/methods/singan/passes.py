"""Passes through a network by hand: forward, backward, and the gradient penalty's second order.

For a block l with c = W * h_{l-1}, x^ = (c - mean) s, u = gain x^ + bias, h_l = m u (m the slopes
of the leaky ReLU, s = 1 / sqrt(var + eps), E the mean over pixels), with B^h = dS/dh_l:

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

from consingan.methods.singan.convolutions import (
    Convolution,
    DirectConvolution,
    Kept,
    convolution,
)
from consingan.methods.singan.networks import SLOPE, Block, Network
from consingan.nn.blocks import NORM_EPS, bias_of
from consingan.nn.kernels import through_leaky_relu

MOMENTUM = 0.1  # of running statistics


@dataclass(frozen=True)
class Local:
    """A network's present weights in the number format and memory order of the passes.

    Attributes:
        convs: of the blocks, then of the tail.
        biases: of the blocks' convolutions.
        gains: of the normalizations, in the weights' own format.
    """

    convs: list[Convolution]
    biases: list[Tensor]
    gains: list[Tensor]

    @classmethod
    def of(cls, network: Network, dtype: torch.dtype) -> Local:
        """Take up what the optimizer has made of `network`."""
        last = local(network.last.weight.detach(), dtype)
        return cls(
            [
                *(convolution(block.conv.weight, dtype) for block in network.blocks),
                DirectConvolution(last),
            ],
            [bias_of(block.conv).detach().to(dtype) for block in network.blocks],
            [block.norm.weight.detach() for block in network.blocks],
        )


@dataclass(frozen=True)
class Trace:
    """What a pass through one block leaves behind.

    Attributes:
        kept: of the input, for the weight's gradient.
        c: output of the convolution.
        mean: of each channel of `c`.
        inverse: 1 / standard deviation of each channel.
        h: output.
    """

    kept: Kept
    c: Tensor
    mean: Tensor
    inverse: Tensor
    h: Tensor


@dataclass(frozen=True)
class Gradients:
    """Gradients of one block's parameters."""

    weight: Tensor
    gain: Tensor
    bias: Tensor


@dataclass(frozen=True)
class Slopes:
    """What a backward pass to the input leaves behind of one block.

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


@dataclass(frozen=True)
class Push:
    """What the tangent pass leaves behind of one block: of h. before it, c. and its sums."""

    kept: Kept
    c: Tensor
    product: Tensor
    total: Tensor


def local(x: Tensor, dtype: torch.dtype) -> Tensor:
    """`x` in the number format and memory order of the passes."""
    return x.to(dtype=dtype, memory_format=torch.channels_last)


def forward(blocks: Sequence[Block], weights: Local, x: Tensor) -> list[Trace]:
    """Pass (1, 3, h, w) through `blocks`; running statistics move where a block has them."""
    traces = []
    for block, conv, bias in zip(blocks, weights.convs, weights.biases, strict=False):
        norm = block.norm
        c, kept = conv.forward(x, bias)
        u, mean, inverse = torch.native_batch_norm(
            c, norm.weight, norm.bias, norm.running_mean, norm.running_var, True, MOMENTUM, NORM_EPS
        )
        x = F.leaky_relu_(u, SLOPE)
        traces.append(Trace(kept, c, mean, inverse, x))
    return traces


def backward(traces: Sequence[Trace], weights: Local, gradient: Tensor) -> list[Gradients]:
    """Gradients of all blocks for one at the last block's output, whose memory is used up.

    The traces may be those of other weights than `weights`: then the stored pass is sent back
    with the weights of now.
    """
    found: list[Gradients] = []
    for number in range(len(traces) - 1, -1, -1):
        trace, conv = traces[number], weights.convs[number]
        slope = _through_block(gradient, trace, weights.gains[number])
        if number:
            gradient, weight = conv.gradients(slope.c, trace.kept)
        else:
            weight = conv.weight_gradient(slope.c, trace.kept)
        found.append(Gradients(weight, slope.gain, slope.bias))
    return found[::-1]


def backward_to_input(
    traces: Sequence[Trace], weights: Local, gradient: Tensor
) -> tuple[Tensor, list[Slopes]]:
    """The input's gradient for one at the last block's output, whose memory is used up."""
    found: list[Slopes] = []
    for number in range(len(traces) - 1, -1, -1):
        found.append(_through_block(gradient, traces[number], weights.gains[number]))
        gradient = weights.convs[number].input_gradient(found[-1].c)
    return gradient, found[::-1]


def tangent(traces: Sequence[Trace], weights: Local, v: Tensor) -> tuple[list[Push], Tensor]:
    """Carry a direction v at the input through the blocks; what it is after the last."""
    found = []
    for trace, conv, gain in zip(traces, weights.convs, weights.gains, strict=False):
        c, kept = conv.forward(v)
        u, product, total = _through_norm(c, trace, gain)
        found.append(Push(kept, c, product, total))
        v = through_leaky_relu(u, trace.h, SLOPE)
    return found, v


def second_order(
    traces: Sequence[Trace], weights: Local, slopes: Sequence[Slopes], pushes: Sequence[Push]
) -> list[Gradients]:
    """Gradients of T for all blocks."""
    found: list[Gradients] = []
    above: Tensor | None = None
    for number in range(len(traces) - 1, -1, -1):
        trace, slope, push = traces[number], slopes[number], pushes[number]
        conv, gain = weights.convs[number], weights.gains[number]
        if above is not None:
            above = through_leaky_relu(above, trace.h, SLOPE)
        c, d_gain, d_bias = _through_norm_twice(above, trace, slope, push, gain)
        if number:
            above, weight = conv.gradients(c, trace.kept)
        else:
            weight = conv.weight_gradient(c, trace.kept)
        weight = weight.to(gain.dtype) + conv.weight_gradient(slope.c, push.kept)
        found.append(Gradients(weight, d_gain, d_bias))
    return found[::-1]


def _through_block(gradient: Tensor, trace: Trace, gain: Tensor) -> Slopes:
    d = through_leaky_relu(gradient, trace.h, SLOPE)
    c, product, total = _through_norm(d, trace, gain)
    return Slopes(d, c, product, total)


def _through_norm(gradient: Tensor, trace: Trace, gain: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gain s (D - E[D] - x^ E[D x^]), sum(D x^) and sum(D) of a gradient D."""
    return _norm_backward(gradient, trace.c, gain, trace.mean, trace.inverse, [True, True, True])


def _sums(gradient: Tensor, trace: Trace, gain: Tensor) -> tuple[Tensor, Tensor]:
    """sum(D x^) and sum(D) of a gradient D, in one pass over memory."""
    wanted = [False, True, True]
    found = _norm_backward(gradient, trace.c, gain, trace.mean, trace.inverse, wanted)
    return found[1], found[2]


def _channel_products(a: Tensor, b: Tensor, gain: Tensor) -> Tensor:
    """sum(a b) of each channel, in one pass over memory."""
    zero, one = torch.zeros_like(gain), torch.ones_like(gain)
    return _norm_backward(a, b, gain, zero, one, [False, True, True])[1]


def _norm_backward(
    gradient: Tensor, c: Tensor, gain: Tensor, mean: Tensor, inverse: Tensor, wanted: list[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    return torch.ops.aten.native_batch_norm_backward(  # type: ignore[no-any-return]
        gradient, c, gain, None, None, mean, inverse, True, NORM_EPS, wanted
    )


def _through_norm_twice(
    above: Tensor | None, trace: Trace, slope: Slopes, push: Push, gain: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """A^c, dT/dgain, dT/dbias of one block; `above` is m A^h, nothing for the last."""
    n = trace.c.shape[-2] * trace.c.shape[-1]
    s = trace.inverse
    crossed = _channel_products(slope.d, push.c, gain)
    from_push = s * (crossed - (slope.bias * push.total + slope.gain * push.product) / n)
    product, total = torch.zeros_like(gain), torch.zeros_like(gain)
    if above is not None:
        product, total = _sums(above, trace, gain)
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
    """Offset + sum of maps times a factor for each channel."""
    (first, factor), *others = terms
    total = torch.addcmul(_per_channel(offset, first), first, _per_channel(factor, first))
    for term, factor in others:
        total.addcmul_(term, _per_channel(factor, first))
    return total


def _per_channel(x: Tensor, like: Tensor) -> Tensor:
    return x.to(like.dtype)[None, :, None, None]
