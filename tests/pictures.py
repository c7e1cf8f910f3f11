"""Files of pictures of every kind, made by the tests."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, ImageCms

H, W = 24, 32
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
          (0, 1, 1, 2))  # fmt: skip


def ramp(low: float, high: float, dtype: str, height: int = H, width: int = W) -> np.ndarray:
    """(H, W) from `low`, upper left, to `high`, lower right."""
    return np.linspace(low, high, height * width).reshape(height, width).astype(dtype)


def texture(height: int = H, width: int = W, seed: int = 0) -> np.ndarray:
    """(H, W, 3) uint8, noise of all levels."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels[0, :2] = [[0] * 3, [255] * 3]
    return pixels


def tiff(path: Path, values: np.ndarray, **options: object) -> Path:
    options.setdefault("photometric", "minisblack")
    tifffile.imwrite(path, values, **options)
    return path


COMPRESSIONS = {"tiff_lzw": 5, "tiff_adobe_deflate": 8, "lzma": 34925, "zstd": 50000}


def lzw_tiff(
    path: Path,
    values: np.ndarray,
    predictor: int = 1,
    tile: bool = False,
    compression: str = "tiff_lzw",
) -> Path:
    """A TIFF in LZW of any depth: bytes are packed by Pillow, directory and predictor made here.

    Args:
        path: the file.
        values: (H, W, C), H and W divisible by 16 if tiled; in their type's byte order.
        predictor: 1 none, 2 differences, 3 bytes of floats by significance.
        tile: tiles of 16x16 instead of strips of 8 rows.
        compression: a key of `COMPRESSIONS`, for another than LZW.
    """
    height, width, channels = values.shape
    rows, columns = (16, 16) if tile else (8, width)
    packed = []
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            part = values[top : top + rows, left : left + columns]
            packed.append(_packed(_predicted(part, predictor), compression))
    head, offsets = 8, []
    body = b""
    for data in packed:
        offsets.append(head + len(body))
        body += data + b"\0" * (len(data) % 2)
    counts = [len(data) for data in packed]
    kind = 3 if values.dtype.kind == "f" else 2 if values.dtype.kind == "i" else 1
    place = ((322, [columns]), (323, [rows]), (324, offsets), (325, counts)) if tile else (
        (273, offsets), (278, [rows]), (279, counts)
    )  # fmt: skip
    entries = sorted((
        (256, [width]), (257, [height]), (258, [8 * values.dtype.itemsize] * channels),
        (259, [COMPRESSIONS[compression]]), (262, [2 if channels >= 3 else 1]),
        (277, [channels]), (284, [1]),
        (317, [predictor]), (339, [kind] * channels), *place,
    ))  # fmt: skip
    order = ">" if values.dtype.byteorder == ">" else "<"
    path.write_bytes(_with_directory(body, entries, order))
    return path


def _with_directory(body: bytes, entries: list[tuple[int, list[int]]], order: str) -> bytes:
    start = 8 + len(body)
    after = start + 2 + 12 * len(entries) + 4
    directory, extra = struct.pack(f"{order}H", len(entries)), b""
    for number, numbers in entries:
        if len(numbers) == 1:
            directory += struct.pack(f"{order}HHII", number, 4, 1, numbers[0])
        else:
            directory += struct.pack(f"{order}HHII", number, 4, len(numbers), after + len(extra))
            extra += struct.pack(f"{order}{len(numbers)}I", *numbers)
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(f"{order}I", start) + body + directory + bytes(4) + extra


def _predicted(part: np.ndarray, predictor: int) -> bytes:
    if predictor == 2:  # of the bits, as libtiff does, whatever they mean
        whole = part.view(f"{part.dtype.byteorder}u{part.dtype.itemsize}")
        part = np.diff(whole, axis=1, prepend=np.zeros_like(whole[:, :1])).astype(whole.dtype)
    if predictor < 3:
        return np.ascontiguousarray(part).tobytes()
    rows, columns, channels = part.shape
    big = np.ascontiguousarray(part.astype(part.dtype.newbyteorder(">")))
    planes = big.view(np.uint8).reshape(rows, columns * channels, -1).swapaxes(1, 2)
    flat = np.ascontiguousarray(planes).reshape(rows, -1, channels)
    return np.diff(flat, axis=1, prepend=np.zeros_like(flat[:, :1])).tobytes()


def _packed(data: bytes, compression: str) -> bytes:
    import io

    buffer = io.BytesIO()
    row = Image.frombytes("L", (len(data), 1), data)
    row.save(buffer, "TIFF", compression=compression)
    with Image.open(buffer) as made:
        offset, count = made.tag_v2[273][0], made.tag_v2[279][0]
    return buffer.getvalue()[offset : offset + count]


def png16(path: Path, values: np.ndarray, filters: int = 5, interlaced: bool = False) -> Path:
    """A PNG of 16 bit; `filters` 0 to 4 is one for all rows, 5 all of them in turn.

    Args:
        path: the file.
        values: (H, W, 2, 3 or 4) uint16.
        filters: which rows are predicted how.
        interlaced: in seven passes.
    """
    height, width, channels = values.shape
    color = {2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, color, 0, 0, interlaced)
    parts = PASSES if interlaced else ((0, 0, 1, 1),)
    data = b"".join(
        _filtered(values[top::down, left::right], filters) for left, top, right, down in parts
    )
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(data))
        + _chunk(b"IEND", b"")
    )  # fmt: skip
    return path


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _filtered(values: np.ndarray, filters: int) -> bytes:
    height, width, channels = values.shape
    if not values.size:
        return b""
    size = 2 * channels
    pixels = np.ascontiguousarray(values.astype(">u2")).view(np.uint8).reshape(height, width, size)
    bordered = np.zeros((height + 1, width + 1, size), int)
    bordered[1:, 1:] = pixels
    a, b, c = bordered[1:, :-1], bordered[:-1, 1:], bordered[:-1, :-1]
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    paeth = np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))
    predictions = (0 * a, a, b, (a + b) // 2, paeth)
    lines = b""
    for row in range(height):
        kind = row % 5 if filters == 5 else filters
        lines += (
            bytes([kind])
            + ((pixels[row] - predictions[kind][row]) % 256).astype(np.uint8).tobytes()
        )
    return lines


def adobe_rgb() -> bytes:
    """A profile of wider primaries and another curve than sRGB's, as a camera embeds it."""
    header_and_tags = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = bytearray(header_and_tags)
    for name, xyz in (
        (b"rXYZ", (0.60974, 0.31111, 0.01947)), (b"gXYZ", (0.20528, 0.62567, 0.06087)),
        (b"bXYZ", (0.14919, 0.06322, 0.74457)),
    ):  # fmt: skip
        offset = _tag(profile, name)
        struct.pack_into(">3i", profile, offset + 8, *(round(v * 65536) for v in xyz))
    for name in (b"rTRC", b"gTRC", b"bTRC"):  # a plain power of 2.2
        offset = _tag(profile, name)
        struct.pack_into(">4sIHHi", profile, offset, b"para", 0, 0, 0, round(2.2 * 65536))
    return bytes(profile)


def _tag(profile: bytearray, name: bytes) -> int:
    (count,) = struct.unpack_from(">I", profile, 128)
    for index in range(count):
        found, offset, _ = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        if found == name:
            return offset
    raise KeyError(name)
