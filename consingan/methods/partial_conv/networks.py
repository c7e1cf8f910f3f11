"""The U-Net of partial convolutions (Liu et al. 2018, section 3.3)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from consingan.methods.partial_conv.layers import (
    PartialConv2d,
    RegionConv2d,
    RegionNormB,
    RegionNormInstance,
    RegionNormL,
)
from consingan.nn.norms import norm_layer

KERNELS = (7, 5, 5)  # of the encoder's first levels, px; 3 of all others
WIDEST = 8  # times the width of the first level
SLOPE = 0.2  # of the decoder's LeakyReLU
CONVOLUTIONS = {"partial": PartialConv2d, "region": RegionConv2d}
REGION_NORMS = {
    "region_batch": RegionNormB,
    "region_learned": RegionNormL,
    "region_instance": RegionNormInstance,
}


class Layer(nn.Module):
    """Convolution, normalization, activation, of features and their mask."""

    def __init__(self, conv: nn.Module, norm: nn.Module | None, slope: float | None) -> None:
        super().__init__()
        self.conv, self.norm, self.slope = conv, norm, slope

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Features and mask, (N, O, h, w) and (N, 1, h, w)."""
        x, mask = self.conv(x, mask)
        mask = mask[:, :1]
        if self.norm is not None:
            masked = isinstance(self.norm, tuple(REGION_NORMS.values()))
            x = self.norm(x, mask) if masked else self.norm(x)
        return x if self.slope is None else F.leaky_relu(x, self.slope), mask


class UNet(nn.Module):
    """A picture with a hole to a whole one; sides are multiples of 2^levels px.

    Args:
        levels: halvings; 8 for 512 px as published.
        width: channels of the first level, 64 as published.
        norm: of `norms.NORMS` or `REGION_NORMS`.
        convolution: "partial", or "region" for holes that show something.
    """

    def __init__(
        self, levels: int, width: int = 64, norm: str = "batch", convolution: str = "partial"
    ) -> None:
        super().__init__()
        self.levels = levels
        widths = [3, *(width * min(2**k, WIDEST) for k in range(levels))]
        make = CONVOLUTIONS[convolution]

        def layer(before: int, after: int, k: int, down: bool) -> Layer:
            kernel = (*KERNELS, *[3] * levels)[k] if down else 3
            last = not down and k == 0
            conv = make(before, after, kernel, 2 if down else 1, kernel // 2, bias=last)
            plain = k == 0
            slope = None if last else 0.0 if down else SLOPE
            return Layer(conv, None if plain else _norm(norm, after), slope)

        self.down = nn.ModuleList(layer(widths[k], widths[k + 1], k, True) for k in range(levels))
        self.up = nn.ModuleList(
            layer(widths[k + 1] + widths[k], widths[k] if k else 3, k, False) for k in range(levels)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """The whole picture, not clipped.

        Args:
            x: (N, 3, h, w) in [-1, 1]; what the mask hides does not matter.
            mask: (N, 1, h, w), 1 where the picture is known.
        """
        x = x * mask
        maps, masks = [x], [mask]
        for layer in self.down:
            x, mask = layer(x, mask)
            maps.append(x)
            masks.append(mask)
        x, mask = maps.pop(), masks.pop()
        for k in reversed(range(self.levels)):
            beside, seen = maps.pop(), masks.pop()
            size = beside.shape[-2:]
            x, mask = F.interpolate(x, size), F.interpolate(mask, size)
            both = [m.expand(-1, c.shape[1], -1, -1) for m, c in ((mask, x), (seen, beside))]
            x, mask = self.up[k](torch.cat([x, beside], 1), torch.cat(both, 1))
        return x


def _norm(name: str, channels: int) -> nn.Module:
    made: nn.Module = (
        REGION_NORMS[name](channels) if name in REGION_NORMS else norm_layer(name, channels)
    )
    return made


@torch.no_grad()
def draw_weights(network: nn.Module, rng: torch.Generator) -> None:
    """Kaiming-normal weights by the number of inputs; biases 0, gains as they are."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            spread = math.sqrt(2 / module.weight[0].numel())
            module.weight.copy_(spread * torch.randn(module.weight.shape, generator=rng))
            if module.bias is not None:
                module.bias.zero_()
