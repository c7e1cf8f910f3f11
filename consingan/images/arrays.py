"""Pictures and masks from a program: paths, Pillow's pictures, arrays and tensors of any layout.

What is meant is taken rightly or refused with what was found: never guessed in silence. Numbers:
whole ones by the range of their type; floating-point arrays in [0, 1], tensors in [-1, 1].
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from consingan.errors import UserError
from consingan.images.io import read_picture
from consingan.images.levels import opacity, opacity_top
from consingan.images.mask_files import Mask, mask_of, read_mask_file
from consingan.images.picture import Picture, picture_of
from consingan.images.pillow import raster_of
from consingan.images.raster import PIXEL_LIMIT, Pixels, Raster
from consingan.machine.files import at_home
from consingan.settings.reading import AS_IT_IS, AUTO, Reading

Given: TypeAlias = "str | os.PathLike[str] | Image.Image | npt.NDArray[np.generic] | Tensor"

WANTED = (
    "give a file, a picture of Pillow, an array (H, W, 3) of uint8 or of floats in [0, 1], or a "
    "tensor (1, 3, H, W) of floats in [-1, 1]"
)
MASK_WANTED = (
    "give a file, a picture of Pillow or (H, W) of bool, of uint8 or of floats in [0, 1], also as "
    "(1, 1, H, W)"
)


def picture_from(given: Given, reading: Reading = AS_IT_IS) -> Picture:
    """A picture of whatever a program has.

    Args:
        given: the picture.
        reading: how a file, or numbers deeper than 8 bit, are to be read.

    Raises:
        UserError: it cannot be read, or its shape, type or range is none that is known.
    """
    if isinstance(given, (str, os.PathLike)):
        return read_picture(at_home(os.fspath(given)), reading)
    if isinstance(given, Image.Image):
        return _of_pillow(given, reading)
    if isinstance(given, Tensor):
        return _of_tensor(given, reading)
    if isinstance(given, np.ndarray):
        return _of_array(given, reading)
    raise UserError(f"The image is a {type(given).__name__}; {WANTED}.")


def mask_from(given: Given, photographs: Iterable[Tensor] = ()) -> Mask:
    """A mask of whatever a program has; see `picture_from`, `read_mask_file`.

    Raises:
        UserError: it cannot be read, or its shape, type or range is none that is known.
    """
    if isinstance(given, (str, os.PathLike)):
        return read_mask_file(Path(at_home(os.fspath(given))), tuple(photographs))
    if isinstance(given, Image.Image):
        return _mask_of_pillow(given, tuple(photographs))
    if not isinstance(given, (Tensor, np.ndarray)):
        raise UserError(f"The mask is a {type(given).__name__}; {MASK_WANTED}.")
    numbers = _numpy(given)
    found = _found("The mask", given, numbers)
    flat = numbers.reshape([side for side in numbers.shape if side != 1] or [1, 1])
    if numbers.ndim >= 2 and flat.ndim == 1:  # a picture of one row or column
        flat = numbers.reshape(numbers.shape[-2:])
    if flat.ndim != 2 or 0 in flat.shape or flat.dtype.kind not in "buif":
        raise UserError(f"{found}; {MASK_WANTED}.")
    if flat.dtype.kind == "f" and not ((flat >= 0) & (flat <= 1)).all():  # NaN, too
        raise UserError(f"{found}, which is outside of [0, 1]; {MASK_WANTED}.")
    if flat.dtype.kind == "i" and flat.min() < 0:
        raise UserError(f"{found}; {MASK_WANTED}.")
    top = opacity_top(flat)
    if flat.dtype.kind in "ui" and flat.max(initial=0) <= 1:  # 0 and 1 are black and white
        top = 1.0
    values = opacity(flat, top).astype(np.float32)
    return Mask(torch.from_numpy(values)[None, None])


def _of_pillow(given: Image.Image, reading: Reading) -> Picture:
    _refuse_size(given.size, "the picture")
    with _read_of_pillow("image"):
        picture = picture_of(raster_of(given), reading)
    return replace(picture, notes=_sentences(picture))


def _mask_of_pillow(given: Image.Image, photographs: tuple[Tensor, ...]) -> Mask:
    """As from a file: opacity, depth, labels and strokes mean the same."""
    _refuse_size(given.size, "the mask")
    with _read_of_pillow("mask"):
        raster = raster_of(given)
    try:
        return mask_of(raster, photographs, "The mask")
    except UserError as error:
        raise UserError(f"The mask {error}") from None


@contextlib.contextmanager
def _read_of_pillow(what: str) -> Iterator[None]:
    """Say it where the file of Pillow's picture is cut off, or was closed."""
    closed = "its file is closed"
    try:
        yield
    # Whatever Pillow raises; up to 11 it asks None for an attribute where a file was closed.
    except (AssertionError, AttributeError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, AttributeError) and "'NoneType'" not in str(error):
            raise
        why = closed if isinstance(error, AttributeError) else str(error) or closed
        raise UserError(
            f"The {what} is a picture of Pillow that cannot be read ({why}); open it anew."
        ) from None


def _of_tensor(given: Tensor, reading: Reading) -> Picture:
    """Channels stand first, or last where only that makes them one, three or four."""
    numbers = _numpy(given)
    pixels = _channels_last(numbers, first=True)
    found = _found("The image", given, numbers)
    if pixels is None:
        raise UserError(f"{found}; {WANTED}.")
    if pixels.dtype.kind != "f":
        return _of_pixels(pixels, reading)
    if not (np.abs(pixels) <= 1).all():  # NaN, too
        raise UserError(f"{found}, which has values outside of [-1, 1]; {WANTED}.")
    if pixels.shape[2] == 4:
        raise UserError(f"{found}: opacity cannot be in [-1, 1]; give three channels.")
    notes: tuple[str, ...] = ()
    if pixels.min() >= 0 and pixels.max() > 0:
        notes = (
            "The image is a tensor with all values in [0, 1], taken as the brighter half of "
            "[-1, 1]; if black is 0 in it, give image * 2 - 1.",
        )
    rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    image = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], dtype=np.float32))
    return Picture(image.clone(), notes=notes)


def _of_array(given: npt.NDArray[np.generic], reading: Reading) -> Picture:
    """Channels stand last, or first where only that makes them one, three or four."""
    pixels = _channels_last(_numpy(given), first=False)
    found = _found("The image", given, _numpy(given))
    if pixels is None:
        raise UserError(f"{found}; {WANTED}.")
    if pixels.dtype.kind != "f":
        return _of_pixels(pixels, reading)
    low, high = (float(end) for end in (pixels.min(), pixels.max()))
    if not (np.isfinite(pixels).all() and low >= -1 and high <= 1):
        raise UserError(f"{found}, which has values outside of [0, 1]; {WANTED}.")
    if low >= 0:
        return replace(_of_pixels(pixels, Reading("0,1")), value_range=AUTO)
    if pixels.shape[2] == 4:
        raise UserError(f"{found}: opacity cannot be below 0; {WANTED}.")
    note = "The image is an array with values below 0, so it is taken to be in [-1, 1]."
    return Picture(_of_pixels((pixels + 1) / 2, Reading("0,1")).image, notes=(note,))


def _of_pixels(pixels: Pixels, reading: Reading) -> Picture:
    """(H, W, 1, 2, 3 or 4): the fourth, or second, is opacity."""
    opaque = pixels.shape[2] in (1, 3)
    colors, alpha = (pixels, None) if opaque else (pixels[:, :, :-1], pixels[:, :, -1])
    picture = picture_of(Raster(colors, alpha), reading)
    return replace(picture, notes=_sentences(picture))


def _sentences(picture: Picture) -> tuple[str, ...]:
    return tuple(f"The image: {note}." for note in picture.notes)


def _channels_last(numbers: Pixels, first: bool) -> Pixels | None:
    """(H, W, C) with 1 to 4 channels, or None for another shape or type.

    Args:
        numbers: (H, W), (H, W, C), (C, H, W) or one of them in a batch of one.
        first: where both ends could be the channels, they are the first axis.
    """
    if numbers.dtype.kind not in "buif":
        return None
    if numbers.ndim == 4 and numbers.shape[0] == 1:
        numbers = numbers[0]
    if numbers.ndim == 2:
        numbers = numbers[:, :, None]
        first = False
    if numbers.ndim != 3 or 0 in numbers.shape:
        return None
    fits_first, fits_last = numbers.shape[0] in (1, 3, 4), numbers.shape[2] in (1, 3, 4)
    if not fits_first and not fits_last:
        return None
    if fits_first and (first or not fits_last):
        numbers = np.moveaxis(numbers, 0, 2)
    _refuse_size(numbers.shape[:2], "the image")
    return numbers


def _numpy(given: Tensor | npt.NDArray[np.generic]) -> Pixels:
    """The same numbers as an array; of half precision as float32."""
    if isinstance(given, np.ndarray):
        return _unmasked(given)
    if given.is_meta:
        raise UserError(f"The tensor is on the device meta, where it has no numbers; {WANTED}.")
    tensor = given.detach().cpu()
    if tensor.is_floating_point() and tensor.dtype not in (torch.float32, torch.float64):
        tensor = tensor.float()
    if tensor.is_complex() or tensor.is_quantized or tensor.layout is not torch.strided:
        raise UserError(f"The tensor is {given.dtype}, {given.layout}; {WANTED}.")
    return np.asarray(tensor.resolve_neg().numpy())


def _unmasked(given: npt.NDArray[np.generic]) -> Pixels:
    """The array itself; what lies under a mask is for the caller to say."""
    if np.ma.is_masked(given):
        share = 100 * float(np.mean(np.ma.getmaskarray(given)))
        raise UserError(
            f"{share:.2g} % of the array is masked; give array.filled(VALUE), or where it is "
            "masked as opacity 0 in a fourth channel."
        )
    return np.asarray(given)


def _found(what: str, given: Tensor | npt.NDArray[np.generic], numbers: Pixels) -> str:
    """As "The image is torch.uint8 of shape (3, 4) from 0 to 7"."""
    words = f"{what} is {given.dtype} of shape {tuple(given.shape)}"
    if not numbers.size or numbers.dtype.kind not in "buif":
        return words
    return f"{words} from {float(numbers.min()):.4g} to {float(numbers.max()):.4g}"


def _refuse_size(size: Iterable[int], what: str) -> None:
    sides = tuple(size)
    if sides[0] * sides[1] > PIXEL_LIMIT:
        raise UserError(
            f"{what.capitalize()} has more than {PIXEL_LIMIT // 1_000_000} million pixels; "
            "make it smaller first."
        )
