"""A finished scale that gives the image back no better than one flat color does."""

from __future__ import annotations

import pytest
import torch

from consingan.methods.singan.saturation import ENOUGH, SEEN, is_flat

REAL = torch.linspace(-0.8, 0.8, 12 * 16).view(1, 1, 12, 16).expand(1, 3, 12, 16)
FLAT = REAL.var((2, 3)).mean().item()


@pytest.mark.parametrize(("above", "flat"), [(-SEEN, False), (SEEN / 2, False), (2 * SEEN, True)])
def test_a_scale_is_flat_where_it_is_clearly_worse_than_the_mean_color(
    above: float, flat: bool
) -> None:
    losses = torch.full((ENOUGH,), 10 * (FLAT + above))
    assert is_flat(losses, REAL, alpha=10) == flat


def test_of_an_image_of_one_color_nothing_is_said() -> None:
    assert not is_flat(torch.full((ENOUGH,), 9.0), torch.full_like(REAL, 0.3), alpha=10)
