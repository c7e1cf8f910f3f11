"""Pages of picture files that Pillow decodes: all formats, TIFF only where tiff.py gives up."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, features

from consingan.errors import UserError
from consingan.images.color import to_srgb
from consingan.images.raster import PIXEL_LIMIT, Pixels, Raster
from consingan.machine.extras import HEIF, is_too_old

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
BLOCK = 4_000_000  # pixels that are copied at a time


def formats() -> tuple[str, ...]:
    """Names of the formats that are read on this machine."""
    found = list(FORMATS)
    if features.check("avif"):
        found.append("AVIF")
    with contextlib.suppress(Exception):  # of one that is broken `decode` tells, for HEIC alone
        import pillow_heif

        if not is_too_old(HEIF):
            pillow_heif.register_heif_opener()
            found.append("HEIF")
    return tuple(found)


def read_with_pillow(path: Path, page: int) -> Raster:
    """One page of a picture file, rotated as the camera held it.

    Args:
        path: the file.
        page: from 1; 0 is the usual one.

    Raises:
        UserError: there is no such page.
    """
    # Closing frees the pixels, too; leaving the picture's own block would only close the file.
    with contextlib.closing(Image.open(path, formats=formats())) as image:
        notes = go_to_page(image, page)
        if image.width * image.height > PIXEL_LIMIT:  # of a later page
            raise Image.DecompressionBombError
        return raster_of(image, notes)


def go_to_page(image: Image.Image, page: int) -> tuple[str, ...]:
    """Turn to a page, and say which one if there are several.

    Without a number it is the one that the file opens at: of HEIC the primary picture.
    """
    count = 1
    if image.format != "MPO":  # a telephone's second picture is a preview or a map of depth
        with contextlib.suppress(Exception):  # damage behind the first page
            count = getattr(image, "n_frames", 1)
    what = "pages" if image.format == "TIFF" else "frames"
    notes = page_notes(page, count, what, usual=image.tell() + 1)
    if count > 1 and page:
        image.seek(page - 1)
    return notes


def page_notes(page: int, count: int, what: str, usual: int = 1) -> tuple[str, ...]:
    """Say which of `count` pages, frames or bands is taken.

    Args:
        page: that is wanted, from 1; 0 is the usual one.
        count: how many there are.
        what: they are.
        usual: the number of the one that is taken where none is wanted.

    Raises:
        UserError: there are fewer.
    """
    if count == 1:
        return (f"it has one page; --page {page} does nothing",) if page > 1 else ()
    if page > count:
        raise UserError(f"has {count} {what}, so --page {page} is not there; give 1 to {count}")
    if page:
        return (f"number {page} of its {count} {what} is taken",)
    which = "the first" if usual == 1 else f"number {usual}"
    return (f"{which} of its {count} {what} is taken; of a training image --page N takes another",)


def raster_of(image: Image.Image, notes: tuple[str, ...] = ()) -> Raster:
    """Pixels of a picture of Pillow's, upright and in sRGB; `notes` come first in its own."""
    profile = image.info.get("icc_profile")
    level = image.info.get("transparency")
    if image.mode == "F" or image.mode.startswith("I"):  # deep; conversions would cut it off
        image.load()
        pixels = upright_array(np.asarray(image), orientation_of(image))
        pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
        alpha = pixels != level if isinstance(level, int) else None
        return Raster(pixels[:, :, None], alpha, _white_is_zero(image), None, profile, notes)
    notes = (*notes, *_shallow(image))
    plain, said = to_srgb(_plain(image), profile)
    if plain.mode == "CMYK":
        plain = plain.convert("RGB")
    pixels = upright_array(_array(plain), orientation_of(image))
    channels = pixels.shape[2]
    opaque = channels in (1, 3)
    return Raster(
        pixels if opaque else pixels[:, :, :-1],
        None if opaque else pixels[:, :, -1],
        notes=(*notes, *said),
    )


def _shallow(image: Image.Image) -> tuple[str, ...]:
    """Say it where a TIFF has more than the 8 bit that Pillow leaves of several bands."""
    bits = max(getattr(image, "tag_v2", {}).get(258, (8,)))
    return (f"8 of its {bits} bit are read",) if bits > 8 else ()


def _plain(image: Image.Image) -> Image.Image:
    """A picture of mode L, LA, RGB, RGBA or CMYK."""
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK") and "transparency" not in image.info:
        image.load()
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def orientation_of(image: Image.Image) -> int:
    """How the camera was held, numbered as in EXIF; 1 where that cannot be read."""
    with contextlib.suppress(Exception):  # what is damaged is not the picture
        return int(image.getexif().get(274, 1))
    return 1


def _white_is_zero(image: Image.Image) -> bool:
    """Whether a deep TIFF counts downwards, which Pillow tells of 8-bit ones alone."""
    tags = getattr(image, "tag_v2", None)
    return tags is not None and tags.get(262) == 0


def _array(image: Image.Image) -> Pixels:
    """Copy pixels (H, W, C) uint8 in blocks: at once they would be in memory three times."""
    channels = len(image.getbands())
    pixels = np.empty((image.height, image.width, channels), np.uint8)
    rows = max(1, BLOCK // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        block = np.asarray(image.crop((0, top, image.width, bottom)))
        pixels[top:bottom] = block.reshape(bottom - top, image.width, channels)
    return pixels


def upright_array(pixels: Pixels, orientation: Any) -> Pixels:
    """Undo a camera's rotation, numbered as in EXIF, of (H, W) or (H, W, C)."""
    if orientation not in range(2, 9):
        return pixels
    if orientation >= 5:  # sides swapped
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
