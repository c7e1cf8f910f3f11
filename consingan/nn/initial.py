"""How weights begin: as Radford et al. 2016 (section 3) and all that came from it draw them."""

from __future__ import annotations

import torch
from torch import nn

SPREAD = 0.02


@torch.no_grad()
def draw_weights(network: nn.Module, rng: torch.Generator) -> None:
    """Weights of convolutions N(0, 0.02), gains of norms N(1, 0.02), biases 0."""
    for module in network.modules():
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        if isinstance(weight, nn.Parameter):
            mean = 0.0 if weight.dim() > 1 else 1.0
            weight.copy_(mean + SPREAD * torch.randn(weight.shape, generator=rng))
        if isinstance(bias, nn.Parameter):
            bias.zero_()
