"""Samples made anew of the image's own patches: what a model laid out, as sharp as the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.memory import refuse_beyond_free
from consingan.methods.contract import Finishes, Size, Sketches
from consingan.methods.registry import method_of
from consingan.outputs.finisher import finisher_of, patch_for
from consingan.settings.config import UNASKED

SAID = "Samples are finished with the image's own patches ({}, as in training)"
UNFINISHED = "; --finish 0 leaves them as the model makes them"
ROUGH = (
    "Samples are blurred without a finish: this run was trained for their layout alone (--layout); "
    "--layout 0 trains all of it."
)
LARGER = "a run trained with --layout 0, whose large samples are written in strips"
LARGE = "Large samples are written as the model makes them; {} finishes them, too."
SMALL = (
    "Samples of {}x{} px (WxH) are written as the model makes them: a finish takes patches of {} "
    "px of the image."
)


class Degree(NamedTuple):
    """How samples are finished.

    Attributes:
        level: how much is made anew, 0 (nothing) to 1.
        within: how far that may lead, 0: anywhere.
        patch: side of the patches in px; None: as the model chooses.
    """

    level: float = 0.0
    within: float = 0.0
    patch: int | None = None

    def is_of(self, finish: Finish | None) -> bool:
        """Whether a finish does this; releases before 1.18 did not note the patches."""
        if finish is None:
            return self.level == 0
        same = (self.level, self.within) == (finish.level, finish.within)
        return same and self.patch in (None, finish.patch)


@dataclass(frozen=True)
class Finish:
    """Finishes the samples of one model.

    Attributes:
        model: that makes them.
        size: (h, w) of the samples.
        level: how much is made anew, above 0 to 1.
        within: how far from a sample that may lead, see `Finishes`; 0: anywhere.
        seed: of the samples.
        typed: side of the patches in px; None: as the model chooses.
    """

    model: Any
    size: Size
    level: float
    within: float
    seed: int
    typed: int | None = None

    @cached_property
    def patch(self) -> int:
        """Side of the patches in px."""
        return self._finisher.least_size[0]

    @cached_property
    def _finisher(self) -> Finishes:
        """With patches as the model has chosen, with the usual ones where those do not fit in."""
        finisher = finisher_of(self.model, self.typed or patch_for(self.model))
        return finisher_of(self.model) if _is_small(self.model, self.size, finisher) else finisher

    def __call__(self, sample: Tensor, index: int) -> Tensor:
        """Sample `index`, (1, C, h, w) in [-1, 1], finished, on the CPU."""
        return self._finisher.finish(sample, self.level, self.seed, index, self.within)


def flags(level: float, within: float, patch: int | None = None) -> str:
    """A finish as one types it."""
    limit = f" --finish_within {within:g}" if within else ""
    return f"--finish {level:g}{limit}" + (f" --finish_patch {patch}" if patch else "")


def finish_of(
    model: Any,
    level: float | None,
    seed: int,
    size: Size | None = None,
    within: float | None = None,
    patch: int | None = None,
) -> Finish | None:
    """The finish of a model's samples; None where there is to be none.

    Args:
        model: that makes them.
        level: 0 to 1; None: what the model was trained with says, but see `left_out`.
        seed: of the samples.
        size: (h, w) in px, by default the training size.
        within: how far from a sample it may lead, 0: anywhere; None: as far as in training, but
            anywhere where the level is not training's.
        patch: side of the patches in px, odd; None: as the model chooses.

    Raises:
        UserError: it cannot be had for this model, or takes more memory than is free.
    """
    if patch and patch % 2 == 0:
        raise UserError(f"--finish_patch {patch} must be odd, for example {patch + 1}.")
    size = size or model.sizes[-1]
    if within is None:
        within = model.config.finished_within if level is None else 0.0
    if level is None:
        level = 0.0 if left_out(model, level, size) else model.config.finished
    if not level:
        return None
    if "mask" in method_of(model.config.method).pictures(model.config):
        raise UserError(
            "--finish takes patches of the whole image, of what --mask left out, too; use --finish "
            "0 for this run."
        )
    finisher, device = finisher_of(model, patch), torch.device(model.device)
    if _is_small(model, size, finisher):
        raise UserError(
            f"--finish takes patches of {finisher.least_size[0]} px, and samples of "
            f"{size[1]}x{size[0]} px (WxH) or the image are smaller; use "
            f"{'a smaller --finish_patch' if patch else '--finish 0'} or a larger --size."
        )
    needed, less = f"Finished pictures of {size[1]}x{size[0]}", "a smaller --size or --finish 0"
    if sketched_of(model):
        less = f"a smaller --size, --finish 0 (blurred), or {LARGER}"
    refuse_beyond_free(finisher.memory(size), device, needed, less)
    return Finish(model, size, level, within, seed, patch)


def announced(model: Any, sizes: Sequence[Size | None], within: float | None) -> Iterator[str]:
    """Whether samples are finished, and which are not, where nobody asked for either.

    Args:
        model: that makes them.
        sizes: (h, w) of all, None: the training size.
        within: as `finish_of` takes it.
    """
    config = model.config
    if not config.finished:
        return
    left = [left_out(model, None, size) for size in sizes]
    if not all(left):
        told = flags(config.finished, config.finished_within if within is None else within)
        yield SAID.format(told) + ("." if sketched_of(model) else f"{UNFINISHED}.")
    yield from dict.fromkeys(filter(None, left))


def sketched_of(model: Any) -> Size | None:
    """(h, w) in px, reduced to which a model's own pictures are right; None: as they are."""
    return model.sketched if isinstance(model, Sketches) else None


def left_out(model: Any, level: float | None, size: Size | None) -> str:
    """Why samples of `size` (h, w) are not finished although the model's are; "" if they are.

    Large ones are written as they are made and need little memory then, but for those of a model
    that was trained to be finished; small ones have no patch.
    """
    if level is not None or not model.config.finished:
        return ""
    size = size or model.sizes[-1]
    pixels = sum(h * w for h, w in (size, model.sizes[-1]))
    if pixels > UNASKED and not sketched_of(model):
        return LARGE.format(flags(model.config.finished, model.config.finished_within))
    finisher = finisher_of(model)
    if _is_small(model, size, finisher):
        return SMALL.format(size[1], size[0], finisher.least_size[0])
    return ""


def _is_small(model: Any, size: Size, finisher: Finishes) -> bool:
    """Whether samples of `size` (h, w), or the image, are smaller than a patch."""
    real: Tensor = model.real
    height, width = min(size[0], real.shape[-2]), min(size[1], real.shape[-1])
    return height < finisher.least_size[0] or width < finisher.least_size[1]
