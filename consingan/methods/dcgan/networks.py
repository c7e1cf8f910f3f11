"""The two networks of DCGAN (Radford et al. 2016, section 3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from consingan.nn.norms import BatchNorm

SLOPE = 0.2  # of the critic's LeakyReLU
SMALLEST = 4  # px of the first map of the generator, the last of the critic


def halvings(side: int) -> int:
    """Steps between 4 px and half of `side` px: 3 for 64 px."""
    return (side // SMALLEST).bit_length() - 2


def _norm(channels: int) -> BatchNorm:
    norm = BatchNorm(channels)
    norm.running = True  # in use, pictures must not depend on those made beside them
    return norm


class Generator(nn.Module):
    """Vectors (N, nz, 1, 1) to pictures (N, 3, side, side) in [-1, 1].

    A field of vectors (N, nz, r, c) gives a picture of 16 px (for 64 px pictures) more for each
    further one, which was not trained for.

    Args:
        side: 32 or 64 px.
        latent: nz.
        width: channels at half the side, doubled at each coarser step.
    """

    def __init__(self, side: int, latent: int, width: int) -> None:
        super().__init__()
        steps = halvings(side)
        widths = [width * 2**k for k in reversed(range(steps + 1))]
        before = [latent, *widths]
        after = [*widths, 3]
        self.convs = nn.ModuleList(
            nn.ConvTranspose2d(n, m, 4, 2 if k else 1, 1 if k else 0, bias=False)
            for k, (n, m) in enumerate(zip(before, after, strict=True))
        )
        self.norms = nn.ModuleList(_norm(m) for m in widths)

    def forward(self, z: Tensor) -> Tensor:
        """The pictures."""
        for conv, norm in zip(self.convs, self.norms, strict=False):
            z = F.relu(norm(conv(z)))
        return torch.tanh(self.convs[-1](z).float())


class Critic(nn.Module):
    """Pictures (N, 3, side, side) to scores (N,), before the sigmoid."""

    def __init__(self, side: int, width: int) -> None:
        super().__init__()
        widths = [width * 2**k for k in range(halvings(side) + 1)]
        before, after = [3, *widths], [*widths, 1]
        last = len(widths)
        self.convs = nn.ModuleList(
            nn.Conv2d(n, m, 4, 1 if k == last else 2, 0 if k == last else 1, bias=False)
            for k, (n, m) in enumerate(zip(before, after, strict=True))
        )
        self.norms = nn.ModuleList(_norm(m) if k else nn.Identity()
                                   for k, m in enumerate(widths))  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """The scores."""
        for conv, norm in zip(self.convs, self.norms, strict=False):
            x = F.leaky_relu(norm(conv(x)), SLOPE)
        scores: Tensor = self.convs[-1](x)
        return scores.float().flatten()
