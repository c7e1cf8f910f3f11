"""The pyramid: how many scales, their sizes, the resize, and the blend of two neighbors.

Scale 0 is the finest. Sizes are (h, w) in px. Every picture is (C, H, W).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.resize import cubic

Size = tuple[int, int]
Wrap = tuple[bool, bool]
"""Whether the picture goes on at its other end: vertically, horizontally."""

NO_WRAP = (False, False)


def size_of(image: Tensor) -> Size:
    """Height and width of (..., H, W)."""
    return image.shape[-2], image.shape[-1]


def scale_count(sizes: Sequence[Size], floor: int | None, patch: int) -> int:
    """The smallest S with floor * 2^(S-1) >= the shortest of all sides.

    Args:
        sizes: of the picture and of what is made of it.
        floor: m, as `Recipe.floor`; None counts with round(1.7 * patch).
        patch: side of a patch in px.
    """
    short = min(min(size) for size in sizes)
    floor = floor or round(1.7 * patch)
    scales = 1
    while floor * 2 ** (scales - 1) < short:
        scales += 1
    return scales


def scale_sizes(size: Size, scales: int, floor: int | None) -> list[Size]:
    """Size of each scale i, ceil(side / 2^i) of the base; `floor` px is the shortest side allowed.

    Raises:
        UserError: the scale before the coarsest is shorter than `floor`.
    """
    sizes = [(-(-size[0] // 2**i), -(-size[1] // 2**i)) for i in range(scales)]
    if floor is None or scales < 2:
        return sizes
    if min(sizes[-2]) < floor:
        raise UserError(
            f"A picture of {size[1]}x{size[0]} px (WxH) has no {scales} scales with at least "
            f"{floor} px; use fewer scales or a larger picture."
        )
    if min(sizes[-1]) < floor:
        height, width = (-(-side * floor // min(size)) for side in size)
        sizes[-1] = min(height, sizes[-2][0]), min(width, sizes[-2][1])
    return sizes


def build_pyramid(image: Tensor, sizes: Sequence[Size], wrap: Wrap = NO_WRAP) -> list[Tensor]:
    """The picture at each of `sizes`, each resized from the one before; the first is itself."""
    levels = [image]
    for size in sizes[1:]:
        levels.append(resize(levels[-1], size, wrap))
    return levels


def blend(fine: Tensor, coarse: Tensor, floor: int | None, wrap: Wrap = NO_WRAP) -> Tensor:
    """The detail of `fine` (C, H, W) on the finished coarser scale: up(g) + f - up(down(f)).

    `down` goes to where a two-scale pyramid of f's size has its coarser scale, which near the
    coarsest scale can differ from g's size by a pixel.
    """
    size = size_of(fine)
    half = scale_sizes(size, 2, floor)[1]
    low = resize(fine, half, wrap)
    if size_of(coarse) == half:  # resizing is linear
        return fine + resize(coarse - low, size, wrap)
    return resize(coarse, size, wrap) + fine - resize(low, size, wrap)


def resize(image: Tensor, size: Size, wrap: Wrap = NO_WRAP) -> Tensor:
    """Resize (C, H, W) to `size` by Keys' cubic (a = -0.5), antialiased where it shrinks.

    Beyond the border the picture is mirrored with the border pixel repeated, or goes on at its
    other end where `wrap` says so.
    """
    rows = _resize_axis(image, size[0], wrap[0], 1)
    return _resize_axis(rows, size[1], wrap[1], 2)


def _resize_axis(image: Tensor, n_out: int, wraps: bool, axis: int) -> Tensor:
    n_in = image.shape[axis]
    if n_in == n_out:
        return image
    taps = _taps(n_in, n_out, wraps)
    index, weights = taps.index.to(image.device), taps.weights.to(image)
    shape = (1, -1, 1) if axis == 1 else (1, 1, -1)
    total = image.index_select(axis, index[0]) * weights[0].view(shape)
    for k in range(1, len(index)):
        total.addcmul_(image.index_select(axis, index[k]), weights[k].view(shape))
    return total


@dataclass(frozen=True)
class _Taps:
    """Of each output pixel the inputs (taps, n_out) it is a weighted sum of, and the weights."""

    index: Tensor
    weights: Tensor


@lru_cache(maxsize=128)
def _taps(n_in: int, n_out: int, wraps: bool) -> _Taps:
    """Output i sits at (i + 0.5)/r - 0.5, r = n_out/n_in; shrinking widens the kernel by 1/r."""
    ratio = n_out / n_in
    width = min(ratio, 1.0)
    center = (torch.arange(n_out, dtype=torch.float64) + 0.5) / ratio - 0.5
    first = (center - 2 / width).ceil().long()
    index = first + torch.arange(math.ceil(4 / width) + 1)[:, None]
    weights = cubic((index - center) * width)
    weights /= weights.sum(0, keepdim=True)
    used = weights.abs().amax(1) > 0
    index, weights = index[used], weights[used]
    if wraps:
        return _Taps(index % n_in, weights)
    index = index % (2 * n_in)
    return _Taps(torch.where(index < n_in, index, 2 * n_in - 1 - index), weights)
