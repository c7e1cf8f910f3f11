"""PNG files that Pillow would not read or write so: with colors of 16 bit, or row by row.

The format: chunks (length, type, data, checksum), of which IHDR says what the pixels are and IDAT
holds them packed; each row begins with the number of its filter, whose prediction from the pixel to
the left (a), above (b) and above left (c) was taken off (W3C, PNG specification, section 9).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from consingan.images.pillow import orientation_of, upright_array
from consingan.images.raster import PIXEL_LIMIT, Pixels, Raster

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # kind of color: gray, RGB, gray with opacity, RGBA
# First column and row, step of columns and rows of the seven passes of an interlaced picture.
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
          (0, 1, 1, 2))  # fmt: skip
SUB, UP, AVERAGE, PAETH = 1, 2, 3, 4


def is_deep_png(path: Path) -> bool:
    """Whether a file is a PNG whose colors have 16 bit."""
    with path.open("rb") as file:
        head = file.read(29)
    many = len(head) == 29 and head[:8] == SIGNATURE and CHANNELS.get(head[25], 1) > 1
    return many and head[24] == 16


def read_deep_png(path: Path) -> Raster:
    """Colors of 16 bit, rotated as the camera held it.

    Raises:
        ValueError: it is damaged.
    """
    header, packed, key = b"", [], None
    for kind, data in _chunks(path):
        if kind == b"IHDR":
            header = data
        elif kind == b"IDAT":
            packed.append(data)
        elif kind == b"tRNS" and len(data) == 6:
            key = np.array(struct.unpack(">3H", data), np.uint16)
    width, height, _, color, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if width * height > PIXEL_LIMIT:
        raise Image.DecompressionBombError
    channels = CHANNELS[color]
    numbers = _numbers(b"".join(packed), height, width, channels, bool(interlaced))
    with Image.open(path, formats=("PNG",)) as image:
        turn, profile = orientation_of(image), image.info.get("icc_profile")
    numbers = upright_array(numbers, turn)
    opaque = channels == 3
    alpha = None if opaque else numbers[:, :, -1]
    if opaque and key is not None:
        alpha = (numbers != key).any(axis=2)
    return Raster(numbers if opaque else numbers[:, :, :-1], alpha, profile=profile)


def write_png(path: Path, strips: Iterable[Pixels], height: int) -> None:
    """Write a picture from the top, some rows at a time, so that no more of it need be there.

    Every row is the difference to the pixel before, to the one above, or to a prediction from both
    (filters "sub", "up", "Paeth"): that with the least sum of numbers. The file says sRGB.

    Args:
        path: the file.
        strips: (rows, W, C) uint8 or uint16 one below the other: gray, gray with opacity, RGB or
            RGBA whose colors are not multiplied by the opacity.
        height: rows of all of them together.
    """
    compressor, above = zlib.compressobj(6), None
    with path.open("wb") as file:
        for strip in strips:
            if above is None:
                file.write(SIGNATURE)
                _write_chunk(file, b"IHDR", _header(strip, height))
                _write_chunk(file, b"sRGB", bytes(1))
                above = np.zeros((1, *strip.shape[1:]), strip.dtype)
            packed = compressor.compress(_filtered(np.concatenate([above, strip])))
            _write_chunk(file, b"IDAT", packed)
            above = strip[-1:]
        _write_chunk(file, b"IDAT", compressor.flush())
        _write_chunk(file, b"IEND", b"")


def _header(strip: Pixels, height: int) -> bytes:
    _, width, channels = strip.shape
    color = next(kind for kind, count in CHANNELS.items() if count == channels)
    return struct.pack(">IIBBBBB", width, height, 8 * strip.dtype.itemsize, color, 0, 0, 0)


def _write_chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    if kind == b"IDAT" and not data:  # the packer still waits
        return
    checksum = zlib.crc32(kind + data)
    file.write(struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", checksum))


def _filtered(pixels: Pixels) -> bytes:
    """Rows of (1 + rows, W, C), the one above them first, as a PNG packs them."""
    size = pixels.shape[2] * pixels.dtype.itemsize  # bytes of a pixel
    whole = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(">"))).view(np.uint8)
    whole = np.pad(whole.reshape(len(pixels), -1, size), ((0, 0), (1, 0), (0, 0)))
    here, a, b, c = whole[1:, 1:], whole[1:, :-1], whole[:-1, 1:], whole[:-1, :-1]
    rows = np.empty((len(here), 1 + here.shape[1] * size), np.uint8)
    least = np.full(len(here), np.inf)
    for kind, prediction in ((SUB, a), (UP, b), (PAETH, _nearest(a, b, c).astype(np.uint8))):
        made = (here - prediction).reshape(len(here), -1)
        sums = np.abs(made.view(np.int8).astype(np.int16)).sum(1, dtype=np.int64)
        better = sums < least
        rows[better, 0], rows[better, 1:] = kind, made[better]
        least = np.minimum(least, sums)
    return rows.tobytes()


def _chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Type and data of every chunk up to the end."""
    with path.open("rb") as file:
        file.seek(len(SIGNATURE))
        while True:
            head = file.read(8)
            if len(head) < 8:
                raise ValueError("the end is missing")
            length, kind = struct.unpack(">I4s", head)
            if kind == b"IEND":
                return
            data, checksum = file.read(length), file.read(4)
            if len(data) < length or len(checksum) < 4:
                raise ValueError("the end is missing")
            if zlib.crc32(kind + data) != struct.unpack(">I", checksum)[0]:
                raise ValueError(f"wrong checksum of {kind!r}")
            yield kind, data


def _numbers(packed: bytes, height: int, width: int, channels: int, interlaced: bool) -> Pixels:
    """(H, W, channels) uint16."""
    size = 2 * channels
    parts = PASSES if interlaced else ((0, 0, 1, 1),)
    shapes = [
        (-(-(height - top) // down) if height > top else 0,
         -(-(width - left) // right) if width > left else 0)
        for left, top, right, down in parts
    ]  # fmt: skip
    lengths = [rows * (1 + columns * size) if columns else 0 for rows, columns in shapes]
    data = zlib.decompressobj().decompress(packed, max(1, sum(lengths)))
    if len(data) < sum(lengths):
        raise ValueError("pixels are missing")
    numbers = np.empty((height, width, channels), np.uint16)
    place = 0
    for (left, top, right, down), (rows, columns), length in zip(
        parts, shapes, lengths, strict=True
    ):
        if length:
            whole = np.frombuffer(data, np.uint8, length, place).reshape(rows, -1)
            pixels = unfilter(whole[:, 0], whole[:, 1:].reshape(rows, columns, size))
            numbers[top::down, left::right] = pixels.view(">u2")
        place += length
    return numbers


def unfilter(filters: Pixels, pixels: Pixels) -> Pixels:
    """Undo the rows' filters.

    A pixel needs those to its left, above and above left. So all pixels of a diagonal from the
    lower left to the upper right are computed at once, one diagonal after the other.

    Args:
        filters: (H,) uint8, number of each row's filter.
        pixels: (H, W, bytes of a pixel) uint8.

    Returns:
        the same with the predictions added.

    Raises:
        ValueError: a filter is unknown.
    """
    if filters.max(initial=0) > PAETH:
        raise ValueError("unknown filter of a row")
    height, width, size = pixels.shape
    line = width + 1  # a column and a row of zeros before the first ones
    bordered = np.zeros((height + 1, line, size), np.uint8)
    bordered[1:, 1:] = pixels
    if not filters.any():
        return np.ascontiguousarray(bordered[1:, 1:])
    flat, kinds = bordered.reshape(-1, size), filters[:, None]
    for diagonal in range(height + width - 1):
        first, last = max(0, diagonal - width + 1), min(height - 1, diagonal)
        start = (first + 1) * line + diagonal - first + 1
        stop = start + (last - first) * (line - 1) + 1
        a, b, c = (flat[start - o : stop - o : line - 1] for o in (1, line, line + 1))
        flat[start : stop : line - 1] += _predicted(kinds[first : last + 1], a, b, c)
    return np.ascontiguousarray(bordered[1:, 1:])


def _predicted(kinds: Pixels, a: Pixels, b: Pixels, c: Pixels) -> Pixels:
    """What each row's filter predicts, (n, bytes) uint8."""
    left, above = a.astype(np.int16), b.astype(np.int16)
    choices = [left, above, (left + above) // 2, _nearest(a, b, c)]
    chosen = np.select([kinds == kind for kind in (SUB, UP, AVERAGE, PAETH)], choices, 0)
    return np.asarray(chosen, dtype=np.int16).astype(np.uint8)


def _nearest(a: Pixels, b: Pixels, c: Pixels) -> Pixels:
    """Paeth's prediction, int16: that of the three which is nearest to a + b - c."""
    left, above, corner = a.astype(np.int16), b.astype(np.int16), c.astype(np.int16)
    far = [np.abs(above - corner), np.abs(left - corner), np.abs(left + above - 2 * corner)]
    return np.where(
        (far[0] <= far[1]) & (far[0] <= far[2]), left, np.where(far[1] <= far[2], above, corner)
    )
