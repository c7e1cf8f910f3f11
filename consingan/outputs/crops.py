"""Samples of a model that learned crops, beside real crops, in pictures and numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from consingan.images.io import unit
from consingan.images.picture import gray_as
from consingan.images.sheets import labelled
from consingan.machine.progress import tracked
from consingan.metrics.swd import pooled_distance
from consingan.outputs.sizes import at_a_time

NAME = "crops_beside_samples"
COUNT = 64  # of each set: as few crops already have all of a small image's patches
SHOWN = 16
FINISHED = "{} samples are finished, too, to be compared with crops of the image."


@dataclass(frozen=True)
class BesideCrops:
    """How far samples are from real crops.

    Attributes:
        crops: of the training image, (n, 3, h, w) in [-1, 1].
        samples: likewise.
        distance: of the patches of all samples to those of all crops, see `swd.pooled_distance`.
        between_crops: the same of two sets of crops, which nothing can beat but by chance.
    """

    crops: Tensor
    samples: Tensor
    distance: float
    between_crops: float

    def to_json(self) -> dict[str, Any]:
        """The figures."""
        return {"swd_to_crops": self.distance, "swd_between_crops": self.between_crops}

    @property
    def in_words(self) -> str:
        """The figures in a sentence."""
        return (
            f"{len(self.samples)} samples against {len(self.crops)} crops of the image: SWD "
            f"{self.distance:.1f}; two sets of crops: {self.between_crops:.1f}"
        )


def beside_crops(
    model: Any, seed: int, finish: Callable[[Tensor, int], Tensor] | None = None
) -> BesideCrops:
    """Compare a model's samples with what it learned, see `contract.Crops` and `Samples`.

    Args:
        model: that makes them.
        seed: of both.
        finish: of each sample, see `finish.Finish`; None: they are as the model makes them.
    """
    crops = model.crops(2 * COUNT, seed)
    step = at_a_time(model, None, COUNT)
    parts = [
        model.sample(range(first, min(first + step, COUNT)), None, seed)
        for first in range(0, COUNT, step)
    ]
    samples, (first, second) = gray_as(model.real.cpu(), torch.cat(parts)), crops.split(COUNT)
    if finish is not None:
        finished = map(finish, samples.split(1), range(COUNT))
        samples = torch.cat(list(tracked(finished, COUNT, "finishing samples")))
    return BesideCrops(
        first,
        samples,
        pooled_distance(unit(first), unit(samples)),
        pooled_distance(unit(first), unit(second)),
    )


def crops_sheet(found: BesideCrops) -> Any:
    """A row of crops above each row of samples."""
    half, rows, labels = SHOWN // 2, list[Tensor](), list[str]()
    for start in range(0, min(SHOWN, len(found.crops)), half):
        for word, pictures in (("crop", found.crops), ("sample", found.samples)):
            row = pictures[start : start + half].split(1)
            rows += row
            labels += [f"{word} {start + k}" for k in range(len(row))]
    return labelled(rows, labels, min(half, len(found.crops)))
