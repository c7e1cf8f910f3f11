"""Color profiles of curves and a matrix, in floating point: Pillow converts 8 bit alone.

ICC.1:2022, annex F.3: each channel's curve gives light, three columns its place in CIE XYZ under
D50. Profiles that hold tables instead are not read here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from consingan.images.raster import FloatPixels

HEAD = 128  # bytes before the table of tags
TABLES = (b"A2B0", b"A2B1", b"A2B2", b"D2B0", b"D2B1", b"D2B2")
COLUMNS = (b"rXYZ", b"gXYZ", b"bXYZ")
CURVES = (b"rTRC", b"gTRC", b"bTRC")
GRAY_CURVE = b"kTRC"
PARAMETERS = (1, 3, 4, 5, 7)  # of the kinds of parametric curves, in their order
# sRGB's primaries under D50, in columns, as LittleCMS has them.
SRGB = (
    (0.43604125, 0.38511291, 0.14304584), (0.22248454, 0.71690508, 0.06061038),
    (0.01392019, 0.09706724, 0.71391257),
)  # fmt: skip
TOE, SLOPE, GAMMA, OFFSET = 0.0031308, 12.92, 2.4, 0.055  # of sRGB's curve


@dataclass(frozen=True)
class Shaper:
    """What a profile does: a curve for each channel, then a matrix to linear sRGB.

    Attributes:
        curves: one of gray, or three.
        matrix: (3, 3); None of gray.
    """

    curves: tuple[Curve, ...]
    matrix: FloatPixels | None

    def to_srgb(self, values: FloatPixels) -> FloatPixels:
        """(..., 1 or 3) in [0, 1] as sRGB; gray is taken as three alike by a profile of colors."""
        return _encoded((self._light(values) - self._black()) / (1 - self._black()))

    def _black(self) -> float:
        """How bright its black is, as black as sRGB's is to be (black point compensation)."""
        black = self._light(np.zeros(len(self.curves)))
        return float(black[0] if self.matrix is None else black @ SRGB[1])

    def _light(self, values: FloatPixels) -> FloatPixels:
        """Linear sRGB, or gray, of any size."""
        if self.matrix is None:
            return self.curves[0].light(values)
        bands = np.broadcast_to(values, (*values.shape[:-1], 3))
        light = np.stack([c.light(bands[..., n]) for n, c in enumerate(self.curves)], axis=-1)
        colors = np.asarray(light @ self.matrix.T)
        return colors if values.shape[-1] == 3 else colors @ np.array(SRGB[1])[:, None]


@dataclass(frozen=True)
class Curve:
    """From a file's number to light: a table, or what `kind` makes of the parameters.

    Attributes:
        table: evenly from 0 to 1.
        kind: 0 to 4, see ICC.1:2022, table 68.
        parameters: g, a, b, c, d, e and f, or the first of them.
    """

    table: FloatPixels | None = None
    kind: int = 0
    parameters: tuple[float, ...] = (1.0,)

    def light(self, values: FloatPixels) -> FloatPixels:
        """In [0, 1] as the values are."""
        if self.table is not None:
            places = np.linspace(0, 1, len(self.table))
            return np.asarray(np.interp(values, places, self.table))
        g, a, b, c, d, e, f = self._written_out()
        power = np.maximum(a * values + b, 0) ** g + e
        return np.asarray(np.clip(np.where(values >= d, power, c * values + f), 0, 1))

    def _written_out(self) -> tuple[float, ...]:
        """All kinds as the last one, which has all parameters."""
        given = self.parameters
        if self.kind == 0:
            return given[0], 1, 0, 0, 0, 0, 0
        if self.kind in (1, 2):
            g, a, b, *rest = given
            above = rest[0] if rest else 0.0
            return g, a, b, 0, -b / a, above, above
        return (*given, 0, 0) if self.kind == 3 else given


def shaper_of(profile: bytes) -> Shaper | None:
    """What a profile of gray or three colors does; None of another kind, or a damaged one."""
    try:
        tags = _tags(profile)
        if profile[20:24] != b"XYZ " or any(name in tags for name in TABLES):
            return None
        if profile[16:20] == b"GRAY":
            return Shaper((_curve(tags[GRAY_CURVE]),), None)
        curves = tuple(_curve(tags[name]) for name in CURVES)
        columns = np.array([struct.unpack_from(">3i", tags[n], 8) for n in COLUMNS]) / 65536
        return Shaper(curves, np.linalg.inv(np.array(SRGB)) @ columns.T)
    except (KeyError, IndexError, ValueError, ZeroDivisionError, struct.error):
        return None


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, HEAD)
    entries = [struct.unpack_from(">4sII", profile, HEAD + 4 + 12 * n) for n in range(count)]
    return {name: profile[start : start + size] for name, start, size in entries}


def _curve(tag: bytes) -> Curve:
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        numbers: tuple[Any, ...] = struct.unpack_from(f">{PARAMETERS[kind]}i", tag, 12)
        return Curve(None, kind, tuple(n / 65536 for n in numbers))
    if tag[:4] != b"curv":
        raise ValueError("no curve")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return Curve()
    table = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
    return Curve(None, 0, (table[0] / 256,)) if count == 1 else Curve(table / 65535)


def _encoded(light: FloatPixels) -> FloatPixels:
    """Linear sRGB as files hold it; what lies outside is cut off."""
    inside = np.clip(light, 0, 1)
    bent = (1 + OFFSET) * inside ** (1 / GAMMA) - OFFSET
    return np.asarray(np.where(inside <= TOE, SLOPE * inside, bent))
