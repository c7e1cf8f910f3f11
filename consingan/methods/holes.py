"""The picture and its hole as a run keeps them, at the picture's own size."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.hole import WORDS, emptied, emptied_by_1_2, hole_at
from consingan.images.resize import resize, training_scale
from consingan.methods.contract import Inputs, Size

Smooth = Callable[[Tensor, Tensor], Tensor]
RULES: tuple[Smooth, ...] = (emptied, emptied_by_1_2)
WHOLE, HOLE = "whole", "hole"


@dataclass(frozen=True)
class Holed:
    """A picture with a hole, on the CPU.

    Attributes:
        picture: (1, 3, H, W) in [-1, 1] at its own size; in the hole what is around it.
        hole: (1, 1, H, W), 1 inside, 0 where the picture is known.
        smooth: how the release that the run is of fills a hole.
    """

    picture: Tensor
    hole: Tensor
    smooth: Smooth = emptied

    def at(self, size: Size) -> Tensor:
        """The hole at (h, w): every pixel that has a part of it."""
        return hole_at(self.hole, size)

    def tensors(self) -> dict[str, Tensor]:
        """For a file; `holed_from` is the inverse. Pictures of 8 bit take a byte a number."""
        levels = _levels(self.picture)
        same = torch.equal(_of_file(levels, self.hole).picture, self.picture)
        return {WHOLE: levels if same else self.picture, HOLE: self.hole.to(torch.uint8)}


def known(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """What trainings around a hole have in common if they are of the same picture and hole.

    What lies in the hole is made, by each release in its way, and so are the smaller images of it.

    Args:
        tensors: images of any training; without a hole they are themselves returned.

    Raises:
        RuntimeError: it is no picture with a hole.
    """
    kept = _kept(tensors)
    if kept is None:
        return tensors
    whole, hole = kept
    return {WHOLE: torch.where(hole > 0, 0, _numbers(whole)), HOLE: hole}


def _levels(picture: Tensor) -> Tensor:
    return ((picture.double() + 1) * 127.5).round().to(torch.uint8)


def _numbers(stored: Tensor) -> Tensor:
    """A file's picture in [-1, 1]; in the hole perhaps rounded."""
    if stored.dtype == torch.uint8:
        return (stored.double() / 255 * 2 - 1).float()
    return stored.float().clamp(-1, 1)


def _of_file(stored: Tensor, hole: Tensor) -> Holed:
    """What a file's numbers stand for; the rule is the one that comes nearest to what it wrote.

    A byte of the hole is a rounded number, so that it is made anew.
    """
    eight, picture = stored.dtype == torch.uint8, _numbers(stored)
    found = [Holed(rule(picture, hole).clamp(-1, 1), hole, rule) for rule in RULES]
    nearest = min(found, key=lambda one: _apart(one.picture, stored if eight else picture))
    return nearest if eight else dataclasses.replace(nearest, picture=picture)


def _apart(picture: Tensor, written: Tensor) -> float:
    """How far a picture is from what a file has of it."""
    if written.dtype == torch.uint8:
        return float((_levels(picture).int() - written.int()).abs().sum())
    return float((picture - written).abs().sum())


def holed(inputs: Inputs) -> Holed:
    """What the user gave.

    Raises:
        UserError: there is no mask.
    """
    if inputs.mask is None:
        raise UserError(f"--mask is missing: {WORDS}.")
    hole = inputs.mask.cpu()
    return Holed(emptied(inputs.image.cpu(), hole).clamp(-1, 1), hole)


def holed_from(tensors: Mapping[str, Tensor]) -> Holed | None:
    """The picture that `Holed.tensors` came from; None where there is none.

    Raises:
        RuntimeError: it is no picture with a hole.
    """
    kept = _kept(tensors)
    return None if kept is None else _of_file(*kept)


def _kept(tensors: Mapping[str, Tensor]) -> tuple[Tensor, Tensor] | None:
    """The picture, as its file has it, and the hole; None where there is none.

    Raises:
        RuntimeError: it is no picture with a hole.
    """
    if HOLE not in tensors:
        return None
    whole, hole = tensors[WHOLE].cpu(), tensors[HOLE].cpu().float()
    fits = whole.dim() == 4 and hole.shape == whole[:, :1].shape and whole.shape[:2] == (1, 3)
    if not fits or not bool(((hole == 0) | (hole == 1)).all()):
        raise RuntimeError(f"hole has the shape {tuple(hole.shape)}, or is not 0 and 1")
    return whole, hole


def at_training_size(image: Tensor, max_size: int) -> Tensor:
    """The picture (1, 3, H, W) as it is trained on."""
    scale = training_scale((image.shape[-2], image.shape[-1]), max_size)
    return resize(image, scale).clamp(-1, 1) if scale < 1 else image
