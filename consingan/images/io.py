"""Read any picture, write any picture; everywhere else pictures are RGB tensors in [-1, 1]."""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from consingan.errors import UserError
from consingan.images.color import srgb_profile
from consingan.images.decode import decode
from consingan.images.names import EXTENSIONS, SCIKIT_IMAGE, shown
from consingan.images.picture import Picture, picture_of
from consingan.images.raster import Pixels, Raster
from consingan.machine.files import at_home, atomic_path
from consingan.machine.usual import torch_as_usual
from consingan.settings.reading import AS_IT_IS, Reading

PHOTOGRAPHS = (
    "astronaut", "brick", "camera", "cat", "chelsea", "coffee", "coins", "grass", "gravel",
    "hubble_deep_field", "retina", "rocket",
)  # fmt: skip


def read_picture(
    name: str | Path, reading: Reading = AS_IT_IS, unknown: Tensor | None = None
) -> Picture:
    """Read the picture `name`, a file or "skimage:NAME", and find out what there is to say of it.

    Palettes, gray, CMYK and any depth become RGB, colors of another profile sRGB; transparency is
    laid over white; a camera's rotation is applied.

    Args:
        name: a file or "skimage:NAME".
        reading: which numbers are black and white, and which page.
        unknown: (1, 1, H, W), above 0 where the numbers mean nothing and are not to count.

    Raises:
        UserError: there is no such picture or it cannot be read as asked.
    """
    raster = read_raster(name, reading.page)
    if unknown is not None:
        raster = raster.without(unknown[0, 0].numpy() > 0)
    short = shown(Path(name).name)
    try:
        picture = picture_of(raster, reading)
    except UserError as error:
        raise UserError(f"{short}: {error}") from None
    return _in_sentences(picture, short)


def _in_sentences(picture: Picture, name: str) -> Picture:
    """The picture with whole sentences about it."""
    bands = None if picture.bands is None else _in_sentences(picture.bands, name)
    notes = tuple(f"{name}: {note}." for note in picture.notes)
    return replace(picture, notes=notes, bands=bands)


@torch_as_usual()
def read_image(name: str | Path, reading: Reading = AS_IT_IS) -> Tensor:
    """Read a picture as (1, 3, H, W) float32 in [-1, 1]; what there is to say are warnings.

    Raises:
        UserError: there is no such picture or it cannot be read as asked.
    """
    picture = read_picture(name, reading)
    for note in picture.notes:
        warnings.warn(note.removesuffix("."), stacklevel=3)
    return picture.image


def read_raster(name: str | Path, page: int = 0) -> Raster:
    """Pixels of a file or of "skimage:NAME" as they are stored.

    Raises:
        UserError: there is no such picture or page, or it cannot be read.
    """
    text = str(name)
    if text.startswith(SCIKIT_IMAGE):
        pixels = _photograph(text[len(SCIKIT_IMAGE) :])
        return Raster(pixels if pixels.ndim == 3 else pixels[:, :, None])
    return decode(Path(name), page)


def from_pixels(pixels: Pixels) -> Tensor:
    """(H, W, 3) in [0, 1] -> (1, 3, H, W) float32 in [-1, 1]."""
    image = torch.empty(1, 3, *pixels.shape[:2])
    for channel in range(3):  # one by one, or twice the picture's memory would be needed in float64
        image[0, channel] = torch.from_numpy(pixels[:, :, channel] * 2 - 1)
    return image


def to_pixels(image: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(1, C, H, W) or (C, H, W) in [-1, 1] -> (H, W, C) uint8, rounded and clipped.

    Raises:
        ValueError: the picture holds values that are not finite, which must never become black.
    """
    if image.dim() == 4:
        image = image[0]
    values = image.detach().to("cpu", torch.float32)
    if not torch.isfinite(values).all():
        raise ValueError("the picture holds values that are not finite (NaN or infinite)")
    scaled = (values.clamp(-1, 1) + 1) * 127.5
    return scaled.round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def write_image(path: Path | str, image: Tensor | Pixels) -> None:
    """Write a picture, (1, 3, H, W) in [-1, 1] or (H, W[, 1, 3 or 4]) uint8, as its suffix says.

    The file appears whole or not at all and says that its colors are sRGB. JPEGs are written at
    quality 95.

    Raises:
        UserError: several pictures are given, or the suffix is that of no picture.
    """
    path = Path(at_home(os.fspath(path)))
    suffix = path.suffix.lower()
    form = Image.registered_extensions().get(suffix) if suffix in EXTENSIONS else None
    if form is None:
        raise UserError(f"{shown(path)}: a picture's file ends in .png, .jpg, .webp or .tif.")
    if isinstance(image, Tensor) and image.dim() == 4 and len(image) != 1:
        raise UserError(f"{len(image)} pictures go into no single file; write each into its own.")
    pixels = to_pixels(image) if isinstance(image, Tensor) else image
    options: dict[str, Any] = {"quality": 95} if suffix in (".jpg", ".jpeg") else {}
    options |= _says_srgb(suffix)
    encoded = io.BytesIO()  # in memory first: of a full disk Pillow does not say that it is full
    flat = pixels[:, :, 0] if pixels.shape[2:] == (1,) else pixels
    Image.fromarray(flat).save(encoded, form, **options)
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded.getbuffer())


def _says_srgb(suffix: str) -> dict[str, Any]:
    """What makes Pillow write that colors are sRGB."""
    if suffix == ".png":
        info = PngImagePlugin.PngInfo()
        info.add(b"sRGB", bytes(1))
        return {"pnginfo": info}
    return {"icc_profile": srgb_profile()} if suffix in (".jpg", ".jpeg", ".webp", ".tif") else {}


def _photograph(name: str) -> Pixels:
    """A photograph that scikit-image carries in its own package, without a network."""
    from skimage import data

    if name not in PHOTOGRAPHS:
        raise UserError(
            f"There is no photograph {SCIKIT_IMAGE}{shown(name)}; "
            f"choose one of {', '.join(PHOTOGRAPHS)}."
        )
    try:
        pixels: Pixels = getattr(data, name)()
    except Exception as error:  # scikit-image would have to download it
        raise UserError(
            f"scikit-image could not give its photograph {name} ({error}); try skimage:coffee."
        ) from None
    return pixels


def unit(picture: Tensor) -> Tensor:
    """From [-1, 1] to the [0, 1] of the metrics, on the CPU."""
    return ((picture.float().cpu() + 1) / 2).clamp(0, 1)
