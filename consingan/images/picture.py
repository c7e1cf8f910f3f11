"""A picture as it was read: RGB in [-1, 1], its opacity, and what the user should know of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from consingan.images.color import gray_to_srgb, to_srgb
from consingan.images.levels import Levels, levels_of, opacity, percent, unit_table, unit_values
from consingan.images.raster import AUTO, FloatPixels, Pixels, Raster

BLOCK = 2_000_000  # numbers that are converted to float64 at a time
GRAY_TOLERANCE = 4 / 255  # in [-1, 1], two of 256 levels: JPEG's noise in a gray picture
FLAT = 4 / 255  # likewise: no more than noise


@dataclass(frozen=True)
class Picture:
    """A picture and what was found out in reading it.

    Attributes:
        image: (1, 3, H, W) float32 in [-1, 1]; what is transparent shows `background`.
        alpha: (1, 1, H, W) float32 in [0, 1], opacity; None where all is opaque.
        background: what shows through, in [-1, 1].
        bits: of a number in the file.
        value_range: the file's numbers that became black and white, as "MIN,MAX", of pictures
            deeper than 8 bit; "auto" of others.
        notes: sentences without the picture's name and full stop: what was read otherwise.
    """

    image: Tensor
    alpha: Tensor | None = None
    background: float = 1.0
    bits: int = 8
    value_range: str = AUTO
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) in px."""
        return self.image.shape[-2], self.image.shape[-1]


def picture_of(raster: Raster, value_range: str = AUTO) -> Picture:
    """Make a picture of a file's pixels.

    Raises:
        UserError: they hold no values, or `value_range` is malformed.
    """
    levels = levels_of(raster, value_range)
    image, said = _image(raster, levels)
    deep = raster.bits > 8 or raster.colors.dtype.kind not in "bu"
    chosen = f"{levels.low:.17g},{levels.high:.17g}" if deep else AUTO
    picture = Picture(
        image, bits=raster.bits, value_range=chosen, notes=(*raster.notes, *levels.notes, *said)
    )
    if raster.alpha is None:
        return picture
    alpha = torch.from_numpy(opacity(raster.alpha)[None, None].astype(np.float32))
    return picture if bool((alpha >= 1).all()) else _lay(picture, alpha)


def is_gray(image: Tensor) -> bool:
    """Whether a picture (1, 3, H, W) in [-1, 1] has no colors but for noise."""
    red, green, blue = (image[:, channel] for channel in range(3))
    apart = max(float((red - green).abs().max()), float((green - blue).abs().max()))
    return apart <= GRAY_TOLERANCE


def flatness(image: Tensor) -> str | None:
    """What a picture (1, 3, H, W) in [-1, 1] lacks: it has one color or two, or a channel is flat.

    Returns:
        the rest of a sentence that begins with the picture's name, or None for a usual picture.
    """
    pixels = image[0].flatten(1)
    least, most = pixels.amin(1), pixels.amax(1)
    flat = [bool(span <= FLAT) for span in most - least]
    if all(flat):
        color = ",".join(str(round(float(value + 1) * 127.5)) for value in least)
        return f"has only one color ({color}): there is nothing to learn from it"
    first = pixels[:, :1]
    other = pixels[:, (pixels - first).abs().amax(0).argmax()][:, None]
    near = torch.minimum((pixels - first).abs().amax(0), (pixels - other).abs().amax(0))
    if float(near.max()) <= FLAT:
        return "has only two colors: a model of it will know little more than their edge"
    names = [name for name, still in zip(("red", "green", "blue"), flat, strict=True) if still]
    if names:
        plural = "channels do" if len(names) > 1 else "channel does"
        return f"varies only in part: its {' and '.join(names)} {plural} not change anywhere"
    return None


def _lay(picture: Picture, alpha: Tensor) -> Picture:
    """Lay a picture over white, or over black where white would hide what is drawn on it."""
    image = picture.image
    if not alpha.any():
        note = "all of it is transparent; it is taken as if it were not"
        return replace(picture, notes=(*picture.notes, note))
    laid, background, color = _over(image, alpha, 1.0), 1.0, "white"
    if _span(laid) <= FLAT and _span(on_black := _over(image, alpha, -1.0)) > FLAT:
        laid, background, color = on_black, -1.0, "black"
    share = float((alpha < 1).double().mean())
    note = f"{percent(share)} of it is transparent; transparent parts are taken as {color}"
    return replace(
        picture, image=laid, alpha=alpha, background=background, notes=(*picture.notes, note)
    )


def _over(image: Tensor, alpha: Tensor, background: float) -> Tensor:
    """Lay a picture over one gray, in place of a copy where nothing shows through."""
    laid = image * alpha
    laid += background * (1 - alpha)  # in place: a camera's picture takes 300 MB
    return laid


def _span(image: Tensor) -> float:
    return float((image.amax((0, 2, 3)) - image.amin((0, 2, 3))).max())


def _image(raster: Raster, levels: Levels) -> tuple[Tensor, tuple[str, ...]]:
    """Colors as (1, 3, H, W) in [-1, 1], and what to say of their profile."""
    if raster.profile is None:
        return _scaled(raster, levels), ()
    channels = raster.colors.shape[2]
    if raster.colors.dtype != np.uint8 or raster.white_is_zero:
        image = _scaled(raster, levels)
        if channels == 1:
            unit, said = gray_to_srgb((image[0, 0].double().numpy() + 1) / 2, raster.profile)
            return torch.from_numpy(unit * 2 - 1).float()[None, None].repeat(1, 3, 1, 1), said
        pixels = ((image[0].permute(1, 2, 0) + 1) * 127.5).round().to(torch.uint8).numpy()
    else:
        image, pixels = None, raster.colors
    shallow = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if channels == 1 else pixels))
    converted, said = to_srgb(shallow, raster.profile)
    if converted is shallow:
        return _scaled(raster, levels) if image is None else image, said
    colors = np.asarray(converted.convert("RGB"))
    return _scaled(Raster(colors), Levels(0, 255)), said


def _scaled(raster: Raster, levels: Levels) -> Tensor:
    """Numbers of any type between black and white, without a copy of all in float64."""
    colors = raster.colors
    height, width, channels = colors.shape
    image = torch.empty(1, 3, height, width)
    for channel in range(channels):
        image[0, channel] = _channel(colors[:, :, channel], raster, levels)
    if channels == 1:
        image[0, 1:] = image[0, :1]
    return image


def _channel(numbers: Pixels, raster: Raster, levels: Levels) -> Tensor:
    if numbers.dtype.kind in "bui" and numbers.dtype.itemsize <= 2:
        table = _signed(unit_table(levels, numbers.dtype, raster.white_is_zero))
        lowest = 0 if numbers.dtype.kind in "bu" else np.iinfo(numbers.dtype).min
        index = numbers.astype(np.int32) - lowest if lowest else numbers
        return torch.from_numpy(table[index.astype(np.uint8) if index.dtype == bool else index])
    rows = max(1, BLOCK // numbers.shape[1])
    blocks = [
        _signed(unit_values(numbers[top : top + rows], levels, raster.white_is_zero))
        for top in range(0, numbers.shape[0], rows)
    ]
    return torch.from_numpy(np.concatenate(blocks))


def _signed(unit: FloatPixels) -> Pixels:
    """From [0, 1] to [-1, 1], rounded to float32 only then."""
    return (unit * 2 - 1).astype(np.float32)
