"""Read any picture, write any picture; everywhere else pictures are RGB tensors in [-1, 1]."""

from __future__ import annotations

import os
import struct
import warnings
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.files import atomic_path

Pixels = np.ndarray[Any, np.dtype[Any]]
FloatPixels = np.ndarray[Any, np.dtype[np.float64]]

EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
SCIKIT_IMAGE = "skimage:"
PHOTOGRAPHS = (
    "astronaut", "brick", "camera", "cat", "chelsea", "coffee", "coins", "grass", "gravel",
    "hubble_deep_field", "retina", "rocket",
)  # fmt: skip
PIXEL_LIMIT = 89_478_485  # above it Pillow warns of a decompression bomb; here that is an error


def image_stem(name: str) -> str:
    """The picture's name without folder and extension: "a b/my-photo.v2.jpeg" -> "my-photo.v2"."""
    if name.startswith(SCIKIT_IMAGE):
        return name[len(SCIKIT_IMAGE) :]
    path = Path(name)
    return path.stem if path.suffix.lower() in EXTENSIONS else path.name


def read_image(name: str | Path) -> Tensor:
    """Read the picture `name`, a file of any kind in `EXTENSIONS` or "skimage:NAME".

    Palettes, grayscale, CMYK and 16 bit become RGB, the first frame of an animation is taken,
    transparency is laid over white (a warning says so), a camera's rotation is applied.

    Returns:
        (1, 3, H, W) float32 in [-1, 1].

    Raises:
        UserError: there is no such picture or it cannot be read.
    """
    pixels = read_pixels(name)
    if pixels.shape[2] == 4:
        warnings.warn(f"{Path(name).name}: transparent parts are taken as white.", stacklevel=2)
        pixels = flatten(pixels, 1.0)
    return from_pixels(pixels)


def read_pixels(name: str | Path) -> FloatPixels:
    """Pixels of the picture `name` as (H, W, 3) or, with transparency, (H, W, 4) in [0, 1]."""
    text = str(name)
    if text.startswith(SCIKIT_IMAGE):
        return _to_rgb(_photograph(text[len(SCIKIT_IMAGE) :]), text)
    path = Path(name)
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        raise UserError(f"{path} is a folder; name a picture file.")
    if not os.path.isfile(path):  # noqa: PTH113
        raise UserError(f"There is no picture {path}; check the path.")
    return _to_rgb(_decode(path), text)


def flatten(pixels: FloatPixels, background: float) -> FloatPixels:
    """Lay (H, W, 4) over a gray `background` in [0, 1]; (H, W, 3) passes through."""
    if pixels.shape[2] == 3:
        return pixels
    opacity = pixels[:, :, 3:]
    flat: FloatPixels = pixels[:, :, :3] * opacity
    flat += background * (1 - opacity)  # in place: a camera's picture takes 300 MB
    return flat


def from_pixels(pixels: Pixels) -> Tensor:
    """(H, W, 3) in [0, 1] -> (1, 3, H, W) float32 in [-1, 1]."""
    image = torch.empty(1, 3, *pixels.shape[:2])
    for channel in range(3):  # one by one, or twice the picture's memory would be needed in float64
        image[0, channel] = torch.from_numpy(pixels[:, :, channel] * 2 - 1)
    return image


def to_pixels(image: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(1, 3, H, W) or (3, H, W) in [-1, 1] -> (H, W, 3) uint8, rounded and clipped.

    Raises:
        ValueError: the picture holds values that are not finite, which must never become black.
    """
    if image.dim() == 4:
        image = image[0]
    values = image.detach().to("cpu", torch.float32)
    if not torch.isfinite(values).all():
        raise ValueError("the picture holds values that are not finite (NaN or infinite)")
    scaled = (values.clamp(-1, 1) + 1) * 127.5
    return scaled.round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()


def write_image(path: Path, image: Tensor | Pixels) -> None:
    """Write a picture, (1, 3, H, W) in [-1, 1] or (H, W[, 3]) uint8, in the format of its suffix.

    The file appears whole or not at all. JPEGs are written at quality 95.
    """
    pixels = to_pixels(image) if isinstance(image, Tensor) else image
    options: dict[str, Any] = {"quality": 95} if path.suffix.lower() in (".jpg", ".jpeg") else {}
    with atomic_path(path) as temporary:
        iio.imwrite(temporary, pixels, plugin="pillow", extension=path.suffix.lower(), **options)


def _photograph(name: str) -> Pixels:
    """A photograph that scikit-image carries in its own package, without a network."""
    from skimage import data

    if name not in PHOTOGRAPHS:
        raise UserError(
            f"There is no photograph {SCIKIT_IMAGE}{name}; choose one of {', '.join(PHOTOGRAPHS)}."
        )
    try:
        pixels: Pixels = getattr(data, name)()
    except Exception as error:  # scikit-image would have to download it
        raise UserError(
            f"scikit-image could not give its photograph {name} ({error}); try skimage:coffee."
        ) from None
    return pixels


def _decode(path: Path) -> Pixels:
    """First frame of a picture file, rotated as the camera held it; pixels as they are stored."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damage that matters is an error below
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if _is_tiff(path) and (deep := _deep_colors(path)) is not None:
                return deep
            with Image.open(path, formats=FORMATS) as image:
                return np.asarray(_plain(ImageOps.exif_transpose(image)))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UserError(
            f"{path} claims more than {PIXEL_LIMIT // 1_000_000} million pixels; "
            "make it smaller first."
        ) from None
    except UnidentifiedImageError:
        raise UserError(
            f"{path} is not a picture that can be read; use {', '.join(FORMATS)}."
        ) from None
    except PermissionError:
        raise UserError(f"{path} may not be read; check its permissions.") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error) as error:
        raise UserError(f"{path} is damaged or cut short ({error}); save it anew.") from None


def _plain(image: Image.Image) -> Image.Image:
    """A picture whose pixels are gray, RGB or RGBA, or 16 bit and more in one channel."""
    if image.mode == "F" or image.mode.startswith("I"):
        return image  # deeper than 8 bit, which a conversion would lose
    if image.mode in ("L", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _deep_colors(path: Path) -> Pixels | None:
    """First page of a TIFF with colors of more than 8 bit, which Pillow would cut off or mix up.

    None for any other TIFF, and for a compression that only Pillow reads.
    """
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            if (
                not isinstance(page, tifffile.TiffPage)
                or page.photometric != tifffile.PHOTOMETRIC.RGB
                or page.bitspersample <= 8
            ):
                return None
            if page.imagelength * page.imagewidth > PIXEL_LIMIT:
                raise Image.DecompressionBombError
            pixels: Pixels = page.asarray()
            if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
                pixels = np.moveaxis(pixels, 0, 2)
            orientation = page.tags.valueof("Orientation", default=1)
    except (tifffile.TiffFileError, RuntimeError, KeyError, TypeError, ValueError, struct.error):
        return None  # Pillow says what is wrong with it, or reads it
    return _upright(pixels, int(orientation))


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo a camera's rotation, numbered as in EXIF, of (H, W, C)."""
    if orientation >= 5:  # sides swapped
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _to_rgb(pixels: Pixels, name: str) -> FloatPixels:
    """Pixels of any depth, (H, W), (H, W, 1..4), to (H, W, 3 or 4) float64 in [0, 1]."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or pixels.shape[2] > 4 or 0 in pixels.shape:
        raise UserError(f"{name} is not a picture of one to four channels; save it as RGB.")
    values = _unit_range(pixels)
    if not np.isfinite(values).all():
        raise UserError(f"{name} holds values that are not finite; save it as 8 or 16 bit.")
    if pixels.dtype.kind == "f" and pixels.max() > 1:
        warnings.warn(f"{Path(name).name}: values above 1 are taken as white.", stacklevel=2)
    if values.shape[2] <= 2:  # gray, perhaps with transparency
        values = np.concatenate([np.repeat(values[:, :, :1], 3, 2), values[:, :, 1:]], 2)
    if values.shape[2] == 4 and (values[:, :, 3] == 1).all():
        values = values[:, :, :3]
    return values


def _unit_range(pixels: Pixels) -> FloatPixels:
    """Integers by the range of their type (32-bit ones as the 16 bit they hold), floats clipped."""
    if pixels.dtype == np.bool_:
        return pixels.astype(np.float64)
    if pixels.dtype == np.uint8:
        return pixels / 255.0
    if np.issubdtype(pixels.dtype, np.integer):
        return np.clip(pixels / 65535.0, 0, 1)
    return np.clip(pixels.astype(np.float64), 0, 1)


ARRAY_NAME = "image"  # stands for the file name where a tensor was trained on


def unit(picture: Tensor) -> Tensor:
    """From [-1, 1] to the [0, 1] of the metrics, on the CPU."""
    return ((picture.float().cpu() + 1) / 2).clamp(0, 1)
