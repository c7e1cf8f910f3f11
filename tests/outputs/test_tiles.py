"""Seams of tiles."""

from __future__ import annotations

import torch

from consingan.outputs.tiles import doubled, seam_error


def test_where_all_neighbors_differ_alike_there_is_no_seam() -> None:
    tile = torch.rand(3, 96, 96, generator=torch.Generator().manual_seed(0))
    down, right = seam_error(tile)
    assert 0.9 < down < 1.1
    assert 0.9 < right < 1.1


def test_a_ramp_has_a_seam_where_it_wraps() -> None:
    ramp = torch.linspace(-1, 1, 20).expand(3, 16, 20)
    down, right = seam_error(ramp)
    assert down == 1
    assert round(right) == 19


def test_the_preview_is_two_by_two() -> None:
    tile = torch.rand(1, 3, 4, 6)
    assert torch.equal(doubled(tile)[..., 4:, 6:], tile)
    assert doubled(tile).shape == (1, 3, 8, 12)
