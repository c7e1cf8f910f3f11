"""Sizes of results beside the training size: their names, and whether a model can make them."""

from __future__ import annotations

from typing import Any

from consingan.errors import UserError
from consingan.images.raster import PIXEL_LIMIT
from consingan.machine.memory import fits, refuse_beyond_free
from consingan.methods.contract import Foresees, ScaledSize, Size, Unrolls
from consingan.outputs.finish import LARGER, sketched_of
from consingan.outputs.requests import SizedRequest

MOST_UNROLLED = 2**32  # px; what is written as it is made ends by patience, not by memory
ONE_START = "for a model that has one place to start at"
SAMPLE_FOLDER = "random_samples"  # folder of them, and how the names of the others begin
AUTHORS_SCALES = ((1.0, 2.0), (2.0, 1.0), (2.0, 2.0))  # (height, width)


def other_sizes(model: Any, request: SizedRequest) -> list[tuple[str, Size]]:
    """Folder name and size (h, w) of each further output size, no two of one name.

    Raises:
        UserError: a size is too small or too large.
    """
    height, width = model.sizes[-1]
    scales = _scales(request) or (() if request.sizes else AUTHORS_SCALES)
    named: list[tuple[str, Size]] = [
        (
            f"{SAMPLE_FOLDER}_scale_h_{_number(h)}_scale_w_{_number(w)}",
            ScaledSize((_times(height, h), _times(width, w)), (h, w)),
        )
        for h, w in scales
    ]
    named += [(f"{SAMPLE_FOLDER}_{w}x{h}", (h, w)) for h, w in request.sizes]
    least_h, least_w = model.least_size
    for _, (h, w) in named:
        if h < least_h or w < least_w:
            raise UserError(
                f"The output size {w}x{h} (WxH) is too small for this model; "
                f"use {least_w}x{least_h} or more."
            )
        most = MOST_UNROLLED if unrolled(model, (h, w)) else PIXEL_LIMIT
        if h * w > most:
            raise UserError(
                f"The output size {w}x{h} (WxH) is too large; "
                f"stay below {most // 1_000_000} million pixels{_else(model)}."
            )
    return list(dict(named).items())


def _else(model: Any) -> str:
    """What a larger output size would need of the training, where that is known."""
    return f", or take {LARGER}" if sketched_of(model) else ""


def unrolled(model: Any, size: Size | None) -> bool:
    """Whether samples of `size` (h, w) are written strip by strip, as they are made."""
    return isinstance(model, Unrolls) and model.unrolls(size)


def at_a_time(model: Any, size: Size | None, count: int) -> int:
    """Of `count` samples, those that are made together where nobody says how many.

    As many as suit the device; fewer where memory is short, as on a GPU that others share.
    """
    step: int = max(1, min(model.at_a_time(size), count))
    device = model.device
    if isinstance(model, Foresees):
        while step > 1 and not fits(model.picture_memory(size, step), device):
            step = (step + 1) // 2
    return step


def refuse_too_large(model: Any, size: Size | None, pictures: int, in_strips: bool = False) -> None:
    """Refuse to make so many pictures of `size` (h, w) at a time where memory is too small.

    Args:
        model: that makes them.
        size: (h, w) in px; None is the training size.
        pictures: made at a time.
        in_strips: they are written as they are made, one after the other, see `unrolled`.

    Raises:
        UserError: it is; the sentence says how much is missing.
    """
    (height, width), device = size or model.sizes[-1], model.device
    less = "a smaller --batch_size or --size" if pictures > 1 else "a smaller --size"
    needed = model.strip_memory(size) if in_strips else None
    if isinstance(model, Foresees) and not in_strips:
        needed = model.picture_memory(size, pictures)
    if needed is not None:
        refuse_beyond_free(needed, device, f"Pictures of {width}x{height}", less)


def refuse_too_large_film(model: Any, size: Size | None) -> None:
    """The same of a film.

    Raises:
        UserError: memory is too small for it.
    """
    (height, width), device = size or model.sizes[-1], model.device
    if isinstance(model, Foresees):
        needed, what = model.frame_memory(size), f"Films of {width}x{height}"
        refuse_beyond_free(needed, device, what, "a smaller --size")


def _scales(request: SizedRequest) -> list[tuple[float, float]]:
    """Factors (height, width)."""
    widths, heights = request.scale_w, request.scale_h
    pairs = max(len(widths), len(heights))
    if len(widths) not in (0, pairs) or len(heights) not in (0, pairs):
        raise UserError("--scale_w and --scale_h go in pairs; give as many of one as of the other.")
    ones = (1.0,) * pairs
    return list(zip(heights or ones, widths or ones, strict=True))


def _times(length: int, factor: float) -> int:
    """A length in px, which no factor makes infinite."""
    return round(min(length * factor, 2.0 * MOST_UNROLLED))


def _number(value: float) -> str:
    """2.0 as "2", 1.5 as "1.5": the authors' names have whole numbers."""
    return f"{value:g}"


def start_stages(model: Any, typed: Any) -> list[int]:
    """Start stages as numbers that the model has, each once; "all" is every one.

    Raises:
        UserError: the model does not have one of them.
    """
    stages = list(model.starts) if "all" in typed else list(dict.fromkeys(typed))
    for stage in stages:
        model.check_start(stage)
    return stages
