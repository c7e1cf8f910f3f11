"""Holes: what is known is kept, what lies in the hole never matters."""

from __future__ import annotations

import pytest
import torch

from consingan.errors import UserError
from consingan.methods.patches.gap import Gap
from consingan.methods.patches.holes import (
    hole_sizes,
    nearest_free,
    scales_around,
    touched,
)
from consingan.methods.patches.inpainting import Filling, _narrowed


def picture(seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(3, 40, 48, generator=rng) * 2 - 1


def hole() -> torch.Tensor:
    found = torch.zeros(40, 48, dtype=torch.bool)
    found[15:23, 20:29] = True
    return found


def test_known_pixels_are_the_pictures_to_the_bit() -> None:
    filled = Filling.of(picture(), hole()).fill(0)
    assert torch.equal(filled[:, ~hole()], picture()[:, ~hole()])


def test_what_lies_in_the_hole_changes_nothing() -> None:
    other = torch.where(hole(), torch.full((), 0.9), picture())
    one, two = Filling.of(picture(), hole()).fill(1), Filling.of(other, hole()).fill(1)
    assert torch.equal(one, two)


def test_another_fill_is_another() -> None:
    filling = Filling.of(picture(), hole())
    assert not torch.equal(filling.fill(0, 0), filling.fill(0, 1))


def test_a_hole_in_something_regular_is_filled_with_it() -> None:
    stripes = (torch.arange(48) % 8 < 4).float().expand(3, 40, 48) * 1.6 - 0.8
    filled = Filling.of(stripes, hole()).fill(0)
    assert float((filled - stripes).abs().max()) < 0.05


def test_a_hole_that_leaves_no_patch_is_refused() -> None:
    with pytest.raises(UserError, match="no known patch of 9 px"):
        Filling.of(picture(), torch.ones(40, 48, dtype=torch.bool))


def test_every_pixel_with_a_part_of_the_hole_is_a_hole() -> None:
    small = hole_sizes(hole(), [(40, 48), (13, 16)])[1]
    assert bool(small[5:7, 7:9].all())
    assert int(small.sum()) >= 9


def test_the_nearest_free_patch_touches_no_hole() -> None:
    near = nearest_free(hole(), 9)
    free = ~touched(hole(), 9).flatten()
    assert bool(free[near].all())
    assert torch.equal(near[free], torch.arange(len(near))[free])


def test_the_best_of_all_patches_is_the_one_that_was_cut_out() -> None:
    gap = Gap.of(picture(), hole(), 5, near=0.0)
    twin = picture()
    twin[:, 15:23, 20:29] = twin[:, 28:36, 3:12]  # the hole shows another place of the picture
    middle = (gap.open // 44 == 17) & (gap.open % 44 == 22)
    expected = 30 * 44 + 5
    assert int(gap.looked_up(twin)[middle]) == expected
    near = gap.nearest.clone()
    near[gap.open[middle]] = expected
    rng = torch.Generator().manual_seed(0)
    assert int(gap.improved(twin, near, rng)[middle]) == expected


def test_what_the_matches_agree_on_is_what_is_seen() -> None:
    gap = Gap.of(picture(), hole(), 5, near=0.0)
    moved = gap.open + 9 * 44  # every window shows what lies nine px below
    expected = picture().roll(-9, 1)
    torch.testing.assert_close(gap.voted(moved, expected)[:, hole()], expected[:, hole()])


def test_a_thin_hole_needs_one_scale_and_a_thick_one_more() -> None:
    thin, thick = torch.zeros(2, 120, 120, dtype=torch.bool)
    thin[10:100, 50:56] = True
    thick[30:60, 30:60] = True
    assert scales_around(thin, 24, 9) == 1
    assert scales_around(thick, 24, 9) == 3


def test_a_smaller_window_takes_the_match_of_the_larger_one_around_it() -> None:
    own = torch.arange(6 * 7).view(6, 7)  # of windows of 9 px
    assert torch.equal(_narrowed(own, 1), torch.arange(8 * 9).view(8, 9))
    moved = _narrowed(torch.where(own == 2 * 7 + 3, 4 * 7 + 1, own), 1)
    assert int(moved[3, 4]) == 5 * 9 + 2
