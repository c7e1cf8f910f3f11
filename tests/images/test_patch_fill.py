"""A fill gone over with patches: where there is nothing to do, and on what device it is done."""

from __future__ import annotations

import pytest
import torch

from consingan.images import patch_fill
from consingan.images.patch_fill import copied, enlarged_fill, library_of, polished
from consingan.images.resize import resize_to


def picture() -> torch.Tensor:
    return torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_a_picture_without_a_hole_stays_as_it_is() -> None:
    hole = torch.zeros(1, 1, 20, 24)
    made, matches = polished(picture(), hole)
    assert matches is None
    assert torch.equal(copied(made, matches, hole), picture())


def test_a_pattern_goes_on_through_a_hole_and_what_is_known_stays() -> None:
    pattern = picture()[..., :5, :6].repeat(1, 1, 8, 8)
    hole = torch.zeros(1, 1, 40, 48)
    hole[..., 16:21, 20:26] = 1
    known = pattern * (1 - hole)
    known[..., 14, 22] += 0.002  # in the middle of a window that touches the hole
    made, matches = polished(known, hole)
    for filled in (made, copied(made, matches, hole)):
        assert torch.allclose(filled * hole, pattern * hole, atol=0.01)
        assert torch.equal(filled * (1 - hole), known * (1 - hole))


def test_a_pattern_goes_on_through_a_hole_at_a_larger_size_with_its_detail() -> None:
    pattern = picture()[..., :10, :12].repeat(1, 1, 8, 8)
    hole = torch.zeros(1, 1, 80, 96)
    hole[..., 32:42, 40:52] = 1
    small = resize_to(pattern, (40, 48))
    matches = polished(small, hole[..., ::2, ::2])[1]
    made = enlarged_fill(small, matches, pattern * (1 - hole), hole)
    assert float(((made - pattern).abs() * hole).sum() / hole.sum()) < 0.3  # 1.28 without matches


def test_the_nearest_of_known_windows_is_taken() -> None:
    library = library_of(picture(), torch.zeros(1, 1, 20, 24))
    assert library is not None
    assert torch.equal(library.nearest(library.patches), torch.arange(len(library.patches)))


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
