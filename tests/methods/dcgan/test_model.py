"""DCGAN's samples, ways between them, and calculation with their vectors."""

from __future__ import annotations

import pytest
import torch

from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.methods.contract import Walk
from consingan.methods.dcgan.config import DCGANConfig
from consingan.methods.dcgan.model import DCGAN, between, new_model
from consingan.nn.initial import draw_weights
from consingan.nn.noise import stream
from consingan.outputs.arithmetic import result_of, terms_of


@pytest.fixture
def model() -> DCGAN:
    config = DCGANConfig(side=32, ngf=2, nz=6)
    made = new_model(config, torch.zeros(1, 3, 64, 64), Execution(torch.device("cpu")))
    draw_weights(made.network, stream(0))
    return made


def test_a_sample_is_the_picture_of_its_vector(model: DCGAN) -> None:
    samples = model.sample([0, 3], None, 5)
    assert samples.shape == (2, 3, 32, 32)
    again = model.pictured(model.latent([3], 5))
    torch.testing.assert_close(again, samples[1:], rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", [(20, 30), (40, 100)])
def test_pictures_of_any_size_are_cut_from_fields_of_vectors(
    model: DCGAN, size: tuple[int, int]
) -> None:
    assert model.sample([0], size, 1).shape == (1, 3, *size)


def test_a_spherical_way_keeps_the_length_and_a_straight_one_does_not() -> None:
    first, second = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    assert float(between(first, second, 0.5).norm()) == pytest.approx(2.0)
    assert float(between(first, second, 0.5, straight=True).norm()) == pytest.approx(2**0.5)
    for share, end in ((0.0, first), (1.0, second)):
        torch.testing.assert_close(between(first, second, share), end)


def test_a_film_begins_at_sample_0_and_stands_still_with_alpha_1(model: DCGAN) -> None:
    frames = list(model.frames(5, Walk(alpha=0.0, beta=0.5, seed=5)))
    torch.testing.assert_close(frames[0], model.sample([0], None, 5), rtol=0, atol=1e-6)
    assert not torch.equal(frames[0], frames[1])
    still = list(model.frames(3, Walk(alpha=1.0, seed=5)))
    torch.testing.assert_close(still[0], still[2], rtol=0, atol=1e-5)


@pytest.mark.parametrize("count", [2, 6, 14])
def test_a_loop_shorter_than_a_way_goes_there_and_back(model: DCGAN, count: int) -> None:
    walk = Walk(alpha=0.0, beta=0.9, loop=True, seed=5)  # ten frames from point to point
    frames = torch.cat(list(model.frames(count, walk)))
    ends = model.sample([0, 1], None, 5)
    assert float((ends[0] - ends[1]).abs().max()) > 1e-5  # weights are small
    torch.testing.assert_close(frames[[0, count // 2]], ends, rtol=0, atol=1e-6)
    torch.testing.assert_close(frames[1:], frames[1:].flip(0), rtol=0, atol=1e-6)


def test_terms_add_and_subtract_means(model: DCGAN) -> None:
    terms = terms_of("3-1+7,8")
    assert [term.word for term in terms] == ["+3", "-1", "+7,8"]
    _, result = result_of(model, terms, 0)
    z = model.latent([3, 1, 7, 8], 0)
    torch.testing.assert_close(result[0], z[0] - z[1] + (z[2] + z[3]) / 2)


@pytest.mark.parametrize("text", ["", "3-", "a", "3--1", "3,,1", "1 + 2"])
def test_what_is_no_sum_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="must be numbers of samples"):
        terms_of(text)
