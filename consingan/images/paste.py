"""Drop an object into a picture: moved, scaled, and where it covers the picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.images.picture import Picture
from consingan.images.resize import resize_to


@dataclass(frozen=True)
class Placed:
    """Where an object is, in shares of the picture that it is dropped into.

    Attributes:
        across, down: of its middle, 0 (left, top) to 1 (right, bottom).
        width: of it.
    """

    across: float = 0.5
    down: float = 0.5
    width: float = 0.3


def paste(picture: Tensor, dropped: Picture, placed: Placed) -> tuple[Tensor, Tensor]:
    """Lay an object over a picture; what would stand out over the border is cut off.

    Args:
        picture: (1, 3, H, W) in [-1, 1].
        dropped: the object; what is transparent in it stays the picture's.
        placed: where and how large.

    Returns:
        the picture with it, and (1, 1, H, W) in [0, 1], where it covers the picture.
    """
    height, width = picture.shape[-2:]
    scale = max(1.0, placed.width * width) / dropped.size[1]
    size = max(1, round(dropped.size[0] * scale)), max(1, round(dropped.size[1] * scale))
    colors = resize_to(dropped.image, size).clamp(-1, 1)
    opaque = torch.ones(1, 1, *size) if dropped.alpha is None else dropped.alpha
    alpha = resize_to(opaque, size).clamp(0, 1) if tuple(opaque.shape[-2:]) != size else opaque
    top = round(placed.down * height - size[0] / 2)
    left = round(placed.across * width - size[1] / 2)
    rows, own_rows = _overlap(top, size[0], height)
    columns, own_columns = _overlap(left, size[1], width)
    laid, mask = picture.clone(), torch.zeros(1, 1, height, width)
    part = alpha[..., own_rows, own_columns]
    # The object's colors were laid over its background when it was read; here that is taken away.
    below = laid[..., rows, columns] - dropped.background
    laid[..., rows, columns] = (colors[..., own_rows, own_columns] + (1 - part) * below).clamp(
        -1, 1
    )
    mask[..., rows, columns] = part
    return laid, mask


def _overlap(start: int, length: int, whole: int) -> tuple[slice, slice]:
    """Which part of a line of `whole` px a piece covers, and which part of the piece that is."""
    first, last = max(0, start), max(0, min(whole, start + length))
    return slice(first, max(first, last)), slice(first - start, max(first, last) - start)
