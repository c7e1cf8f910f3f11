"""An object is laid where it was said, as wide as it was said, and nothing else is changed."""

from __future__ import annotations

import pytest
import torch

from consingan.images.paste import Placed, paste
from consingan.images.picture import Picture

BELOW = torch.zeros(1, 3, 40, 60)


@pytest.mark.parametrize("alpha", [None, torch.ones(1, 1, 10, 10)])
def test_it_lies_around_its_middle_and_is_as_wide_as_was_said(alpha):
    dropped = Picture(torch.ones(1, 3, 10, 10), alpha)
    made, mask = paste(BELOW, dropped, Placed(0.5, 0.25, 0.2))
    rows, columns = mask[0, 0].nonzero().unbind(1)
    assert (int(columns.min()), int(columns.max())) == (24, 35)
    assert (int(rows.min()), int(rows.max())) == (4, 15)
    torch.testing.assert_close(made, mask.expand_as(made))


def test_what_is_transparent_stays_the_pictures():
    alpha = torch.zeros(1, 1, 12, 12)
    alpha[..., 3:9, 3:9] = 1
    object_ = torch.full((1, 3, 12, 12), 1.0)  # white shows through where it is transparent
    object_[..., 3:9, 3:9] = -1
    made, mask = paste(BELOW, Picture(object_, alpha), Placed(0.5, 0.5, 0.2))
    assert torch.equal(mask[..., 14:26, 24:36], alpha)
    assert torch.equal(made, -mask.expand_as(made))


def test_half_of_an_object_at_the_border_is_cut_off():
    made, mask = paste(BELOW, Picture(torch.ones(1, 3, 10, 10)), Placed(0, 1, 0.5))
    assert mask.sum() == 15 * 15
    assert mask[..., 25:, :15].all()
    assert made.shape == BELOW.shape


def test_one_that_is_outside_changes_nothing():
    made, mask = paste(BELOW, Picture(torch.ones(1, 3, 10, 10)), Placed(-3, 5, 0.1))
    assert torch.equal(made, BELOW)
    assert not mask.any()
