"""Where on Earth a TIFF lies: its tags, and the same for the picture at another size.

GeoTIFF (OGC 19-008r4, section 7): pixel scale and tie points, or one matrix, say how columns and
rows become coordinates; keys say of which system. Only what shows the same place may carry them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tifffile

from consingan.images.tiff import is_tiff

SCALE, TIES, MATRIX = 33550, 33922, 34264
KEYS = (34735, 34736, 34737)  # directory, numbers, text
SHORT, DOUBLE, TEXT = 3, 12, 2  # kinds of numbers in a tag
RASTER_TYPE, POINT = 1025, 2  # a key, and its value where coordinates are those of pixels' middles

Size = tuple[int, int]
Tag = tuple[int, int, int, Any, bool]  # as tifffile writes them


@dataclass(frozen=True)
class Georeference:
    """Tags of a picture of `size` (h, w) px, by their numbers."""

    size: Size
    tags: dict[int, Any]

    def at(self, size: Size) -> tuple[Tag, ...]:
        """The tags of the same picture at `size` (h, w), for `tifffile.imwrite`."""
        down, right = self.size[0] / size[0], self.size[1] / size[1]
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


def read_georeference(name: str) -> Georeference | None:
    """Of a file; None where there is none, or the file is gone."""
    path = Path(name)
    if not path.is_file() or not is_tiff(path):
        return None
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        if not isinstance(page, tifffile.TiffPage):
            return None
        found = {code: page.tags.valueof(code) for code in (SCALE, TIES, MATRIX, *KEYS)}
        tags = {code: value for code, value in found.items() if value is not None}
        if not (MATRIX in tags or (SCALE in tags and TIES in tags)):
            return None
        return Georeference((page.imagelength, page.imagewidth), tags)


def _tag(code: int, value: Any) -> Tag:
    if code == KEYS[2]:
        return code, TEXT, 0, value, True
    kind = SHORT if code == KEYS[0] else DOUBLE
    return code, kind, len(value), tuple(value), True
