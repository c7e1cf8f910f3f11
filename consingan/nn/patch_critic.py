"""The critic of patches (Isola et al. 2017, section 3.2.2), and several at several sizes."""

from __future__ import annotations

import itertools

import torch.nn.functional as F
from torch import Tensor, nn

from consingan.nn.norms import norm_layer

SLOPE = 0.2  # of LeakyReLU
LAYERS = 3  # with stride 2: each score sees 70 x 70 px
LEAST_SIDE = 6  # px, of what a critic with one of them makes a score, its norms of several values


class PatchCritic(nn.Module):
    """4x4 convolutions, `LAYERS` with stride 2, then two with stride 1; scores without sigmoid.

    Args:
        channels: of what is judged: of A and B of a pair together.
        width: channels of the first layer; doubled by each of the next three.
        norm: see `norms.norm_layer`.
        padding: 1 as pix2pix, 2 as pix2pixHD.
        layers: with stride 2.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        norm: str = "batch",
        padding: int = 1,
        layers: int = LAYERS,
    ) -> None:
        super().__init__()
        widths = [channels, *(width * 2**k for k in range(layers + 1)), 1]
        last = len(widths) - 2
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for k, (before, after) in enumerate(itertools.pairwise(widths)):
            inner = 0 < k < last
            stride = 2 if k < layers else 1
            bias = not inner or norm == "instance"
            self.convs.append(nn.Conv2d(before, after, 4, stride, padding, bias=bias))
            self.norms.append(norm_layer(norm, after) if inner else nn.Identity())

    def forward(self, x: Tensor) -> list[Tensor]:
        """The maps of every layer, the last of them the scores (N, 1, h', w')."""
        maps = []
        for k, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = norm(conv(x))
            if k < len(self.convs) - 1:
                x = F.leaky_relu(x, SLOPE)
            maps.append(x)
        return maps


class PatchCritics(nn.Module):
    """Several of them, each looking at half the size of the one before (pix2pixHD, section 3.2)."""

    def __init__(
        self,
        channels: int,
        width: int,
        norm: str = "batch",
        count: int = 1,
        padding: int = 1,
        layers: int = LAYERS,
    ) -> None:
        super().__init__()
        self.critics = nn.ModuleList(
            PatchCritic(channels, width, norm, padding, layers) for _ in range(count)
        )

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """Of each critic, full size first, the maps of every layer."""
        found = []
        for k, critic in enumerate(self.critics):
            x = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False) if k else x
            found.append(critic(x))
        return found


def least_side(count: int) -> int:
    """Px of the shorter side, with which the smallest of `count` critics still gives scores."""
    return ((LEAST_SIDE - 1) << (count - 1)) + 1  # halves are rounded up


def layers_for(short: int, count: int = 1) -> int:
    """Layers of stride 2, so that the smallest of `count` critics still gives scores.

    Args:
        short: the shorter side, px; `LAYERS` from 24 px on (for one critic).
        count: critics.
    """
    smallest = short >> (count - 1)
    return max(1, min(LAYERS, (smallest // 3).bit_length() - 1))
