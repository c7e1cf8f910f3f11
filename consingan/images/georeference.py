"""Where on Earth a TIFF lies: its tags, and the same for the picture at another size.

GeoTIFF (OGC 19-008r4, section 7): pixel scale and tie points, or one matrix, say how columns and
rows become coordinates; keys say of which system. Only what shows the same place may carry them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from consingan.errors import UserError
from consingan.images.decode import LONGEST_REASON
from consingan.images.names import shown
from consingan.images.tiff import is_tiff, pages_of

SCALE, TIES, MATRIX = 33550, 33922, 34264
KEYS = (34735, 34736, 34737)  # directory, numbers, text
ORIENTATION = 274
COUNTS = {SCALE: 3, TIES: 6, MATRIX: 16, KEYS[0]: 4}  # numbers in a tag ...
REPEATED = (TIES, KEYS[0])  # ... or in each of its rows
SHORT, DOUBLE, TEXT = 3, 12, 2  # kinds of numbers in a tag
RASTER_TYPE, POINT = 1025, 2  # a key, and its value where coordinates are those of pixels' middles

Size = tuple[int, int]
Tag = tuple[int, int, int, Any, bool]  # as tifffile writes them


@dataclass(frozen=True)
class Georeference:
    """Tags of a picture of `size` (h, w) px, by their numbers.

    Attributes:
        size: of the picture.
        tags: by their numbers.
        factor: that brings both of its sides to another size, where the last row and column may
            reach beyond it; None: each side has its own.
    """

    size: Size
    tags: dict[int, Any]
    factor: float | None = None

    def at(self, size: Size) -> tuple[Tag, ...]:
        """The tags of the same picture at `size` (h, w), for `tifffile.imwrite`."""
        down, right = self.size[0] / size[0], self.size[1] / size[1]
        if self.factor is not None:
            down = right = 1 / self.factor
        moved: dict[int, Any] = dict(self.tags)
        if SCALE in moved:
            x, y, z = moved[SCALE]
            moved[SCALE] = (x * right, y * down, z)
        if TIES in moved:
            moved[TIES] = self._ties(moved[TIES], down, right)
        if MATRIX in moved:
            moved[MATRIX] = self._matrix(moved[MATRIX], down, right)
        return tuple(_tag(code, value) for code, value in sorted(moved.items()))

    def _ties(self, ties: Any, down: float, right: float) -> tuple[float, ...]:
        """Columns and rows (the first two of six) at the other size."""
        half = 0.5 if self._is_point() else 0.0
        found = list(ties)
        for start in range(0, len(found), 6):
            found[start] = (found[start] + half) / right - half
            found[start + 1] = (found[start + 1] + half) / down - half
        return tuple(found)

    def _matrix(self, matrix: Any, down: float, right: float) -> tuple[float, ...]:
        """Rows of four: what a column, a row and a height add to a coordinate, and its origin."""
        half = 0.5 if self._is_point() else 0.0
        found = list(matrix)
        for start in range(0, 16, 4):
            across, along = found[start], found[start + 1]
            found[start + 3] += half * ((right - 1) * across + (down - 1) * along)
            found[start], found[start + 1] = across * right, along * down
        return tuple(found)

    def _is_point(self) -> bool:
        keys = list(self.tags.get(KEYS[0], ()))
        rows = [keys[n : n + 4] for n in range(4, len(keys), 4)]
        return any(row[0] == RASTER_TYPE and row[3] == POINT for row in rows)


def read_georeference(name: str | Path, page: int = 0) -> Georeference | None:
    """Of a page of a file; None where there is none, or the file is gone.

    Raises:
        UserError: it cannot be used; the sentence begins with the file's name.
    """
    path = Path(name)
    try:
        if not path.is_file() or not is_tiff(path):
            return None
        with tifffile.TiffFile(path) as file:
            pages = pages_of(file)
            return _of_page(pages[max(page, 1) - 1 if len(pages) > 1 else 0])
    except Exception as error:  # tifffile raises anything: struct.error, TiffFileError, IndexError
        reason = shown(str(error)).rstrip(".")[:LONGEST_REASON] or type(error).__name__
        raise UserError(f"{shown(path)} has no georeference that can be used ({reason}).") from None


def _of_page(page: tifffile.TiffPage) -> Georeference | None:
    tags = {code: page.tags.valueof(code) for code in (SCALE, TIES, MATRIX, *KEYS[:2])}
    tags = {code: _numbers(code, value) for code, value in tags.items() if value is not None}
    if not (MATRIX in tags or (SCALE in tags and TIES in tags)):
        return None
    if page.tags.valueof(ORIENTATION, default=1) != 1:
        raise ValueError("the picture is stored turned")
    if KEYS[2] in page.tags:
        tags[KEYS[2]] = _text(page, page.tags[KEYS[2]])
    return Georeference((page.imagelength, page.imagewidth), tags)


def _numbers(code: int, value: Any) -> tuple[Any, ...]:
    """What a tag holds, if it can be that."""
    found = np.atleast_1d(np.asarray(value, dtype=np.float64))
    if found.ndim != 1 or not found.size or not np.isfinite(found).all():
        raise ValueError(f"tag {code} holds no numbers")
    if code == SCALE and len(found) == 2:  # of a map without heights
        found = np.append(found, 0.0)
    count = COUNTS.get(code, len(found))
    rows, rest = divmod(len(found), count)
    if rest or (rows != 1 and code not in REPEATED):
        raise ValueError(f"tag {code} holds {len(found)} numbers")
    return tuple(int(n) if code == KEYS[0] else float(n) for n in found)


def _text(page: tifffile.TiffPage, tag: tifffile.TiffTag) -> bytes:
    """As it is stored: keys count its bytes, and not all programs write ASCII."""
    handle = page.parent.filehandle
    handle.seek(tag.valueoffset)
    return bytes(handle.read(tag.valuebytecount)).rstrip(b"\0")


def _tag(code: int, value: Any) -> Tag:
    if code == KEYS[2]:
        return code, TEXT, 0, value, True
    kind = SHORT if code == KEYS[0] else DOUBLE
    return code, kind, len(value), tuple(value), True
