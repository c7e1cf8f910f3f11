"""Layers that know what is known: partial and region-wise convolutions, region normalizations.

A mask is 1 where a pixel is known and 0 in the hole, (N, 1, h, w), or (N, C, h, w) where each
channel has one of its own.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TINY = 1e-8
RN_EPS = 1e-5  # Yu et al.
STYLE_EPS = 1e-3  # of the instance style, beside the variance and beside the count
THRESHOLD = 0.8  # from which importance counts as a region of its own


class PartialConv2d(nn.Conv2d):
    """Convolution of what is known alone (Liu et al. 2018, eq. 1 and 2).

    y = W * (x M) N / (S + 1e-8) + b where the window holds something known, else 0; S is the sum
    of M in the window, N what it would be if all were known.
    """

    def forward(  # type: ignore[override]
        self, x: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Features and the mask of what is known of them.

        Args:
            x: (N, C, h, w).
            mask: (N, 1 or C, h, w); None where all is known but the frame of zeros.

        Returns:
            (N, O, h', w'), and the mask with 1 channel, or O if `mask` has several.
        """
        several = mask is not None and mask.shape[1] > 1
        whole = x.new_ones(1, 1, *x.shape[-2:]) if mask is None else mask
        window = float(whole.shape[1] * self.weight[0, 0].numel())
        # Counts are exact whatever the arithmetic of the convolution itself.
        cast = x.device.type if torch.amp.is_autocast_available(x.device.type) else "cpu"
        with torch.no_grad(), torch.autocast(cast, enabled=False):
            total = whole.float().sum(1, keepdim=True)
            ones = total.new_ones(1, 1, *self.kernel_size)
            known = F.conv2d(total, ones, None, self.stride, self.padding, self.dilation)
            seen = (known > 0.5).to(x)
            ratio = (window / (known + TINY)).to(x) * seen
        y = F.conv2d(x if mask is None else x * mask.to(x), self.weight, None, self.stride,
                     self.padding, self.dilation)  # fmt: skip
        y = y * ratio
        if self.bias is not None:
            y = y + self.bias.view(1, -1, 1, 1) * seen
        return y, seen.expand(-1, self.out_channels, -1, -1) if several else seen


class RegionConv2d(nn.Module):
    """Region-wise convolution (Ma et al. 2019): weights of its own for what is missing."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0,
        bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.valid = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=bias)
        self.missing = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=bias)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """M conv_v(x) + (1 - M) conv_m(x), and M at the size of that."""
        valid, missing = self.valid(x), self.missing(x)
        mask = mask[:, :1].to(x)
        if mask.shape[-2:] != valid.shape[-2:]:
            mask = F.interpolate(mask, valid.shape[-2:], mode="nearest")
        return mask * valid + (1 - mask) * missing, mask


def region_normalized(x: Tensor, region: Tensor) -> Tensor:
    """`x` inside of a region by the region's statistics over the batch, 0 outside (RN, eq. 3-6).

    (x - mu) / sqrt(v + eps) sqrt(n / all), v the squared deviations divided by all pixels.

    Args:
        x: (N, C, h, w).
        region: (N, 1, h, w), 1 inside.
    """
    count = region.sum().clamp_min(1)
    share = count / region.numel()
    mean = (x * region).sum((0, 2, 3), keepdim=True) / count
    apart = (x - mean) * region
    variance = apart.square().sum((0, 2, 3), keepdim=True) / region.numel()
    return apart / (variance + RN_EPS).sqrt() * share.sqrt()


class RegionNormB(nn.Module):
    """Basic region normalization (Yu et al. 2020): hole and surroundings each by their own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        for name in ("hole_gain", "hole_bias", "known_gain", "known_bias"):
            self.register_parameter(name, nn.Parameter(torch.zeros(channels)))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Normalize (N, C, h, w); `mask` (N, 1, H, W) is 1 where something is known.

        Gains count from 1, inside of each region; both biases are added everywhere, as the
        authors' program does.
        """
        known = F.interpolate(mask[:, :1].to(x), x.shape[-2:], mode="nearest")
        hole_gain, hole_bias, known_gain, known_bias = (
            p.view(1, -1, 1, 1) for p in self.parameters()
        )
        hole = region_normalized(x, 1 - known) * (1 + hole_gain) + hole_bias
        return hole + region_normalized(x, known) * (1 + known_gain) + known_bias


class RegionNormL(nn.Module):
    """Learnable region normalization (Yu et al. 2020): the regions are found in the features."""

    def __init__(self, channels: int, threshold: float = THRESHOLD) -> None:  # noqa: ARG002
        super().__init__()
        self.threshold = threshold
        self.look = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.gain = nn.Conv2d(1, 1, 7, padding=3)
        self.bias = nn.Conv2d(1, 1, 7, padding=3)

    def importance(self, x: Tensor) -> Tensor:
        """(N, 1, h, w) in [0, 1] of (N, C, h, w)."""
        both = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return torch.sigmoid(self.look(both))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:  # noqa: ARG002
        """Normalize (N, C, h, w), whatever the mask."""
        weight = self.importance(x)
        region = (weight >= self.threshold).to(x)
        found = region_normalized(x, region) + region_normalized(x, 1 - region)
        normalized: Tensor = found * (1 + self.gain(weight)) + self.bias(weight)
        return normalized


class RegionNormInstance(nn.Module):
    """Region normalization of each picture by itself, gains and biases inside their region."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(2, channels))  # known, missing
        self.bias = nn.Parameter(torch.zeros(2, channels))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Normalize (N, C, h, w)."""
        known = F.interpolate(mask[:, :1].to(x), x.shape[-2:], mode="nearest")
        total = torch.zeros_like(x)
        for k, region in enumerate((known, 1 - known)):
            count = region.sum((2, 3), keepdim=True) + STYLE_EPS
            mean = (x * region).sum((2, 3), keepdim=True) / count
            variance = ((x - mean).square() * region).sum((2, 3), keepdim=True) / count
            gain, bias = self.gain[k].view(1, -1, 1, 1), self.bias[k].view(1, -1, 1, 1)
            total = total + ((x - mean) / (variance + STYLE_EPS).sqrt() * gain + bias) * region
        return total
