"""An Inception network with random weights."""

from __future__ import annotations

import torch
from torch import Tensor

LAYOUT = {
    "Conv2d_1a_3x3": (3, 32, 3),
    "Conv2d_2a_3x3": (32, 32, 3),
    "Conv2d_2b_3x3": (32, 64, 3),
    "Conv2d_3b_1x1": (64, 80, 1),
    "Conv2d_4a_3x3": (80, 192, 3),
}


def random_weights(seed: int = 0) -> dict[str, Tensor]:
    """Random numbers in torchvision's key layout, with keys that SIFID does not need."""
    rng = torch.Generator().manual_seed(seed)
    weights = {}
    for name, (inputs, outputs, size) in LAYOUT.items():
        kernel = torch.randn(outputs, inputs, size, size, generator=rng)
        weights[f"{name}.conv.weight"] = kernel / (inputs * size * size) ** 0.5
        weights[f"{name}.bn.weight"] = 0.5 + torch.rand(outputs, generator=rng)
        weights[f"{name}.bn.bias"] = 0.1 * torch.randn(outputs, generator=rng)
        weights[f"{name}.bn.running_mean"] = 0.1 * torch.randn(outputs, generator=rng)
        weights[f"{name}.bn.running_var"] = 0.5 + torch.rand(outputs, generator=rng)
        weights[f"{name}.bn.num_batches_tracked"] = torch.tensor(1)
    weights["AuxLogits.conv0.conv.weight"] = torch.zeros(1)
    weights["fc.weight"] = torch.zeros(1008, 4)
    return weights
