"""A smooth surface goes on as what is known does."""

from __future__ import annotations

import torch

from consingan.images.smooth import biharmonic


def test_a_slope_goes_on_through_a_hole() -> None:
    slope = torch.linspace(-0.8, 0.8, 24).expand(1, 3, 20, 24)
    hole = torch.zeros(1, 1, 20, 24)
    hole[..., 7:12, 9:15] = 1
    found = biharmonic(torch.where(hole > 0, 0.5, slope), hole)
    torch.testing.assert_close(found, slope, atol=1e-4, rtol=0)
    assert torch.equal(
        found[hole.expand(-1, 3, -1, -1) == 0], slope[hole.expand(-1, 3, -1, -1) == 0]
    )
