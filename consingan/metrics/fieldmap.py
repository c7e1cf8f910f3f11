"""The nearest-neighbor field of a sample as a color picture."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .novelty import Field, neighbor_field
from .patches import match_scales

_NEW = 0.15  # the gray of new texture: dark, so that no hue can be taken for it
_PALEST = 0.25  # the saturation of the smallest offset that is not zero


def novelty_maps(real: Tensor, samples: Tensor) -> Tensor:
    """Show where each part of the samples comes from; see `field_picture` for the colors.

    Args:
        real: (1, 3, H, W) in [0, 1].
        samples: (N, 3, H', W') in [0, 1].

    Returns:
        (N, 3, H', W') in [0, 1].
    """
    size = (samples.shape[2], samples.shape[3])
    fields = [neighbor_field(match_scales(real, sample)[0]) for sample in torch.split(samples, 1)]
    return torch.cat([field_picture(field, size) for field in fields])


def field_picture(field: Field, size: tuple[int, int]) -> Tensor:
    """Paint a field: one color is one verbatim piece, many colors are a new arrangement.

    White comes from the same place in the real picture. Otherwise the hue is the direction to
    the place of origin (as in pictures of optical flow) and the saturation grows with the root
    of the distance to it, full at the field's diagonal. Dark gray is new texture.

    Args:
        field: what `neighbor_field` returns.
        size: height and width of the picture wanted, in pixels.

    Returns:
        (1, 3, *size) in [0, 1].
    """
    rows, cols = field.distance.shape
    dy, dx = field.offset.double().unbind(2)
    length = torch.hypot(dy, dx)
    reach = (length / math.hypot(rows, cols)).clamp(0, 1).sqrt()
    saturation = torch.where(length > 0, _PALEST + (1 - _PALEST) * reach, torch.zeros_like(reach))
    hue = torch.atan2(dy, dx) / (2 * math.pi) + 0.5
    colors = 1 - saturation * (1 - _hue_to_rgb(hue))
    margin = (field.new.shape[0] - rows) // 2
    colors = F.pad(colors[None], [margin] * 4, mode="replicate")[0]
    colors = torch.where(field.new, torch.full_like(colors, _NEW), colors)
    return F.interpolate(colors[None].float(), size=size, mode="nearest-exact")


def _hue_to_rgb(hue: Tensor) -> Tensor:
    """Fully saturated colors of hues in [0, 1]: (rows, cols) to (3, rows, cols)."""
    shift = torch.tensor([0.0, 4.0, 2.0], device=hue.device).view(3, 1, 1)
    return (((hue * 6 + shift) % 6 - 3).abs() - 1).clamp(0, 1)
