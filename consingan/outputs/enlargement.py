"""The training picture enlarged, with detail of its own kind (super-resolution)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from consingan.errors import UserError
from consingan.images.deep import write_as
from consingan.images.picture import gray_as
from consingan.images.raster import PIXEL_LIMIT
from consingan.images.resize import resize_to
from consingan.machine.memory import free_memory
from consingan.methods.contract import Enlarges
from consingan.outputs.contract import Say
from consingan.outputs.requests import EnlargementRequest

OUTPUT = "enlargement"
BYTES_PER_PIXEL = 150  # of the result: it, its noise, both bytes and floats of the step before


@dataclass(frozen=True)
class Enlargement:
    """The enlarged picture and, beside it, plain bicubic: (1, 3, H, W) in [-1, 1] on the CPU."""

    picture: Tensor
    bicubic: Tensor

    @property
    def pictures(self) -> Sequence[Tensor]:
        """The enlarged picture alone."""
        return [self.picture]


@dataclass(frozen=True)
class EnlargementWork:
    """A picture that is to be enlarged."""

    model: Any
    request: EnlargementRequest

    def idle(self) -> Iterator[tuple[str, str]]:
        """Every option counts."""
        yield from ()

    def write(self, folder: Path, say: Say) -> Enlargement:
        """Write the enlarged picture and the bicubic one."""
        made = enlarge(self.model, self.request.seed)
        size = (made.picture.shape[-2], made.picture.shape[-1])
        for name, image in (("enlarged", made.picture), ("bicubic", made.bicubic)):
            path = write_as(folder / name, image, self.request.image_format)
            say(f"{size[1]}x{size[0]} px: {path}")
        return made


def begin(model: Any, request: EnlargementRequest) -> EnlargementWork:
    """Look whether the result can be held, see `contract.OutputCode`.

    Raises:
        UserError: it is too large, or the model does not enlarge.
    """
    check(model)
    return EnlargementWork(model, request)


def check(model: Any) -> None:
    """Look whether the result can be held.

    Raises:
        UserError: it is too large, or the model was trained for something else.
    """
    if not (isinstance(model, Enlarges) and model.task.output == OUTPUT):
        raise UserError("This model enlarges nothing; train one for super-resolution.")
    height, width = model.enlarged_size
    if height * width > PIXEL_LIMIT:
        raise UserError(
            f"The enlarged picture has {width}x{height} (WxH) pixels; stay below "
            f"{PIXEL_LIMIT // 1_000_000} million with a smaller --sr_factor or --max_size."
        )
    needed, free = height * width * BYTES_PER_PIXEL, free_memory(model.device)
    if free is not None and needed > free:
        raise UserError(
            f"The enlarged picture, {width}x{height} (WxH), needs about {needed / 2**30:.1f} GiB "
            f"and {free / 2**30:.1f} GiB are free; use a smaller --sr_factor or --max_size."
        )


def enlarge(model: Enlarges, seed: int) -> Enlargement:
    """The training image enlarged, a gray one gray, beside bicubic; `check` comes first."""
    real, picture = model.real.cpu(), model.enlarge(seed)
    size = (picture.shape[-2], picture.shape[-1])
    bicubic = resize_to(real, size).clamp(-1, 1)
    return Enlargement(gray_as(real, picture), gray_as(real, bicubic))


def preview(model: Any, naive: Tensor | None) -> list[Tensor]:  # noqa: ARG001
    """Nothing beside what a model in training gives back."""
    return []
