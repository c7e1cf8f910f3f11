"""What a model gives back of its training image, as files and pages have it."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from consingan.images.picture import gray_as


def reconstruction(model: Any) -> Tensor:
    """(1, C, h, w) in [-1, 1] on the CPU, of a gray image gray; see `contract.Reconstructs`."""
    return gray_as(model.real.cpu(), model.reconstruction().cpu())
