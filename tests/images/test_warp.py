"""Thin-plate splines: the recorded warps, and what any warp keeps."""

from __future__ import annotations

import pytest
import torch
from conformance_others import case, near

from consingan.images.warp import random_warp, spline_map, warp_of, warped


@pytest.mark.parametrize("points", ["p3", "p4"])
def test_the_spline_is_the_recorded_one_at_every_pixel(points: str) -> None:
    arrays = case("tps")
    corners = arrays[f"{points}.corners"]
    places = torch.cat([arrays[f"{points}.dst"], corners])
    sources = torch.cat([arrays[f"{points}.src"], corners])
    size = tuple(arrays["image"].shape[:2])
    read = spline_map(places, sources, size)
    near(read, arrays[f"{points}.map_exact"], atol=1e-3)
    image = arrays["image"].permute(2, 0, 1)[None].double()
    near(warped(image, read)[0].permute(1, 2, 0), arrays[f"{points}.output_exact"], atol=0.51)


def test_points_that_stay_leave_the_picture_alone() -> None:
    image = torch.rand(1, 3, 20, 28)
    read = warp_of(torch.zeros(9, 2), (20, 28))
    torch.testing.assert_close(warped(image, read), image, rtol=0, atol=1e-5)
    assert torch.equal(warped(image, read, nearest=True), image)


def test_nearest_keeps_the_colors() -> None:
    image = torch.randint(0, 4, (1, 3, 24, 24)).float()
    read = random_warp((24, 24), torch.Generator().manual_seed(1))
    assert set(warped(image, read, nearest=True).unique().tolist()) <= {0.0, 1.0, 2.0, 3.0}
    assert not torch.equal(warped(image, read, nearest=True), image)
