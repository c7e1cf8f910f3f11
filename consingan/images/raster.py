"""Pixels as a file stores them, before they become a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Pixels = np.ndarray[Any, np.dtype[Any]]
FloatPixels = np.ndarray[Any, np.dtype[np.float64]]

PIXEL_LIMIT = 89_478_485  # above it Pillow warns of a decompression bomb; here that is an error
BYTE_LIMIT = 8 * PIXEL_LIMIT  # of decoded pixels: RGBA of 16 bit at the limit of pixels


@dataclass(frozen=True)
class Raster:
    """One page of a picture file.

    Attributes:
        colors: (H, W, 1) gray or (H, W, 3) RGB, numbers of any type.
        alpha: (H, W) opacity of any type, or None.
        white_is_zero: the lowest number is white.
        nodata: the number that the file says stands for no value.
        profile: the ICC profile that the colors are in, if they still have to be converted.
        notes: what was read otherwise than a user might think, without the file's name.
        bands: (H, W, N) all that is stored but opacity, where that is not what `colors` has.
    """

    colors: Pixels
    alpha: Pixels | None = None
    white_is_zero: bool = False
    nodata: float | None = None
    profile: bytes | None = None
    notes: tuple[str, ...] = ()
    bands: Pixels | None = None

    @property
    def bits(self) -> int:
        """Of one number; 1 of truth values."""
        return 1 if self.colors.dtype == np.bool_ else 8 * self.colors.dtype.itemsize

    def without(self, unknown: Pixels) -> Raster:
        """The same with other pixels' colors where `unknown` (H, W) is true; some must be known."""
        colors, known = self.colors.copy(), self.colors[~unknown]
        colors[unknown] = np.resize(known, colors[unknown].shape)
        return replace(self, colors=colors)
