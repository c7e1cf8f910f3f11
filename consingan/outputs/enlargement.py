"""The training picture enlarged, with detail of its own kind (super-resolution)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from consingan.errors import UserError
from consingan.images.deep import write_as
from consingan.images.io import read_picture, unit
from consingan.images.names import shown
from consingan.images.picture import Picture, gray_as
from consingan.images.raster import PIXEL_LIMIT
from consingan.images.resize import resize_to, same_shape
from consingan.machine.memory import free_memory
from consingan.methods.contract import Enlarges
from consingan.metrics.reconstruction import Reconstruction, reconstruction_quality
from consingan.outputs.contract import Say
from consingan.outputs.requests import EnlargementRequest
from consingan.outputs.truth import doubts, truth_of

OUTPUT = "enlargement"
BYTES_PER_PIXEL = 150  # of the result: it, its noise, both bytes and floats of the step before
HELD = 250  # the same of one that is held to a truth: three pictures and what SSIM takes
SMALLER = 0.95  # sides of a truth below it are; above it, rounded ones


@dataclass(frozen=True)
class Enlargement:
    """The enlarged picture and, beside it, plain bicubic: (1, 3, H, W) in [-1, 1] on the CPU.

    Attributes:
        truth: the large original, brought to that size, if there is one.
        scores: how near the two are to it, in that order; () without one.
    """

    picture: Tensor
    bicubic: Tensor
    truth: Tensor | None = None
    scores: Sequence[Reconstruction] = ()

    @property
    def pictures(self) -> Sequence[Tensor]:
        """The enlarged picture alone."""
        return [self.picture]


@dataclass(frozen=True)
class EnlargementWork:
    """A picture that is to be enlarged."""

    model: Any
    request: EnlargementRequest
    truth: Picture | None = None

    @property
    def inputs(self) -> Mapping[str, Path]:
        """See `contract.FromPictures`."""
        return truth_of(self.request)

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
        return made if self.truth is None else _held(made, self.truth, say)


def begin(model: Any, request: EnlargementRequest) -> EnlargementWork:
    """Look whether the result can be held, see `contract.OutputCode`.

    Raises:
        UserError: it is too large, the model does not enlarge, or the truth cannot be used.
    """
    if not request.truth:
        check(model)
        return EnlargementWork(model, request)
    check(model, HELD, ", or leave out --truth")
    truth = read_picture(request.truth, model.config.reading)
    own, size = truth.size, model.enlarged_size
    if not same_shape(own, size):
        raise UserError(
            f"--truth {shown(request.truth)} is {own[1]}x{own[0]}, of another shape than the "
            f"enlarged picture ({size[1]}x{size[0]}); name the original of the training image."
        )
    return EnlargementWork(model, request, truth)


def _held(made: Enlargement, read: Picture, say: Say) -> Enlargement:
    """The same with how near both pictures are to the truth, brought to their size."""
    own, size = read.size, made.picture.shape[-2:]
    brought = "" if own == size else f", brought from {own[1]}x{own[0]} to {size[1]}x{size[0]} px"
    truth = resize_to(read.image, (size[0], size[1])).clamp(-1, 1)
    for note in (*read.notes, *doubts(truth, made.bicubic)):
        say(f"Note: {note}")
    pictures = (made.picture, made.bicubic)
    scores = [reconstruction_quality(unit(truth), unit(picture)) for picture in pictures]
    said = [f"PSNR {score.psnr:.1f} dB, SSIM {score.ssim:.2f}" for score in scores]
    say(f"against the truth{brought}: {said[0]}; bicubic: {said[1]}")
    if max(own) < SMALLER * max(size):
        say("Note: the truth is smaller than the result; enlarged by bicubic, it favors bicubic.")
    return replace(made, truth=truth, scores=scores)


def check(model: Any, per_pixel: int = BYTES_PER_PIXEL, otherwise: str = "") -> None:
    """Look whether the result can be held.

    Args:
        model: that enlarges.
        per_pixel: bytes that each pixel of the result takes.
        otherwise: what else the user can do where that is too much.

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
    needed, free = height * width * per_pixel, free_memory(model.device)
    if free is not None and needed > free:
        raise UserError(
            f"The enlarged picture, {width}x{height} (WxH), needs about {needed / 2**30:.1f} GiB "
            f"and {free / 2**30:.1f} GiB are free; use a smaller --sr_factor or --max_size"
            f"{otherwise}."
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
