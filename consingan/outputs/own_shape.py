"""In which shape and at which size a picture of the user's own is worked on."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from consingan.images.fit import beside
from consingan.methods.contract import Size, Task

AS_IT_IS = "stretch"  # of `fit_naive`, which leaves a picture its shape then


def fit_for(task: Task, fit: str) -> str:
    """How a picture is brought to the training image's shape: not at all where it keeps its own."""
    return AS_IT_IS if task.own_shape else fit


def size_for(model: Any, own: Tensor) -> Size:
    """(h, w) px of what becomes of a picture (1, C, H, W), as `model` makes it."""
    size: Size = model.sizes[-1]
    return beside((own.shape[-2], own.shape[-1]), size) if model.task.own_shape else size
