"""Masks from files: found beside a picture, read whatever they look like, brought to its size."""

from __future__ import annotations

import math
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.errors import UserError
from consingan.images.io import read_raster
from consingan.images.levels import opacity, opacity_top, percent
from consingan.images.masks import resize_mask, with_lost
from consingan.images.names import EXTENSIONS, shown
from consingan.images.raster import FloatPixels, Raster
from consingan.images.resize import Size, same_shape
from consingan.images.strokes import Part, understand
from consingan.machine.usual import torch_as_usual

LARGEST = 16_000_000  # pixels that a mask is judged by
STRIP = 4_000_000  # pixels that are made white or black at once
SMALL, LARGE = 0.01, 0.95  # shares of the picture that a mask seldom means


@dataclass(frozen=True)
class Mask:
    """A mask and what the user should know of it.

    Attributes:
        values: (1, 1, H, W) float32 in [0, 1], 1 where the picture is changed.
        notes: whole sentences.
    """

    values: Tensor
    notes: tuple[str, ...] = ()


def read_mask_file(path: Path | str, photographs: Sequence[Tensor] = ()) -> Mask:
    """Read a mask from any picture file, see `strokes.understand` for what is one.

    Args:
        path: the file.
        photographs: (1, 3, H, W) in [-1, 1] of any size, that strokes may be drawn on.

    Raises:
        UserError: the file is missing, or it is no picture that can be a mask.
    """
    raster = read_raster(path)
    try:
        return mask_of(raster, photographs, f"The mask {shown(Path(path).name)}")
    except UserError as error:
        raise UserError(f"{shown(path)} {error}") from None


def mask_of(raster: Raster, photographs: Sequence[Tensor], name: str) -> Mask:
    """What pixels mean as a mask, see `strokes.understand`.

    Args:
        raster: the pixels.
        photographs: see `read_mask_file`.
        name: what the notes begin with.

    Raises:
        UserError: the rest of a sentence that begins with the mask's name: it can be none.
    """
    height, width = raster.colors.shape[:2]
    pixels = _Pixels.of(raster, photographs)
    white, notes = understand(pixels.part(*_sampled(raster)))
    values = np.empty((height, width), np.float32)
    rows = max(1, STRIP // width)
    for strip in (slice(top, top + rows) for top in range(0, height, rows)):
        values[strip] = white(pixels.part(strip, slice(None))).clip(0, 1)
    found = torch.from_numpy(values)[None, None]
    return Mask(found, tuple(f"{name}: {note}." for note in notes))


@dataclass(frozen=True)
class _Pixels:
    """A file that is to be a mask, its numbers as they are until they are asked for.

    Attributes:
        raster: the file.
        tops: numbers that stand for 1, of its colors and its opacity.
        photographs: (1, 3, H, W) in [-1, 1], each brought to the file's size when it is asked for.
    """

    raster: Raster
    tops: tuple[float, float]
    photographs: Sequence[Callable[[], Tensor]]

    @classmethod
    def of(cls, raster: Raster, photographs: Iterable[Tensor]) -> _Pixels:
        size = raster.colors.shape[:2]
        tops = (
            opacity_top(raster.colors),
            1.0 if raster.alpha is None else opacity_top(raster.alpha),
        )
        same = [
            p
            for p in photographs
            if same_shape((p.shape[-2], p.shape[-1]), size) and p.shape[-2] >= size[0]
        ]  # a smaller one differs everywhere
        fitted = [partial(F.interpolate, p, size, mode="bilinear", antialias=True) for p in same]
        return cls(raster, tops, [cache(known) for known in fitted])

    def part(self, rows: slice, columns: slice) -> Part:
        """Some of them as numbers in [0, 1]."""
        raster = self.raster
        colors = opacity(raster.colors[rows, columns], self.tops[0])
        colors = 1 - colors if raster.white_is_zero else colors
        alpha = None if raster.alpha is None else opacity(raster.alpha[rows, columns], self.tops[1])

        def cut(known: Callable[[], Tensor]) -> FloatPixels:
            there = known()[0, :, rows, columns].permute(1, 2, 0)
            return np.asarray((there.double().numpy() + 1) / 2)

        return Part(colors, alpha, [partial(cut, known) for known in self.photographs])


def _sampled(raster: Raster) -> tuple[slice, slice]:
    """Rows and columns that a mask is judged by: of a very large one some, where it shows anything.

    Every second or fewer: memory stays bounded, and lines of a pixel may lie between them.
    """
    height, width = raster.colors.shape[:2]
    step = math.ceil(math.sqrt(height * width / LARGEST))
    every = [(slice(i, None, step), slice(j, None, step)) for i, j in np.ndindex(step, step)]
    planes = [x for x in (raster.colors, raster.alpha) if x is not None]
    shows = (at for at in every if any((x[at] != x[at][:1, :1]).any() for x in planes))
    return next(shows, every[0])


@torch_as_usual()
def read_mask(path: Path | str, size: Size | None = None) -> Tensor:
    """Read a mask as (1, 1, H, W) float32 in [0, 1]; what there is to say are warnings.

    Args:
        path: the picture.
        size: (height, width) in pixels to bring the mask to, whatever its shape, bilinear with
            antialiasing; None keeps the file's.

    Raises:
        UserError: the file is missing, or it is no picture that can be a mask.
    """
    mask = read_mask_file(path)
    for note in mask.notes:
        warnings.warn(note.removesuffix("."), stacklevel=3)
    return mask.values if size is None else resize_mask(mask.values, size)


def fit_mask(mask: Mask, size: Size) -> Mask:
    """Bring a mask to a picture of `size` (h, w), and say so.

    One of black and white alone stays that: enlarged, each pixel takes the nearest; shrunk, it is
    white where most of its area was, and no part of it vanishes. A soft one stays soft.

    Raises:
        UserError: it is of another shape than the picture.
    """
    height, width = mask.values.shape[-2:]
    if (height, width) == tuple(size):
        return mask
    if not same_shape((height, width), size):
        raise _other_shape((height, width), size)
    kept = mask.values
    if bool(((kept == 0) | (kept == 1)).all()):
        enlarged = height <= size[0] and width <= size[1]
        how = "nearest pixels" if enlarged else "by area"
        soft = F.interpolate(kept, size=size, mode="nearest-exact") if enlarged else None
        fitted = with_lost((resize_mask(kept, size) >= 0.5).float() if soft is None else soft, kept)
    else:
        how, fitted = "smoothly", resize_mask(kept, size)
    said = f"The mask is brought from {width}x{height} to {size[1]}x{size[0]} px ({how})."
    return Mask(fitted, (*mask.notes, said))


def told_extent(mask: Tensor) -> tuple[str, ...]:
    """What to say of a mask (1, 1, H, W) that changes next to nothing or nearly everything."""
    values = torch.unique(mask)
    share = float(mask.double().mean())
    if len(values) == 1:
        if share == 0:
            return ("The mask is empty, so the result is the naive image.",)
        if share == 1:
            return ("The mask is all white: the whole picture is changed.",)
        return (f"The mask is of one gray, {percent(share)} white, everywhere.",)
    if SMALL <= share <= LARGE:
        return ()
    hint = "" if share < SMALL else " If black is what you changed, use --mask_invert."
    return (f"The mask changes {percent(share)} of the picture.{hint}",)


def find_mask(naive_path: Path) -> Path | None:
    """Find the mask that lies beside a naive image, or None.

    Its name is the naive image's without the last suffix, then `_mask` and one of
    `images.EXTENSIONS` in upper or lower case: `my-photo.v2_mask.PNG` for `my-photo.v2.jpeg`. Of
    several, the one whose extension stands first there (PNG before all others) is taken.
    """
    folder = naive_path.parent
    if not folder.is_dir():
        return None
    wanted = _composed(f"{naive_path.stem}_mask")
    found = [
        path
        for path in folder.iterdir()
        if _composed(path.stem) == wanted and path.suffix.lower() in EXTENSIONS and path.is_file()
    ]
    return min(found, key=_preference, default=None)


def _composed(name: str) -> str:
    """Bring accents to one form: macOS may store a letter and its accent as two characters."""
    return unicodedata.normalize("NFC", name)


def _preference(path: Path) -> tuple[int, str]:
    return EXTENSIONS.index(path.suffix.lower()), path.name


def _other_shape(size: Size, wanted: Size) -> UserError:
    """A mask of another shape than the picture, perhaps because one of them lies on its side."""
    (height, width), (picture_height, picture_width) = size, wanted
    words = f"The mask is {width}x{height}, of another shape than the picture"
    turned = same_shape((width, height), wanted) and height != width
    advice = "turn the mask by 90 degrees" if turned else "crop or redraw the mask to that shape"
    return UserError(f"{words} ({picture_width}x{picture_height}); {advice}.")
