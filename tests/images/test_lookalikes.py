"""Windows find the ones they look like."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from consingan.images.lookalikes import PATCH, STEP, Lookalikes


def texture(height: int = 60, width: int = 70) -> Tensor:
    rng = torch.Generator().manual_seed(3)
    return torch.rand(3, height, width, generator=rng) * 2 - 1


def everywhere(canvas: Tensor) -> Tensor:
    return torch.ones(canvas.shape[-2:], dtype=torch.bool)


def searched(canvas: Tensor, other: Tensor, rounds: int = 6) -> Lookalikes:
    rng = torch.Generator().manual_seed(0)
    found = Lookalikes.first(canvas, other, everywhere(canvas))
    for _ in range(rounds):
        found = found.improved(canvas, other, rng)
    return found


def test_a_piece_of_a_picture_is_found_in_it() -> None:
    other = texture()
    canvas = other[:, 13:43, 20:60]
    found = searched(canvas, other)
    torch.testing.assert_close(found.voted(other), canvas)


@pytest.mark.parametrize("size", [(5, 5), (6, 9), (7, 30), (24, 17)])
def test_every_pixel_of_any_canvas_has_a_match(size: tuple[int, int]) -> None:
    other = texture()
    canvas = texture(*size)
    made = searched(canvas, other, 1).voted(torch.ones_like(other))
    torch.testing.assert_close(made, torch.ones_like(canvas))


def test_offsets_grow_with_the_pictures() -> None:
    other = texture()
    canvas = other[:, 10:40, 16:56]
    found = searched(canvas, other)
    region = torch.ones(60, 80, dtype=torch.bool)
    large = found.enlarged((60, 80), (120, 140), region, ~region)
    rows, columns = large.counts.shape
    grid = torch.stack(torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"), -1)
    offset = (large.places - STEP * grid)[4:-4, 4:-4].float()
    torch.testing.assert_close(offset.mean((0, 1)), torch.tensor([20.0, 32.0]), atol=0.6, rtol=0)


def test_windows_beyond_the_region_are_not_looked_for() -> None:
    other = texture()
    canvas = texture(30, 40)
    region = torch.zeros(30, 40, dtype=torch.bool)
    region[12:18, 20:24] = True
    made = Lookalikes.first(canvas, other, region).voted(torch.ones_like(other))
    assert (made[:, region] > 0).all()
    assert (made[:, : 12 - PATCH] == 0).all()


def test_what_was_changed_does_not_look_at_its_own_place() -> None:
    other = texture()
    changed = torch.zeros(60, 70, dtype=torch.bool)
    changed[20:40, 20:40] = True
    found = Lookalikes.first(other, other, everywhere(other))
    found = found.enlarged((60, 70), (60, 70), everywhere(other), changed)
    made = found.improved(other, other, torch.Generator().manual_seed(0)).voted(other)
    same = (made - other).abs().amax(0) < 1e-6
    assert same[:14, :14].all()
    assert not same[25:35, 25:35].any()
