"""Cascaded refinement (Chen and Koltun 2017, section 3): from 4 px to the picture, twice as large
at each module, each told the layout again.
"""  # noqa: D205 - one sentence

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Size = tuple[int, int]

SLOPE = 0.2  # of LeakyReLU
COARSEST = 4  # px of the shorter side at the first module
EPSILON = 1e-12  # TF-slim's, in the layer norm


class LayerNorm(nn.Module):
    """(N, C, h, w) to mean 0 and variance 1 over C, h, w; a gain and a bias for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalize each picture."""
        return F.group_norm(x, 1, self.gamma, self.beta, EPSILON)  # one group: all channels


class Module(nn.Module):
    """Twice a 3x3 convolution, layer norm, LeakyReLU; fig. 2 of the paper."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm1, self.norm2 = LayerNorm(after), LayerNorm(after)

    def forward(self, x: Tensor) -> Tensor:
        """(N, before, h, w) to (N, after, h, w)."""
        x = F.leaky_relu(self.norm1(self.conv1(x)), SLOPE)
        return F.leaky_relu(self.norm2(self.conv2(x)), SLOPE)


class Cascade(nn.Module):
    """A layout (1, L, h, w), one-hot, to k pictures of its size.

    Args:
        labels: L.
        widths: channels of each module, coarsest first.
        outputs: k.
    """

    def __init__(self, labels: int, widths: Sequence[int], outputs: int = 1) -> None:
        super().__init__()
        before = [0, *widths[:-1]]
        self.cascade = nn.ModuleList(
            Module(n + labels, after) for n, after in zip(before, widths, strict=True)
        )
        self.last = nn.Conv2d(widths[-1], 3 * outputs, 1)
        self.outputs = outputs

    def forward(self, layout: Tensor) -> Tensor:
        """The pictures, (k, 3, h, w), about [-1, 1] and not cut off there."""
        height, width = layout.shape[-2:]
        x = None
        for size, module in zip(
            sizes_of((height, width), len(self.cascade)), self.cascade, strict=True
        ):
            told = shrunk(layout, size)
            x = module(told if x is None else torch.cat([enlarged(x, size), told], 1))
        colors: Tensor = self.last(x)
        # Channel c k + i is color c of picture i.
        return colors.view(3, self.outputs, height, width).transpose(0, 1)


def modules_for(size: Size) -> int:
    """Modules for a picture of `size` (h, w) px, so that the first works at about 4 px."""
    count = 1
    while min(size) > COARSEST:
        size = ((size[0] + 1) // 2, (size[1] + 1) // 2)
        count += 1
    return count


def sizes_of(size: Size, count: int) -> list[Size]:
    """(h, w) px of each of `count` modules, coarsest first; halves are rounded up."""
    found = [size]
    while len(found) < count:
        height, width = found[0]
        found.insert(0, ((height + 1) // 2, (width + 1) // 2))
    return found


def shrunk(layout: Tensor, size: Size) -> Tensor:
    """A layout by averages of areas."""
    return layout if layout.shape[-2:] == size else F.adaptive_avg_pool2d(layout, size)


def enlarged(x: Tensor, size: Size) -> Tensor:
    """Features to `size`, bilinear with the corners' pixels at the corners."""
    return F.interpolate(x, size, mode="bilinear", align_corners=True)


@torch.no_grad()
def draw_weights(network: nn.Module, rng: torch.Generator) -> None:
    """Glorot-uniform weights, TF-slim's; gains 1, biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            receptive = module.weight[0, 0].numel()
            fans = receptive * (module.in_channels + module.out_channels)
            drawn = 2 * torch.rand(module.weight.shape, generator=rng) - 1
            module.weight.copy_(drawn * (6 / fans) ** 0.5)
            if module.bias is not None:
                module.bias.zero_()
