"""A picture as it was read: RGB in [-1, 1], its opacity, and what the user should know of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from consingan.images.levels import levels_of, percent
from consingan.images.raster import Raster
from consingan.images.tensors import lay_over, opacity_of, span_over, tensor_of
from consingan.settings.reading import AS_IT_IS, AUTO, Reading, of_deep

GRAY_TOLERANCE = 4 / 255  # in [-1, 1], two of 256 levels: JPEG's noise in a gray picture
FLAT = 4 / 255  # likewise: no more than noise
SAME_IMAGE = 0.02  # mean difference in [-1, 1] below which two pictures are the same one
PIXELS_LOOKED_AT = 1_000_000  # of a large picture, evenly over it


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
        bands: the same with all bands, (1, N, H, W), of a file that has others than colors.
    """

    image: Tensor
    alpha: Tensor | None = None
    background: float = 1.0
    bits: int = 8
    value_range: str = AUTO
    notes: tuple[str, ...] = ()
    bands: Picture | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) in px."""
        return self.image.shape[-2], self.image.shape[-1]


def picture_of(raster: Raster, reading: Reading = AS_IT_IS) -> Picture:
    """Make a picture of a file's pixels.

    Raises:
        UserError: they hold no values, or its range is malformed.
    """
    levels = levels_of(raster, reading)
    image, said = tensor_of(raster, levels)
    deep = raster.bits > 8 or raster.colors.dtype.kind not in "bu"
    chosen = of_deep(f"{levels.low:.17g},{levels.high:.17g}") if deep else AUTO
    picture = Picture(
        image, bits=raster.bits, value_range=chosen, notes=(*raster.notes, *levels.notes, *said)
    )
    if raster.bands is not None:
        every = Raster(raster.bands, white_is_zero=raster.white_is_zero, nodata=raster.nodata)
        picture = replace(picture, bands=picture_of(every, reading))
    if raster.alpha is None:
        return picture
    alpha = opacity_of(raster.alpha)
    return picture if bool((alpha >= 1).all()) else _lay(picture, alpha)


def is_gray(image: Tensor) -> bool:
    """Whether a picture (1, 1 or 3, H, W) in [-1, 1] has no colors but for noise."""
    if image.shape[1] != 3:
        return image.shape[1] == 1
    red, green, blue = (image[:, channel] for channel in range(3))
    apart = max(float((red - green).abs().max()), float((green - blue).abs().max()))
    return apart <= GRAY_TOLERANCE


def gray_as(real: Tensor, picture: Tensor) -> Tensor:
    """A picture (N, C, H, W) made after `real`, without color fringes if that one has no colors.

    The fourth of four channels is opacity.
    """
    if picture.shape[1] not in (3, 4) or not is_gray(real[:, :3]):
        return picture
    return without_colors(picture)


def without_colors(picture: Tensor) -> Tensor:
    """(N, 3 or 4, H, W) with the mean of its colors in place of each; others as they are."""
    if picture.shape[1] not in (3, 4):
        return picture
    colors = picture[:, :3].mean(1, keepdim=True).expand(-1, 3, -1, -1)
    return torch.cat([colors, picture[:, 3:]], 1)


def is_flat(image: Tensor) -> bool:
    """Whether a picture (1, C, H, W) in [-1, 1] has only one color."""
    pixels = image[0].flatten(1)
    return bool((pixels.amax(1) - pixels.amin(1) <= FLAT).all())


def flatness(image: Tensor) -> str | None:
    """What a picture (1, 3, H, W) in [-1, 1] lacks: it has one color or two, or a channel is flat.

    Returns:
        the rest of a sentence that begins with the picture's name, or None for a usual picture.
    """
    step = max(1, round((image[0, 0].numel() / PIXELS_LOOKED_AT) ** 0.5))
    pixels = image[0, :, ::step, ::step].flatten(1)
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


def over(picture: Picture, background: float) -> Picture:
    """A picture laid over another gray, in [-1, 1]; an opaque one as it is."""
    if picture.alpha is None or picture.background == background:
        return picture
    more = (background - picture.background) * (1 - picture.alpha)
    return replace(picture, image=(picture.image + more).clamp(-1, 1), background=background)


def with_alpha(picture: Picture) -> Picture:
    """A picture with an opacity, of 1 everywhere where it has none."""
    if picture.alpha is not None:
        return picture
    return replace(picture, alpha=torch.ones_like(picture.image[:, :1]))


def _lay(picture: Picture, alpha: Tensor) -> Picture:
    """Lay a picture over white, or over black where white would hide what is drawn on it."""
    image = picture.image
    if not alpha.any():
        note = "all of it is transparent; it is taken as if it were not"
        return replace(picture, notes=(*picture.notes, note))
    white_hides = span_over(image, alpha, 1.0) <= FLAT < span_over(image, alpha, -1.0)
    background, color = (-1.0, "black") if white_hides else (1.0, "white")
    lay_over(image, alpha, background)
    share = int(torch.count_nonzero(alpha < 1)) / alpha.numel()
    note = f"{percent(share)} of it is transparent; transparent parts are taken as {color}"
    return replace(picture, alpha=alpha, background=background, notes=(*picture.notes, note))
