"""Critics at several sizes: of how few pixels the smallest still makes a score."""

from __future__ import annotations

import pytest
import torch

from consingan.nn.patch_critic import PatchCritics, layers_for, least_side


@pytest.mark.parametrize("norm", ["batch", "instance", "affine"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_each_critic_scores_from_the_least_side_on_and_not_below(norm: str, count: int) -> None:
    least = least_side(count)
    for short in range(least, least + 30):
        critics = PatchCritics(2, 1, norm, count, layers=layers_for(short, count))
        for long in (short, 70):
            scores = [maps[-1] for maps in critics(torch.zeros(1, 2, short, long))]
            assert all(score.numel() > 0 for score in scores)
    critics = PatchCritics(2, 1, norm, count, layers=layers_for(least - 1, count))
    with pytest.raises((RuntimeError, ValueError)):
        critics(torch.zeros(1, 2, least - 1, least - 1))
