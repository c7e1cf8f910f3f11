"""First weights."""

from __future__ import annotations

import math

import pytest
import torch

from consingan.nn.architecture import INITS, Architecture
from consingan.nn.blocks import SPREADS, initialize
from consingan.nn.discriminator import Discriminator
from consingan.nn.noise import stream

SHAPE = Architecture(channels=16)


def drawn(init: str) -> Discriminator:
    network = Discriminator(SHAPE)
    initialize(network, stream(0), init)
    return network


def test_every_way_has_a_name() -> None:
    assert tuple(SPREADS) == INITS


def test_he_is_by_fan_in_and_half_of_it_in_the_tail() -> None:
    network = drawn("he")
    for conv, fan_in, share in (
        (network.head.conv, 27, 1.0),
        (network.body[0].conv, 144, 1.0),
        (network.tail, 144, 0.5),
    ):
        expected = share * math.sqrt(2 / fan_in)
        assert float(conv.weight.detach().std()) == pytest.approx(expected, rel=0.15)


def test_ways_differ_in_scale_alone() -> None:
    one, other = drawn("published"), drawn("he")
    torch.testing.assert_close(one.tail.weight / 0.02, other.tail.weight / math.sqrt(0.5 / 144))
    assert torch.equal(one.tail.bias, other.tail.bias)
