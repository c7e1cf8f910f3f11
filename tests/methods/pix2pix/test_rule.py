"""The generator's terms, against what they come to by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from consingan.methods.pix2pix.rule import Rule, generator_loss


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_feature_matching_weighs_alike_however_many_layers_the_critics_have(layers: int) -> None:
    critics = nn.Module()
    critics.forward = lambda x: [[x] * (layers + 1) + [x]]  # type: ignore[method-assign]
    condition, image = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    found = generator_loss(Rule("lsgan", 0.0, 10.0), critics, condition, image, image + 0.5)
    # Of A and B together half differs; pix2pixHD's weight of each map is 4 / (layers + 1).
    assert float(found.features) == pytest.approx(4 * 0.25)
