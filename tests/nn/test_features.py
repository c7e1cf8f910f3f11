"""Features without trained weights: what they see, and that all scales weigh alike."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from helpers import picture

from consingan.nn.features import BANKS


@pytest.mark.parametrize("name", list(BANKS))
def test_every_scale_has_mean_1_on_its_own_picture(name: str) -> None:
    image = picture(60, 64)
    bank = BANKS[name](image, torch.Generator().manual_seed(0))
    maps = bank(image)
    assert len(maps) == 3
    for values in maps:
        assert float(values.mean()) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("name", list(BANKS))
def test_a_blurred_picture_is_farther_than_the_picture_itself(name: str) -> None:
    image = picture(60, 64)
    bank = BANKS[name](image, torch.Generator().manual_seed(0))
    blurred = F.avg_pool2d(image, 3, 1, 1)
    assert all(float((x - y).abs().mean()) > 0.01
               for x, y in zip(bank(image), bank(blurred), strict=True))  # fmt: skip
