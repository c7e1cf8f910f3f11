"""Noise: shapes, streams that depend on their keys alone, the distribution."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from consingan.methods.consingan.draws import noise_shapes
from consingan.methods.consingan.networks import Generator
from consingan.nn.architecture import Architecture
from consingan.nn.noise import GaussianReader, derive_seed, gaussian, sent, stream

keys = st.lists(st.integers(-(2**40), 2**40) | st.text(max_size=5), min_size=1, max_size=4)


@given(keys)
def test_a_seed_fits_every_generator(values):
    assert 0 <= derive_seed(*values) < 2**63


@given(keys, keys)
def test_other_keys_other_seeds(first, second):
    assert (derive_seed(*first) == derive_seed(*second)) == (first == second)


def test_seeds_stay_what_they_are():
    """Saved runs are resumed with later releases: the derivation must never change."""
    assert derive_seed(0, "step", 1, 2) == 3794881212667695106


def test_numbers_and_words_differ():
    assert derive_seed(1) != derive_seed("1")
    assert derive_seed("a", "b") != derive_seed("ab")
    assert derive_seed(1, 2) != derive_seed(2, 1)


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=5),
    st.integers(1, 64),
    st.integers(0, 9),
)
def test_shapes(sizes, channels, frame):
    shapes = noise_shapes(sizes, channels, 3, frame)
    assert shapes[0] == (1, 3, *sizes[0])
    for (h, w), shape in zip(sizes[1:], shapes[1:], strict=True):
        assert shape == (1, channels, h + 2 * frame, w + 2 * frame)


@pytest.mark.parametrize("border", ["noise", "zero"])
@pytest.mark.parametrize(("kernel", "padding", "layers"), [(3, 0, 3), (5, 0, 2), (5, 1, 3)])
def test_a_generator_takes_noise_of_these_shapes(border, kernel, padding, layers):
    shape = Architecture(channels=4, layers=layers, kernel=kernel, padding=padding)
    generator = Generator(shape, border)
    generator.grow()
    sizes = [(11, 14), (17, 22)]
    shapes = noise_shapes(sizes, 4, 3, generator.frame)
    noises = [gaussian(s, stream(0, i)) for i, s in enumerate(shapes)]
    with torch.no_grad():
        assert generator(noises, [1.0, 0.1]).shape == (1, 3, 17, 22)


@given(st.integers(0, 2**31), st.tuples(*[st.integers(1, 6)] * 4))
@settings(max_examples=30)
def test_the_same_stream_gives_the_same_numbers(seed, shape):
    first, again, other = (gaussian(shape, stream(seed, word)) for word in ("a", "a", "b"))
    assert first.shape == shape
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_numbers_are_standard_normal():
    z = gaussian((1, 4, 200, 200), stream(3))
    assert abs(z.mean()) < 0.01
    assert abs(z.std() - 1) < 0.01
    assert abs((z**3).mean()) < 0.05
    assert abs((z**4).mean() - 3) < 0.1
    channels = z.flatten(2)[0]
    assert (torch.corrcoef(channels) - torch.eye(4)).abs().max() < 0.03


def test_the_global_random_state_is_left_alone():
    before = torch.get_rng_state()
    gaussian((1, 3, 5, 5), stream(1))
    assert torch.equal(before, torch.get_rng_state())


def test_a_gpu_is_sent_numbers_without_waiting(monkeypatch):
    """From pinned memory: a copy from any other waits until all that was asked for is computed."""
    asked = []
    drawn = torch.zeros(2)
    pinned = torch.ones(2)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: pinned)
    monkeypatch.setattr(torch.Tensor, "to", lambda *args, **kwargs: asked.append((args, kwargs)))
    sent(drawn, "cuda:1")
    (((tensor, device), options),) = asked
    assert (tensor is pinned, device, options) == (True, "cuda:1", {"non_blocking": True})


def test_elsewhere_numbers_are_just_moved():
    drawn = torch.zeros(2)
    assert sent(drawn, "cpu") is drawn


@pytest.mark.parametrize("count", [16, 640, 5003])
@pytest.mark.parametrize("piece", [1, 100, 333])
def test_numbers_read_in_pieces_are_those_drawn_at_once(count: int, piece: int) -> None:
    reader = GaussianReader(count, stream("pieces"))
    pieces = [reader.take(min(piece, count - start)) for start in range(0, count, piece)]
    whole = torch.randn(count, generator=stream("pieces"))
    assert torch.equal(torch.cat(pieces), whole)


def test_a_reader_passes_a_stream_on_as_drawing_would() -> None:
    rng, other = stream("passed"), stream("passed")
    GaussianReader(5003, rng).skip(rng)
    torch.randn(5003, generator=other)
    assert torch.equal(rng.get_state(), other.get_state())
