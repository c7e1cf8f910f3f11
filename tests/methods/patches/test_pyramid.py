"""The pyramid: sizes, resize, blend."""

from __future__ import annotations

import pytest
import torch

from consingan.errors import UserError
from consingan.methods.patches.pyramid import blend, build_pyramid, resize, scale_count, scale_sizes
from consingan.methods.patches.recipe import PAPER
from consingan.methods.patches.source import canvas_sizes


def picture(height: int = 20, width: int = 27, seed: int = 0) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_a_constant_stays_constant_at_any_size() -> None:
    flat = torch.full((3, 17, 23), 0.3)
    for size in ((5, 7), (40, 31), (17, 50)):
        torch.testing.assert_close(resize(flat, size), torch.full((3, *size), 0.3))


def test_a_wrapped_resize_commutes_with_whole_rolls() -> None:
    x = picture(20, 28)
    rolled = resize(x.roll((4, 8), (1, 2)), (10, 14), (True, True))
    expected = resize(x, (10, 14), (True, True)).roll((2, 4), (1, 2))
    torch.testing.assert_close(rolled, expected)


def test_a_blend_with_its_own_coarser_self_changes_nothing() -> None:
    x = picture(40, 54)
    coarse = build_pyramid(x, scale_sizes((40, 54), 2, None))[1]
    torch.testing.assert_close(blend(x, coarse, None), x, rtol=0, atol=1e-6)


def test_the_fewest_scales_that_reach_the_floor() -> None:
    assert scale_count([(188, 250)], 24, 15) == 4
    assert scale_count([(188, 250), (24, 99)], 24, 15) == 1


def test_too_many_scales_are_refused() -> None:
    with pytest.raises(UserError, match="use fewer scales or a larger picture"):
        scale_sizes((30, 30), 4, 24)


def test_the_side_that_a_sentence_asks_for_is_the_least_that_does() -> None:
    recipe = PAPER["analogy"]
    with pytest.raises(UserError, match=r"it takes 41 px or more on each side, or a smaller"):
        canvas_sizes((40, 90), 3, recipe, "The picture")
    assert canvas_sizes((41, 90), 3, recipe, "The picture")[-1] == (11, 23)
