"""The U-Net of pix2pix (Isola et al. 2017, section 6.1.1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from consingan.nn.norms import norm_layer

SLOPE = 0.2  # of LeakyReLU on the way down
WIDEST = 8  # times the width of the first level
DROPPED = 0.5  # share of values, in the inner levels of full width but the innermost
NARROWING = 5  # levels that change width: the others are all as wide as the innermost


class Up(nn.Sequential):
    """Twice the size: a transposed convolution as published, or nearest pixels and a 3x3 one.

    The second has no checkerboard (Odena et al. 2016).
    """

    def __init__(self, before: int, after: int, kind: str, bias: bool) -> None:
        layers: list[nn.Module] = [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=bias)]
        if kind == "nearest":
            layers = [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, 1, 1, bias=bias)]
        super().__init__(*layers)


class UNet(nn.Module):
    """A picture (N, 3, h, w) in [-1, 1] to another one; sides are multiples of 2^levels px.

    Args:
        levels: halvings; 8 for 256 px as published.
        width: channels of the first level.
        norm: see `norms.norm_layer`.
        up: "transposed" or "nearest", see `Up`.
    """

    def __init__(
        self, levels: int, width: int, norm: str = "batch", up: str = "transposed"
    ) -> None:
        super().__init__()
        self.levels = levels
        widths = [width * min(2**k, WIDEST) for k in range(levels)]
        bias = norm == "instance"  # the others have one of their own
        self.down, self.down_norms = nn.ModuleList(), nn.ModuleList()
        self.up, self.up_norms = nn.ModuleList(), nn.ModuleList()
        for k, after in enumerate(widths):
            before = widths[k - 1] if k else 3
            outer, inner = k == 0, k == levels - 1
            self.down.append(nn.Conv2d(before, after, 4, 2, 1, bias=bias))
            self.down_norms.append(nn.Identity() if outer or inner else norm_layer(norm, after))
            joined = after if inner else 2 * after
            self.up.append(Up(joined, before, up, bias or outer))
            self.up_norms.append(nn.Identity() if outer else norm_layer(norm, before))

    def forward(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """The other picture.

        Args:
            x: (N, 3, h, w).
            rng: draws what drop-out drops; None drops nothing.
        """
        maps = []
        for k in range(self.levels):
            x = self.down_norms[k](self.down[k](F.leaky_relu(x, SLOPE) if k else x))
            maps.append(x)
        x = maps.pop()
        for k in reversed(range(self.levels)):
            x = self.up_norms[k](self.up[k](F.relu(x)))
            if rng is not None and NARROWING - 1 <= k < self.levels - 1:
                x = _dropped(x, rng)
            if k:
                x = torch.cat([maps.pop(), x], 1)
        return torch.tanh(x.float())


def _dropped(x: Tensor, rng: torch.Generator) -> Tensor:
    kept = torch.rand(x.shape, generator=rng, device=rng.device) >= DROPPED
    return x * kept.to(x) / (1 - DROPPED)
