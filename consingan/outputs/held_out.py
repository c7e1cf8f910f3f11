"""Whether a model learned a pair by heart: its A and B bent as no training bent them.

The warps are thin-plate splines (3x3 points, moved by up to a tenth of the sides) of numpy's
RandomState(1000..1007). What the model makes of a bent A is held to B under the same warp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from consingan.images.io import unit
from consingan.images.warp import POINTS, warp_of, warped
from consingan.methods.contract import Translates
from consingan.metrics.reconstruction import reconstruction_quality
from consingan.metrics.swd import sliced_wasserstein

SEEDS = range(1000, 1008)


@dataclass(frozen=True)
class Agreement:
    """How near results are to the true B; means over pictures.

    Attributes:
        l1: mean difference, pictures in [0, 1].
        ssim: structural similarity, 1 at best.
        swd: distance of the patch distributions, times 1000.
    """

    l1: float
    ssim: float
    swd: float


@dataclass(frozen=True)
class HeldOut:
    """The test's outcome.

    Attributes:
        bent: of pairs that were bent anew.
        trained: of the pair as it is.
        pictures: of each warp A, B and what was made of A, (1, 3, h, w) in [-1, 1] each.
    """

    bent: Agreement
    trained: Agreement
    pictures: Sequence[tuple[Tensor, Tensor, Tensor]]

    def to_json(self) -> dict[str, Any]:
        """The figures."""
        return {"held_out": asdict(self.bent), "training_pair": asdict(self.trained)}


def held_out(model: Translates, image: Tensor) -> HeldOut:
    """Put a model to the test.

    Args:
        model: with the A of its training.
        image: B, (1, 3, h, w) in [-1, 1].
    """
    condition, image = model.condition.cpu(), image.cpu()
    size = (image.shape[-2], image.shape[-1])
    triples = []
    for seed in SEEDS:
        moves = np.random.RandomState(seed).uniform(-1, 1, (POINTS**2, 2))
        read = warp_of(torch.from_numpy(moves), size)
        bent = warped(condition, read, model.labels)
        triples.append((bent, warped(image, read), model.render(bent)[:1]))
    as_it_is = agreement(image, model.render(condition)[:1])
    found = [agreement(true, made) for _, true, made in triples]
    return HeldOut(_mean(found), as_it_is, triples)


def agreement(true: Tensor, made: Tensor) -> Agreement:
    """Of two pictures, (1, 3, h, w) in [-1, 1]."""
    a, b = unit(true), unit(made)
    return Agreement(
        l1=float((a - b).abs().mean()),
        ssim=reconstruction_quality(a, b).ssim,
        swd=float(sliced_wasserstein(a, b)),
    )


def _mean(found: Sequence[Agreement]) -> Agreement:
    values = np.mean([(a.l1, a.ssim, a.swd) for a in found], axis=0)
    return Agreement(*(float(value) for value in values))
