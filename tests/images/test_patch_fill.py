"""A fill gone over with patches: where there is nothing to do, and on what device it is done."""

from __future__ import annotations

import pytest
import torch

from consingan.images import patch_fill
from consingan.images.patch_fill import copied, library_of, polished


def picture() -> torch.Tensor:
    return torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_a_picture_without_a_hole_stays_as_it_is() -> None:
    hole = torch.zeros(1, 1, 20, 24)
    made, matches = polished(picture(), hole)
    assert matches is None
    assert torch.equal(copied(made, matches, hole), picture())


def test_what_an_apple_gpu_lacks_is_computed_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no float64, nor eigenvectors in every torch."""
    asked: list[str] = []

    def complete(device: torch.device) -> torch.device:
        asked.append(device.type)
        return device

    monkeypatch.setattr(patch_fill, "complete", complete)
    hole = torch.zeros(1, 1, 20, 24)
    hole[..., 8:10, 9:12] = 1
    library = library_of(picture(), hole)
    assert asked == ["cpu"]
    assert library is not None
    assert library.axes.dtype == torch.float32
