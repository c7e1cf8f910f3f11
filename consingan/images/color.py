"""Colors are sRGB everywhere inside; a file's ICC profile says what they are in the file."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from PIL import Image, ImageCms

from consingan.images.icc import shaper_of
from consingan.images.raster import FloatPixels, Pixels

LEVELS = np.arange(0, 256, 51, dtype=np.uint8)  # that profiles are tried with
SAME_COLORS = 2  # of 255: profiles that differ by less from sRGB are sRGB
UNREADABLE = "its color profile cannot be used; its colors are taken as they are"
# Of a profile's color space: the modes of pictures that it can be for.
MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert an 8-bit picture to sRGB and say so; opacity stays.

    Args:
        image: L, LA, RGB, RGBA or CMYK.
        profile: the file's ICC profile, if it has one.

    Returns:
        the picture, and what to tell the user; the picture itself where nothing is to be done.
    """
    if not profile:
        return image, ()
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = MODES[source.profile.xcolor_space.strip()]
        base = image.mode if image.mode == "CMYK" else image.mode.removesuffix("A")
        if (base == "CMYK" and mode != "CMYK") or (base != "CMYK" and mode == "CMYK"):
            return image, (UNREADABLE,)
        if base == "RGB" and mode == "L":
            return image, (UNREADABLE,)
        transform = _transform(source, mode)
        if mode != "CMYK" and _is_srgb(transform, mode):
            return image, ()
        opacity = image.getchannel("A") if image.mode.endswith("A") else None
        converted = transform.apply(image if image.mode == mode else image.convert(mode))
        if opacity is not None:
            converted.putalpha(opacity)
        return converted, (f"its colors are converted from {_description(source)} to sRGB",)
    except (ImageCms.PyCMSError, OSError, KeyError, ValueError, TypeError, AttributeError):
        return image, (UNREADABLE,)


@dataclass(frozen=True)
class Deep:
    """How colors deeper than 8 bit become sRGB.

    Attributes:
        convert: (H, W, 1 or 3) in [0, 1]; None where nothing is to be done.
        notes: what to tell the user.
    """

    convert: Callable[[FloatPixels], FloatPixels] | None = None
    notes: tuple[str, ...] = ()


def deep_to_srgb(profile: bytes, channels: int) -> Deep:
    """The conversion of gray (1 channel) or colors (3).

    A profile of tables converts 8 bit alone: gray by a curve through those, of colors no more are
    left, which is said.
    """
    steps = np.arange(256, dtype=np.uint8)[None]
    numbers = steps[..., None] if channels == 1 else _lattice()
    probe = Image.fromarray(steps if channels == 1 else numbers)
    converted, notes = to_srgb(probe, profile)
    if converted is probe:
        return Deep(None, notes)
    after = np.asarray(converted, dtype=np.float64) / 255
    shaper = shaper_of(profile)
    if shaper is not None:
        with np.errstate(all="ignore"):  # of an odd curve
            apart = float(np.abs(shaper.to_srgb(numbers / 255) - after).mean())
        if apart <= SAME_COLORS / 255:
            return Deep(shaper.to_srgb, notes)
    if channels == 1:
        curve = after[0].mean(axis=1)
        return Deep(lambda values: np.interp(values, steps[0] / 255, curve), notes)
    return Deep(partial(_by_8_bit, profile), (f"{notes[0]}, which leaves 8 bit of them",))


def _by_8_bit(profile: bytes, values: FloatPixels) -> FloatPixels:
    pixels = np.ascontiguousarray((values * 255).round().astype(np.uint8))
    converted, _ = to_srgb(Image.fromarray(pixels), profile)
    return np.asarray(converted, dtype=np.float64) / 255


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """An sRGB profile to be written into files; the same bytes whenever it is made."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes((7, 230, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))  # when it was made: 2022-01-01
    return bytes(profile)


def _transform(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    target = ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(
        source, target, mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )  # fmt: skip


def _is_srgb(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a profile leaves all colors nearly as they are."""
    before = LEVELS[None] if mode == "L" else _lattice()
    after = np.asarray(transform.apply(Image.fromarray(before))).astype(int)
    difference = after - (before[..., None] if mode == "L" else before)
    return bool(np.abs(difference).max() <= SAME_COLORS)


def _lattice() -> Pixels:
    """Colors of all kinds, (1, N, 3) uint8."""
    return np.array(list(itertools.product(LEVELS, repeat=3)), dtype=np.uint8)[None]


def _description(profile: ImageCms.ImageCmsProfile) -> str:
    """The profile's name of itself, in short."""
    from consingan.images.names import shown

    text = shown((profile.profile.profile_description or "a profile without a name").strip())
    return text if len(text) <= 60 else f"{text[:57]}..."
