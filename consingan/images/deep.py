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
from consingan.images.png import write_deep_png
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
    plain = straight(image) if channels == RGBA else image
    pixels = to_pixels(plain) if bits == 8 else to_deep_pixels(plain)
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
            write_deep_png(temporary, pixels)


def _write_tiff(path: Path, pixels: Pixels, channels: str, tags: Sequence[Tag]) -> None:
    import tifffile

    color = pixels.ndim == 3 and channels != BANDS
    options: dict[str, Any] = {"iccprofile": srgb_profile()} if color else {}
    if channels == RGBA:
        options["extrasamples"] = ["unassalpha"]
    elif channels == BANDS:
        options["planarconfig"] = "contig"
    with atomic_path(path) as temporary:
        tifffile.imwrite(
            temporary, pixels, photometric="rgb" if color else "minisblack", compression="zlib",
            predictor=True, metadata=None, extratags=tags, **options,
        )  # fmt: skip


def to_deep_pixels(image: Tensor) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """(1, C, H, W) in [-1, 1] -> uint16, (H, W) of a picture without colors, else (H, W, C).

    Raises:
        ValueError: it holds values that are not finite.
    """
    values = image[0].detach().double().cpu()
    if not torch.isfinite(values).all():
        raise ValueError("the picture holds values that are not finite (NaN or infinite)")
    if is_gray(image):
        values = values.mean(0, keepdim=True)
    deep = ((values.clamp(-1, 1) + 1) * 32767.5).round().numpy().astype(np.uint16)
    return np.ascontiguousarray(deep[0] if deep.shape[0] == 1 else deep.transpose(1, 2, 0))
