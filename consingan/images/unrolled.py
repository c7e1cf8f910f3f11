"""Pictures too large to be held whole, written strip by strip from the top as they are made.

PNG takes rows one after the other, TIFF strips; above 4 GB it is BigTIFF. JPEG has no way of
taking parts: its bytes, one for each number, are held until the picture is whole.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from consingan.errors import UserError
from consingan.images.deep import pixels_of, refuse_format, tiff_options
from consingan.images.io import write_image
from consingan.images.names import IMAGE_FORMATS
from consingan.images.png import write_png
from consingan.images.raster import Pixels
from consingan.machine.files import atomic_path
from consingan.settings.reading import RGB

STRIP_BYTES = 2**20  # of a TIFF's strip before it is packed, at least a row
JPG_SIDE = 65500  # px
BIG = 2**32 - 2**25  # bytes; a plain TIFF's offsets end a little above

Size = tuple[int, int]


@dataclass(frozen=True)
class Sheet:
    """What a file is told before the first row comes.

    Attributes:
        size: (h, w) of the picture in px.
        image_format: a key of `IMAGE_FORMATS`.
        channels: what they are, of `settings.reading.CHANNELS`.
        gray: whether its channels are all alike; a file of 16 bit has one then.
    """

    size: Size
    image_format: str
    channels: str = RGB
    gray: bool = False


def refuse_size(image_format: str, size: Size) -> None:
    """Make sure that a file can hold a picture of `size` (h, w).

    Raises:
        UserError: it cannot.
    """
    if IMAGE_FORMATS[image_format][0] == ".jpg" and max(size) > JPG_SIDE:
        raise UserError(
            f"A JPEG has at most {JPG_SIDE} px a side, not {size[1]}x{size[0]} (WxH); use "
            "--format png."
        )


def write_strips(path: Path, strips: Iterable[Tensor], sheet: Sheet) -> Path:
    """Write strips (1, C, rows, W) in [-1, 1], one below the other, at `path` with its suffix.

    The file appears whole or not at all. No more than a few strips are held.

    Args:
        path: the file without its suffix.
        strips: they make up the picture.
        sheet: see there.

    Returns:
        the file's path.

    Raises:
        UserError: the format cannot hold these channels.
        ValueError: a strip holds values that are not finite.
    """
    refuse_format(sheet.image_format, sheet.channels)
    suffix, bits = IMAGE_FORMATS[sheet.image_format]
    whole = path.with_name(path.name + suffix)
    pixels = (pixels_of(strip, bits, sheet.channels, sheet.gray) for strip in strips)
    if suffix == ".jpg":
        held = np.concatenate(list(pixels))
        write_image(whole, held if held.shape[2] > 1 else held[:, :, 0])
        return whole
    with atomic_path(whole) as temporary:
        if suffix == ".tif":
            _write_tiff(temporary, pixels, sheet)
        else:
            write_png(temporary, pixels, sheet.size[0])
    return whole


def _write_tiff(path: Path, strips: Iterator[Pixels], sheet: Sheet) -> None:
    import tifffile

    first = next(strips)
    shape = (*sheet.size, *((first.shape[2],) if first.shape[2] > 1 else ()))
    row = first[0].nbytes
    rows = max(1, STRIP_BYTES // row)
    packed = (_packed(part) for part in _cut(first, strips, rows))
    with tifffile.TiffWriter(path, bigtiff=row * sheet.size[0] > BIG) as file:
        file.write(
            packed, shape=shape, dtype=first.dtype, rowsperstrip=rows,
            **tiff_options(first.shape[2] > 1, sheet.channels),
        )  # fmt: skip


def _cut(first: Pixels, others: Iterator[Pixels], rows: int) -> Iterator[Pixels]:
    """The same picture in strips of so many rows; the last one has what is left."""
    waiting = first
    for strip in others:
        while len(waiting) >= rows:
            yield waiting[:rows]
            waiting = waiting[rows:]
        waiting = np.concatenate([waiting, strip])
    while len(waiting):
        yield waiting[:rows]
        waiting = waiting[rows:]


def _packed(strip: Pixels) -> bytes:
    """With the pixel before taken off each (predictor 2), in the machine's order of bytes."""
    change = strip.copy()
    change[:, 1:] -= strip[:, :-1]
    return zlib.compress(change.tobytes(), 6)
