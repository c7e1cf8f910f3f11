"""Results of 16 bit: gray PNG and any TIFF. Black is 0 and white 65535."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from consingan.errors import UserError
from consingan.images.color import srgb_profile
from consingan.images.io import write_image
from consingan.images.names import IMAGE_FORMATS
from consingan.images.picture import is_gray
from consingan.machine.files import atomic_path


def sheet_suffix(image_format: str) -> str:
    """Of sheets with labels, which are never deep: ".jpg" where that is asked for, else ".png"."""
    return ".jpg" if image_format == "jpg" else ".png"


def write_as(path: Path, image: Tensor, image_format: str) -> Path:
    """Write a picture (1, 3, H, W) in [-1, 1] at `path` with the suffix of its format.

    Args:
        path: the file without its suffix.
        image: the picture.
        image_format: a key of `IMAGE_FORMATS`.

    Returns:
        the file's path.

    Raises:
        UserError: the format is png16 and the picture has colors.
    """
    suffix, bits = IMAGE_FORMATS[image_format]
    whole = path.with_name(path.name + suffix)
    if bits == 8:
        write_image(whole, image)
    else:
        write_deep(whole, image)
    return whole


def refuse_colors(image: Tensor, image_format: str) -> None:
    """Make sure that results like `image` can be written.

    Raises:
        UserError: the format is png16 and the picture has colors.
    """
    if image_format == "png16" and not is_gray(image):
        raise UserError("--format png16 is for gray pictures; this one has colors, use tiff16.")


def write_deep(path: Path, image: Tensor) -> None:
    """Write a picture with 16 bit, whole or not at all; one without colors as gray.

    Raises:
        UserError: it has colors and the suffix is .png.
        ValueError: it holds values that are not finite.
    """
    pixels = to_deep_pixels(image)
    if path.suffix.lower() == ".png":
        refuse_colors(image, "png16")
        with atomic_path(path) as temporary:
            Image.fromarray(pixels).save(temporary, format="PNG")
        return
    import tifffile

    color = pixels.ndim == 3
    options: dict[str, Any] = {"iccprofile": srgb_profile()} if color else {}
    with atomic_path(path) as temporary:
        tifffile.imwrite(
            temporary, pixels, photometric="rgb" if color else "minisblack", compression="zlib",
            predictor=True, metadata=None, **options,
        )  # fmt: skip


def to_deep_pixels(image: Tensor) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """(1, 3, H, W) in [-1, 1] -> uint16, (H, W) of a picture without colors, else (H, W, 3).

    Raises:
        ValueError: it holds values that are not finite.
    """
    values = image[0].detach().double().cpu().numpy()
    if not np.isfinite(values).all():
        raise ValueError("the picture holds values that are not finite (NaN or infinite)")
    if is_gray(image):
        values = values.mean(axis=0, keepdims=True)
    deep = ((np.clip(values, -1, 1) + 1) * 32767.5).round().astype(np.uint16)
    return np.ascontiguousarray(deep[0] if deep.shape[0] == 1 else deep.transpose(1, 2, 0))
