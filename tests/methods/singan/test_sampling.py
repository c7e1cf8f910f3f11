"""Sizes of samples at every scale, rounded as the authors round them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from consingan.methods.singan.pyramid import plan_pyramid
from consingan.methods.singan.sampling import sample_sizes
from consingan.outputs.requests import SamplesRequest
from consingan.outputs.sizes import other_sizes

SIZES = plan_pyramid((1167, 1115), 0.75, 25, 250).sizes


@pytest.mark.parametrize(("down", "across"), [(1.0, 1.5), (1.5, 1.5), (2.0, 1.0), (0.7, 1.37)])
def test_every_scale_has_its_size_times_the_typed_factor(down: float, across: float) -> None:
    model = SimpleNamespace(sizes=SIZES, least_size=(1, 1))
    request = SamplesRequest(scale_h=(down,), scale_w=(across,))
    ((_, size),) = other_sizes(model, request)
    assert sample_sizes(SIZES, size) == [(round(h * down), round(w * across)) for h, w in SIZES]


def test_a_size_of_ones_own_is_shared_by_the_ratio_of_the_finest_scale() -> None:
    height, width = SIZES[-1]
    found = sample_sizes(SIZES, (height, 358))
    assert found == [*((h, round(w * (358 / width))) for h, w in SIZES[:-1]), (height, 358)]
    assert sample_sizes(SIZES, None) == list(SIZES)
