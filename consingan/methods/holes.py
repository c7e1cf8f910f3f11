"""The picture and its hole as a run keeps them, at the picture's own size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.hole import WORDS, emptied, hole_at
from consingan.images.resize import resize, training_scale
from consingan.methods.contract import Inputs

Size = tuple[int, int]
WHOLE, HOLE = "whole", "hole"


@dataclass(frozen=True)
class Holed:
    """A picture with a hole, on the CPU.

    Attributes:
        picture: (1, 3, H, W) in [-1, 1] at its own size; in the hole what is around it.
        hole: (1, 1, H, W), 1 inside, 0 where the picture is known.
    """

    picture: Tensor
    hole: Tensor

    def at(self, size: Size) -> Tensor:
        """The hole at (h, w): every pixel that has a part of it."""
        return hole_at(self.hole, size)

    def tensors(self) -> dict[str, Tensor]:
        """For a file; `holed_from` is the inverse. Pictures of 8 bit take a byte a number."""
        levels = ((self.picture.double() + 1) * 127.5).round().to(torch.uint8)
        same = torch.equal(_empty(_pictured(levels), self.hole), self.picture)
        return {WHOLE: levels if same else self.picture, HOLE: self.hole.to(torch.uint8)}


def _pictured(levels: Tensor) -> Tensor:
    return (levels.double() / 255 * 2 - 1).float()


def _empty(picture: Tensor, hole: Tensor) -> Tensor:
    return emptied(picture, hole).clamp(-1, 1)


def holed(inputs: Inputs) -> Holed:
    """What the user gave.

    Raises:
        UserError: there is no mask.
    """
    if inputs.mask is None:
        raise UserError(f"--mask is missing: {WORDS}.")
    hole = inputs.mask.cpu()
    return Holed(_empty(inputs.image.cpu(), hole), hole)


def holed_from(tensors: Mapping[str, Tensor]) -> Holed | None:
    """The picture that `Holed.tensors` came from; None where there is none.

    Raises:
        RuntimeError: it is no picture with a hole.
    """
    if HOLE not in tensors:
        return None
    whole, hole = tensors[WHOLE].cpu(), tensors[HOLE].cpu().float()
    fits = whole.dim() == 4 and hole.shape == whole[:, :1].shape and whole.shape[:2] == (1, 3)
    if not fits or not bool(((hole == 0) | (hole == 1)).all()):
        raise RuntimeError(f"hole has the shape {tuple(hole.shape)}, or is not 0 and 1")
    picture = _pictured(whole) if whole.dtype == torch.uint8 else whole.float()
    return Holed(_empty(picture, hole), hole)


def at_training_size(image: Tensor, max_size: int) -> Tensor:
    """The picture (1, 3, H, W) as it is trained on."""
    scale = training_scale((image.shape[-2], image.shape[-1]), max_size)
    return resize(image, scale).clamp(-1, 1) if scale < 1 else image
