"""What finishes samples: the image as a model that needs no training, with patches that suit.

Larger patches carry long thin things whole: trunks, masts, edges. But where a picture has one of
each thing they find no second place for it, and all samples become the picture. So a model's own
samples decide, at the coarsest scale of a finish, where it is settled what lies where.
"""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor

from consingan.images.io import unit
from consingan.images.resize import resize_to
from consingan.machine.execution import Execution
from consingan.machine.progress import tracked
from consingan.methods.contract import Finishes
from consingan.methods.registry import METHODS, UNTRAINED
from consingan.settings.tiles import TILES

LARGER = (13, 11)  # px, in the order in which they are tried
KEPT = 0.9  # of the variety that the usual patches leave
LAYOUTS = 8  # samples that are compared
LEVEL = 0.625  # at which all are, so that a model has one choice
SEEN = 64  # px of the shorter side at which they are: a large picture takes no longer
LONGEST = 4  # times that the longer side: time grows with its square

_chosen: dict[int, int | None] = {}


def untrained(real: Tensor, **settings: Any) -> Any:
    """A model of the image (1, C, h, w) in [-1, 1] that needs no training, where the image lies."""
    method = METHODS[UNTRAINED]
    execution = Execution(torch.device(real.device))
    return method.load().restore(method.config(**settings), {"real.0": real}, execution)


def finisher_of(model: Any, patch: int | None = None, real: Tensor | None = None) -> Finishes:
    """What finishes a model's samples.

    Args:
        model: that makes them.
        patch: side of the patches in px; None: the usual one.
        real: the image they are taken from, (1, C, h, w) in [-1, 1]; None: the model's.
    """
    settings = {**METHODS[UNTRAINED].finishing, **({"patch": patch} if patch else {})}
    image = model.real if real is None else real
    finisher: Finishes = untrained(image, tile=tile_of(model.config.wraps), **settings)
    return finisher


def patch_for(model: Any) -> int | None:
    """Side in px of the largest patches that leave a model's samples their variety.

    None: the usual ones. A model chooses once, when it is first asked, in some 2 CPU
    seconds beside what eight samples take. One that learned nothing does not: no choice of
    such a one was measured, and its samples are what takes its time.
    """
    key = id(model)
    if key not in _chosen:
        _chosen[key] = _choice(model)
        weakref.finalize(model, _chosen.pop, key, None)
    return _chosen[key]


@torch.no_grad()
def _choice(model: Any) -> int | None:
    share = min(1.0, SEEN / min(model.sizes[-1]))  # of both: samples may be as large as crops
    real = _seen(model.real, share)
    larger = [patch for patch in LARGER if patch <= min(real.shape[-2:])]
    if not larger or not model.stages:
        return None
    indices = tracked(range(LAYOUTS), LAYOUTS, "choosing patches")
    samples = (model.sample([index], None, 0).to(real) for index in indices)
    layouts = [_seen(sample, share) for sample in samples]
    usual = _variety(finisher_of(model, None, real), layouts)
    for patch in larger:
        if _variety(finisher_of(model, patch, real), layouts) >= KEPT * usual:
            return patch
    return None


def _variety(finisher: Finishes, layouts: list[Tensor]) -> float:
    """By how much gray levels vary in what becomes of samples, the mean over the pixels."""
    made = torch.cat([finisher.begun(own, LEVEL, 0, n) for n, own in enumerate(layouts)])
    return float(unit(made).mean(1).std(0, unbiased=False).mean())


def _seen(picture: Tensor, share: float) -> Tensor:
    height, width = (round(share * side) for side in picture.shape[-2:])
    most = LONGEST * min(height, width)
    return resize_to(picture, (height, width)).clamp(-1, 1)[..., :most, :most]


def usual_patch() -> int:
    """Side in px of the patches where a model has not chosen others."""
    return int(METHODS[UNTRAINED].finishing["patch"])


def tile_of(wraps: tuple[bool, bool]) -> str:
    """The word of `--tile` for ends that meet."""
    return next(word for word, ends in TILES.items() if ends == wraps)
