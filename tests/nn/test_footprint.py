"""Memory of an iteration, reckoned without computing anything."""

from __future__ import annotations

import torch
from torch import nn

from consingan.nn.footprint import AROUND, Pass, footprint, kept


def test_a_convolution_keeps_its_input_and_an_activation_its_output() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
    assert kept(network, (1, 3, 10, 12)) == 4 * (3 + 4) * 120


def test_weights_count_with_gradient_and_moments_and_passes_as_often_as_they_are_kept() -> None:
    network = nn.Linear(5, 2, bias=False)
    assert footprint([network], []) == 4 * 4 * 10
    twice = footprint([network], [Pass(network, (3, 5), 2)])
    assert twice == 4 * 4 * 10 + round(AROUND * 2 * kept(network, (3, 5)))


def test_the_network_stays_as_and_where_it_is() -> None:
    network = nn.Conv2d(3, 4, 3).eval()
    kept(network, (1, 3, 8, 8))
    assert network.weight.device == torch.device("cpu")
    assert not network.training
