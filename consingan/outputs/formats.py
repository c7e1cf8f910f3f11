"""The format of results that suits a model, and its pictures for the eye."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from consingan.images.channels import eye
from consingan.images.levels import plain_number
from consingan.images.names import IMAGE_FORMATS
from consingan.methods.registry import method_of
from consingan.settings.reading import AUTO, BANDS, FULL_8, parse_range


def chosen_format(image_format: str, config: Any) -> str:
    """What "auto" stands for: as deep as the training picture, TIFF for bands, else PNG.

    Args:
        image_format: a key of `images.names.IMAGE_FORMATS`.
        config: of the model.
    """
    if image_format != AUTO:
        return image_format
    deep = config.value_range not in (AUTO, FULL_8) and method_of(config.method).bits > 8
    if config.channels == BANDS:
        return "tiff16" if deep else "tiff"
    return "png16" if deep else "png"


def said_of_range(image_format: str, config: Any) -> str:
    """What the numbers of 16-bit files stand for, where they are not the picture's own; or ""."""
    kept = parse_range(config.value_range)
    if kept is None or kept == (0, 65535) or IMAGE_FORMATS[image_format][1] == 8:
        return ""
    black, white = map(plain_number, kept)
    return f"16 bit: 0 and 65535 stand for {black} and {white} of the image."


def for_eyes(model: Any, pictures: Sequence[Tensor]) -> list[Tensor]:
    """Pictures of a model's, (1, 3, h, w) each: without opacity, of bands the first three."""
    return [*map(eye(model.real, model.config.channels), pictures)]
