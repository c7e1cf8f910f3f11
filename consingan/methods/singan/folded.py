"""Trained generators with their normalization folded into the convolutions.

In evaluation mode a block's normalization is a factor and a shift for each channel:
W' = W gain / sqrt(var + eps), b' = (b - mean) gain / sqrt(var + eps) + bias.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.machine.precision import Arithmetic
from consingan.methods.singan.convolutions import NO_PADDING
from consingan.methods.singan.networks import SLOPE, Generator, cut_to
from consingan.methods.singan.passes import local
from consingan.nn.blocks import bias_of
from consingan.nn.kernels import conv_leaky_relu

Folded = tuple[list[tuple[Tensor, Tensor]], tuple[Tensor, Tensor]]


class FoldedRunner:
    """Runs trained generators, see `chain.Runner`; several pictures at a time.

    Args:
        generators: those that will be run; their weights are taken up now.
        arithmetic: of the blocks; pictures are made in the weights' own format.
    """

    def __init__(self, generators: Iterable[Generator], arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self.folded = {id(g): _fold(g, arithmetic) for g in generators}

    @torch.no_grad()
    def __call__(self, generator: Generator, x: Tensor, y: Tensor) -> Tensor:
        """G(x, y) in evaluation mode, (N, 3, h + 10, w + 10) -> (N, 3, h, w)."""
        blocks, (weight, bias) = self.folded[id(generator)]
        with self.arithmetic.scope(x.device):
            h = local(x, self.arithmetic.dtype(weight.dtype))
            for block_weight, block_bias in blocks:
                h = conv_leaky_relu(h, block_weight, block_bias, SLOPE, NO_PADDING)
            detail = torch.tanh(F.conv2d(h.to(weight.dtype), weight, bias))
        return detail + cut_to(y, detail)


@torch.no_grad()
def _fold(generator: Generator, arithmetic: Arithmetic) -> Folded:
    blocks = []
    for block in generator.blocks:
        norm = block.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        dtype = arithmetic.dtype(factor.dtype)
        weight = block.conv.weight * factor[:, None, None, None]
        bias = (bias_of(block.conv) - norm.running_mean) * factor + norm.bias
        blocks.append((local(weight, dtype), bias.to(dtype)))
    last = generator.last
    return blocks, (last.weight.detach().clone(), bias_of(last).detach().clone())
