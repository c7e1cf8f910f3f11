"""What a caller gives: numbers of numpy and torch, paths, devices; or a refusal in a sentence."""

from __future__ import annotations

import operator
import os
from numbers import Integral, Real
from pathlib import Path
from typing import Any, SupportsIndex, TypeAlias

import torch

from consingan.errors import UserError
from consingan.images.raster import PIXEL_LIMIT
from consingan.machine.files import at_home

Size = tuple[int, int]
GivenSize = SupportsIndex | Size  # a square, or (height, width)
GivenDevice: TypeAlias = "str | int | torch.device | None"


def whole(name: str, value: SupportsIndex, least: int | None = None) -> int:
    """A whole number of any library as Python's own: streams tell one kind from another.

    Raises:
        UserError: it is none, or below the least.
    """
    number = _index(value)
    if number is None or (least is not None and number < least):
        bound = "" if least is None else f", {least} or more"
        raise UserError(f"{name}={value!r} must be a whole number{bound}.")
    return number


def path_of(given: str | os.PathLike[str]) -> Path:
    """A path as it was given, "~/" being the user's folder.

    Raises:
        UserError: it is none.
    """
    if not isinstance(given, (str, os.PathLike)) or given == "":
        raise UserError(f"{given!r} is no path; give one as text or as a pathlib.Path.")
    return Path(at_home(os.fspath(given)))


def share(name: str, value: float) -> float:
    """A number from 0 to 1.

    Raises:
        UserError: it is none.
    """
    if not (isinstance(value, Real) and 0 <= value <= 1):  # NaN, too
        raise UserError(f"{name}={value!r} must be 0 to 1.")
    return float(value)


def sides(size: GivenSize | None) -> Size | None:
    """(height, width) in px; one number is a square.

    Raises:
        UserError: it is no size, or too large.
    """
    if size is None:
        return None
    side = _index(size)
    found = _listed(size) if side is None else [side, side]
    usable = [side for side in found if side is not None and side > 0]
    if len(found) != 2 or len(usable) != 2:
        raise UserError(f"size={size!r} must be (height, width) in px, both positive.")
    height, width = usable
    if height * width > PIXEL_LIMIT:
        raise UserError(
            f"size={size} is too large; stay below {PIXEL_LIMIT // 1_000_000} million pixels."
        )
    return height, width


def _index(value: Any) -> int | None:
    """A number as Python's own; None for what is no whole one."""
    try:
        return int(operator.index(value))
    except TypeError:
        return None


def _listed(size: Any) -> list[int | None]:
    """The numbers of what has an order: a text and a set are no size."""
    if isinstance(size, (str, bytes)) or not hasattr(size, "__getitem__"):
        return []
    try:
        return [_index(side) for side in size]
    except TypeError:  # an array of no dimension
        return []


def device_name(device: GivenDevice) -> str:
    """A device as the settings name it: "cpu", "cuda:1", "auto"; a number is that of a GPU.

    Raises:
        UserError: it is none of these.
    """
    if isinstance(device, torch.device):
        return "cpu" if device.type == "cpu" else str(device)
    if isinstance(device, Integral) and not isinstance(device, bool) and device >= 0:
        return f"cuda:{device}"  # as torch itself takes it
    if device is not None and not isinstance(device, str):
        raise UserError(
            f"device={device!r} is unknown; use auto, cpu, cuda, cuda:N, mps or a torch.device."
        )
    return device or "auto"
