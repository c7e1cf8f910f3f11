"""Results as files: gray, colors, opacity or bands; 0 is black, the largest number white."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from consingan.errors import UserError
from consingan.images.channels import straight
from consingan.images.color import srgb_profile
from consingan.images.georeference import Georeference, Tag
from consingan.images.io import to_pixels, write_image
from consingan.images.names import IMAGE_FORMATS
from consingan.images.picture import is_gray
from consingan.images.png import write_png
from consingan.images.raster import Pixels
from consingan.machine.files import atomic_path
from consingan.settings.reading import BANDS, RGB, RGBA

JPG = "jpg"


def sheet_suffix(image_format: str) -> str:
    """Of sheets with labels, which are never deep: ".jpg" where that is asked for, else ".png"."""
    return ".jpg" if image_format == JPG else ".png"


def write_as(
    path: Path,
    image: Tensor,
    image_format: str,
    channels: str = RGB,
    place: Georeference | None = None,
) -> Path:
    """Write a picture (1, C, H, W) in [-1, 1] at `path` with the suffix of its format.

    Args:
        path: the file without its suffix.
        image: the picture; of 16 bit one without colors is written as gray.
        image_format: a key of `IMAGE_FORMATS`.
        channels: what they are, of `settings.reading.CHANNELS`.
        place: where the picture lies on Earth; a TIFF says it.

    Returns:
        the file's path.

    Raises:
        UserError: the format cannot hold these channels.
        ValueError: it holds values that are not finite.
    """
    refuse_format(image_format, channels)
    suffix, bits = IMAGE_FORMATS[image_format]
    whole = path.with_name(path.name + suffix)
    pixels = pixels_of(image, bits, channels, is_gray(image))
    if pixels.shape[-1] == 1:
        pixels = pixels[:, :, 0]
    if suffix == ".tif":
        tags = () if place is None else place.at((image.shape[-2], image.shape[-1]))
        _write_tiff(whole, pixels, channels, tags)
    elif bits == 8:
        write_image(whole, pixels)
    else:
        _write_png(whole, pixels)
    return whole


def refuse_format(image_format: str, channels: str) -> None:
    """Make sure that pictures of these channels can be written.

    Raises:
        UserError: the format has no place for them.
    """
    if channels == RGBA and image_format == JPG:
        raise UserError("--format jpg has no opacity; use png, or --format auto.")
    if channels == BANDS and IMAGE_FORMATS[image_format][0] != ".tif":
        raise UserError(f"--format {image_format} has no bands; use tiff16, or --format auto.")


def _write_png(path: Path, pixels: Pixels) -> None:
    with atomic_path(path) as temporary:
        if pixels.ndim == 2:
            Image.fromarray(pixels).save(temporary, format="PNG")
        else:
            write_png(temporary, [pixels], len(pixels))


def _write_tiff(path: Path, pixels: Pixels, channels: str, tags: Sequence[Tag]) -> None:
    import tifffile

    with atomic_path(path) as temporary:
        tifffile.imwrite(
            temporary, pixels, **tiff_options(pixels.ndim == 3, channels), extratags=tags
        )


def tiff_options(many: bool, channels: str) -> dict[str, Any]:
    """What tifffile is told of pictures with one channel or `many`; see `write_as`."""
    color = many and channels != BANDS
    options: dict[str, Any] = {"iccprofile": srgb_profile()} if color else {}
    if channels == RGBA:
        options["extrasamples"] = ["unassalpha"]
    elif channels == BANDS:
        options["planarconfig"] = "contig"
    photometric = "rgb" if color else "minisblack"
    return {
        "photometric": photometric, "compression": "zlib", "predictor": True, "metadata": None,
    } | options  # fmt: skip


def pixels_of(image: Tensor, bits: int, channels: str, gray: bool) -> Pixels:
    """A picture (1, C, H, W) in [-1, 1] as a file of 8 or 16 bit has it, (H, W, channels).

    Args:
        image: the picture, or some of its rows.
        bits: 8 or 16.
        channels: what they are.
        gray: whether it has no colors; of 16 bit it has one channel then.

    Raises:
        ValueError: it holds values that are not finite.
    """
    plain = straight(image) if channels == RGBA else image
    if bits == 8:
        return to_pixels(plain)
    return to_deep_pixels(plain.double().mean(1, keepdim=True) if gray else plain)


def to_deep_pixels(image: Tensor) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """(1, C, H, W) in [-1, 1] -> uint16 (H, W, C), rounded and clipped.

    Raises:
        ValueError: it holds values that are not finite.
    """
    values = image[0].detach().double().cpu()
    if not torch.isfinite(values).all():
        raise ValueError("the picture holds values that are not finite (NaN or infinite)")
    deep = ((values.clamp(-1, 1) + 1) * 32767.5).round().numpy().astype(np.uint16)
    return np.ascontiguousarray(deep.transpose(1, 2, 0))
