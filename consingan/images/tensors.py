"""Numbers of a file become float32 tensors, a block of rows at a time.

A camera's picture takes a gigabyte as float32: there is room for one of them, not for copies.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from consingan.images.color import deep_to_srgb, to_srgb
from consingan.images.levels import Levels, opacity, opacity_top, unit_table, unit_values
from consingan.images.raster import FloatPixels, Pixels, Raster

BLOCK = 1_000_000  # pixels


def tensor_of(raster: Raster, levels: Levels) -> tuple[Tensor, tuple[str, ...]]:
    """Colors as (1, 3, H, W) float32 in [-1, 1], and what to say of their profile.

    Of other bands than gray or three colors as many channels as there are.
    """
    if raster.profile is None:
        return _scaled(raster, levels), ()
    if raster.colors.dtype != np.uint8 or raster.white_is_zero:
        return _converted(_scaled(raster, levels), raster)
    pixels = raster.colors
    gray = pixels.shape[2] == 1
    shallow = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if gray else pixels))
    converted, said = to_srgb(shallow, raster.profile)
    if converted is shallow:
        return _scaled(raster, levels), said
    return _scaled(Raster(np.asarray(converted.convert("RGB"))), levels), said


def _converted(image: Tensor, raster: Raster) -> tuple[Tensor, tuple[str, ...]]:
    """Convert colors (1, 3, H, W) in [-1, 1] of a deep file to sRGB; the tensor itself changes."""
    assert raster.profile is not None
    channels = raster.colors.shape[2]
    deep = deep_to_srgb(raster.profile, channels)
    if deep.convert is None:
        return image, deep.notes
    for rows in _blocks(image.shape[-2], image.shape[-1]):
        unit = (image[0, :channels, rows].double().permute(1, 2, 0).numpy() + 1) / 2
        image[0, :, rows] = torch.from_numpy(_signed(deep.convert(unit))).permute(2, 0, 1)
    return image, deep.notes


def opacity_of(alpha: Pixels) -> Tensor:
    """Opacity (H, W) of any type as (1, 1, H, W) float32 in [0, 1]."""
    top = opacity_top(alpha)
    if alpha.dtype.kind in "ui" and alpha.dtype != np.uint8 and 0 < alpha.max() < top / 2:
        top = float(alpha.max())  # 12 bit in 16, for example
    result = torch.empty(1, 1, *alpha.shape)
    for rows in _blocks(*alpha.shape):
        result[0, 0, rows] = torch.from_numpy(opacity(alpha[rows], top).astype(np.float32))
    return result


def lay_over(image: Tensor, alpha: Tensor, background: float) -> None:
    """Lay a picture (1, 3, H, W) over one gray; the picture itself changes."""
    for rows in _blocks(image.shape[-2], image.shape[-1]):
        share = alpha[:, :, rows]
        image[:, :, rows] *= share
        image[:, :, rows] += background * (1 - share)


def span_over(image: Tensor, alpha: Tensor, background: float) -> float:
    """How much a channel of `image` would vary at most, laid over one gray."""
    least, most = torch.full((3,), 2.0), torch.full((3,), -2.0)
    for rows in _blocks(image.shape[-2], image.shape[-1]):
        share = alpha[:, :, rows]
        block = image[:, :, rows] * share + background * (1 - share)
        least = torch.minimum(least, block.amin((0, 2, 3)))
        most = torch.maximum(most, block.amax((0, 2, 3)))
    return float((most - least).max())


def _blocks(height: int, width: int) -> Iterator[slice]:
    """Rows of a picture, so many at a time that they are a block."""
    rows = max(1, BLOCK // width)
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def _scaled(raster: Raster, levels: Levels) -> Tensor:
    """Numbers of any type between black and white."""
    height, width, channels = raster.colors.shape
    image = torch.empty(1, 3 if channels == 1 else channels, height, width)
    table = _table(raster, levels)
    for rows in _blocks(height, width):
        for channel in range(channels):
            numbers = raster.colors[rows, :, channel]
            if table is None:
                block = _signed(unit_values(numbers, levels, raster.white_is_zero))
            else:
                block = table[numbers.astype(np.int64) - _lowest(numbers)]
            image[0, channel, rows] = torch.from_numpy(block)
        if channels == 1:
            image[0, 1:, rows] = image[0, :1, rows]
    return image


def _table(raster: Raster, levels: Levels) -> Pixels | None:
    """What each number becomes, if there are few enough of them to be counted out."""
    dtype = raster.colors.dtype
    if dtype.kind not in "bui" or dtype.itemsize > 2:
        return None
    return _signed(unit_table(levels, dtype, raster.white_is_zero))


def _lowest(numbers: Pixels) -> int:
    return int(np.iinfo(numbers.dtype).min) if numbers.dtype.kind == "i" else 0


def _signed(unit: FloatPixels) -> Pixels:
    """From [0, 1] to [-1, 1], rounded to float32 only then."""
    return (unit * 2 - 1).astype(np.float32)
