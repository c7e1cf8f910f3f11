"""Strips and tiles of TIFF files in compressions or predictors that tifffile alone cannot undo.

LZW, Deflate, PackBits, LZMA and ZSTD do not care what the bytes mean. So each strip or tile is
given to Pillow as a gray 8-bit picture of one row, and its bytes are put back together here.
"""

from __future__ import annotations

import io
import struct
from functools import lru_cache
from typing import Any

import numpy as np
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import COMPRESSION_INFO

from consingan.images.raster import Pixels

LZMA, ZSTD, WEBP = 34925, 50000, 50001
COMPRESSIONS = (5, 8, 32946, 32773, LZMA, ZSTD)  # LZW, Deflate by both its numbers, PackBits
HORIZONTAL, FLOATING = 2, 3  # predictors


def unpack(page: tifffile.TiffPage) -> Pixels | None:
    """Numbers (H, W, bands) of a page; None for a compression of another kind."""
    predictor = page.predictor
    if page.compression not in COMPRESSIONS or predictor not in (1, HORIZONTAL, FLOATING):
        return None
    if not known_to_pillow(int(page.compression)):
        return None
    height, width, bands = page.imagelength, page.imagewidth, page.samplesperpixel
    planes, inside = (bands, 1) if page.planarconfig == 2 else (1, bands)
    rows, columns = _segment_size(page)
    down, across = -(-height // rows), -(-width // columns)
    if len(page.dataoffsets) < planes * down * across:
        raise ValueError("strips or tiles are missing")
    dtype = np.dtype(page.dtype)
    pixels = np.zeros((height, width, bands), dtype)
    for index in range(planes * down * across):
        plane, place = divmod(index, down * across)
        top, left = (place // across) * rows, (place % across) * columns
        high = rows if page.is_tiled else min(rows, height - top)
        shape = (high, columns, inside)
        data = _unpacked(page, index, int(np.prod(shape)) * dtype.itemsize)
        part = _restored(data, shape, dtype.newbyteorder(page.parent.byteorder), predictor)
        part = part[: height - top, : width - left]
        pixels[top : top + high, left : left + columns, plane : plane + inside] = part
    return pixels


@lru_cache
def known_to_pillow(compression: int) -> bool:
    """Whether Pillow reads a compression here: not everywhere its libtiff was built with all."""
    name = COMPRESSION_INFO.get(compression)
    if name is None or compression not in (LZMA, ZSTD, WEBP):
        return name is not None
    try:
        Image.new("RGB", (1, 1)).save(io.BytesIO(), "TIFF", compression=name)
    except (OSError, RuntimeError, ValueError):
        return False
    return True


def _segment_size(page: tifffile.TiffPage) -> tuple[int, int]:
    """Rows and columns of a tile, or of a strip."""
    if page.is_tiled:
        return page.tilelength, page.tilewidth
    return min(page.rowsperstrip, page.imagelength) or page.imagelength, page.imagewidth


def _unpacked(page: tifffile.TiffPage, index: int, size: int) -> bytes:
    """The bytes of one strip or tile, as many as it must have."""
    handle = page.parent.filehandle
    handle.seek(page.dataoffsets[index])
    packed = handle.read(page.databytecounts[index])
    with Image.open(io.BytesIO(_wrapped(packed, size, int(page.compression)))) as image:
        return bytes(image.tobytes())


def _wrapped(packed: bytes, size: int, compression: int) -> bytes:
    """A TIFF file of one row of `size` gray pixels around packed bytes."""
    tags = (
        (256, size), (257, 1), (258, 8), (259, compression), (262, 1), (273, 8), (277, 1),
        (278, 1), (279, len(packed)),
    )  # fmt: skip
    directory = struct.pack("<H", len(tags))
    for number, value in tags:
        directory += struct.pack("<HHII", number, 4, 1, value)
    padded = packed + b"\0" * (len(packed) % 2)
    return b"II*\0" + struct.pack("<I", 8 + len(padded)) + padded + directory + b"\0\0\0\0"


def _restored(
    data: bytes, shape: tuple[int, int, int], dtype: np.dtype[Any], predictor: int
) -> Pixels:
    """Numbers of a segment without what a predictor took away."""
    if predictor == FLOATING:  # bytes by significance, the highest first, then differences
        rows = np.frombuffer(data, np.uint8).reshape(shape[0], -1)
        rows = np.cumsum(rows.reshape(shape[0], -1, shape[2]), axis=1, dtype=np.uint8)
        planes = rows.reshape(shape[0], dtype.itemsize, -1).swapaxes(1, 2)
        big = np.ascontiguousarray(planes).view(dtype.newbyteorder(">"))
        whole: Pixels = big.reshape(shape).astype(dtype.newbyteorder("="))
        return whole
    numbers = np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    if predictor == HORIZONTAL:  # of floats, too, it is the bits that were subtracted
        bits = np.dtype(f"u{dtype.itemsize}")
        numbers = np.cumsum(numbers.view(bits), axis=1, dtype=bits).view(numbers.dtype)
    return numbers
