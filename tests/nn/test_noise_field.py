"""Noise made by blocks: the same whatever asks for it."""

from __future__ import annotations

import pytest
import torch

from consingan.nn.noise import stream
from consingan.nn.noise_field import NoiseField


@pytest.mark.parametrize("seed", range(6))
def test_windows_are_those_of_the_whole(seed: int) -> None:
    field = NoiseField(seed, 3, 70, 101)
    whole = field.whole()
    rng = stream("window", seed)
    top, left = (int(torch.randint(0, side, (), generator=rng)) for side in (70, 101))
    bottom = int(torch.randint(top + 1, 71, (), generator=rng))
    right = int(torch.randint(left + 1, 102, (), generator=rng))
    made = field.window(((top, bottom), (left, right)))
    assert torch.equal(made, whole[:, :, top:bottom, left:right])


def test_it_is_normal_and_nowhere_repeated() -> None:
    whole = NoiseField(1, 2, 128, 96).whole()
    assert abs(float(whole.mean())) < 0.03
    assert float(whole.std()) == pytest.approx(1, abs=0.02)
    assert len(whole.unique()) > 0.999 * whole.numel()
    assert not torch.equal(whole, NoiseField(2, 2, 128, 96).whole())


def test_it_is_kept_as_four_numbers() -> None:
    field = NoiseField(2**62 + 1, 3, 40, 50)
    assert NoiseField.of(field.numbers()) == field


@pytest.mark.parametrize(
    "numbers", [torch.ones(4), torch.tensor([1, 2, 3]), torch.tensor([1, 3, 0, 5])]
)
def test_other_numbers_are_none(numbers: torch.Tensor) -> None:
    with pytest.raises(RuntimeError, match="field of noise"):
        NoiseField.of(numbers)
