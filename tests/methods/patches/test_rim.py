"""The rim of a filled hole: smooth where patches fit badly, untouched where they fit."""

from __future__ import annotations

import torch

from consingan.images.smooth import RIM
from consingan.methods.patches.gap import Gap
from consingan.methods.patches.holes import depth
from consingan.methods.patches.rim import softened


def picture() -> torch.Tensor:
    return torch.rand(3, 40, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1


def gap() -> Gap:
    hole = torch.zeros(40, 48, dtype=torch.bool)
    hole[12:28, 16:33] = True
    return Gap.of(picture(), hole, 5, near=0.0)


def test_where_the_patches_fit_nothing_is_changed() -> None:
    stripes = (torch.arange(48) % 8 < 4).float().expand(3, 40, 48) * 1.6 - 0.8
    torn = Gap.of(stripes, gap().hole, 5, near=0.0)
    fitting = torn.looked_up(stripes)
    torch.testing.assert_close(softened(torn, stripes, fitting), stripes)


def test_where_they_fit_badly_the_rim_is_moved_and_the_middle_is_not() -> None:
    torn = gap()
    filled = torch.where(torn.hole, 0.9, picture())
    found = softened(torn, filled, torn.nearest[torn.open])
    far = depth(torn.hole)
    assert torch.equal(found[:, far > RIM], filled[:, far > RIM])
    assert torch.equal(found[:, far == 0], filled[:, far == 0])
    moved = (found - filled).abs().mean(0)
    assert float(moved[far == 1].mean()) > 0.1 > 10 * float(moved[far == 5].mean())


def test_patches_that_are_what_is_seen_have_no_misfit() -> None:
    torn = gap()
    canvas = picture()
    canvas[:, 12:28, 16:33] = canvas[:, 12:28, 0:17]
    matches = torn.open - 16  # every window shows what lies 16 px to the left
    found = torn.misfit(canvas, matches)
    assert float(found[20, 24]) < 1e-8 < float(found[12, 16])
    assert float(found[0, 0]) == 0
