"""Windows equal the same windows of the whole picture, and so do their gradients."""

from __future__ import annotations

import itertools

import pytest
import torch
from small_models import AMPLITUDES, SHAPES, SIZES, generator
from torch import Tensor

from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.draws import noise_shapes
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.windows import Windowed, part_of, parts
from consingan.nn.kernels import applied
from consingan.nn.noise import gaussian, stream
from consingan.nn.noise_field import Box

WINDOWS: list[Box] = [
    ((0, 90), (0, 37)),
    ((0, 1), (36, 37)),
    ((0, 20), (0, 20)),
    ((70, 90), (17, 37)),
    ((31, 52), (9, 25)),
]


def drawn(seed: int) -> Box:
    rng = stream("box", seed)
    ranges = []
    for side in SIZES[-1]:
        first = int(torch.randint(0, side, (), generator=rng))
        ranges.append((first, int(torch.randint(first + 1, side + 1, (), generator=rng))))
    return ranges[0], ranges[1]


def noises(network: Generator, dtype: torch.dtype) -> list[Tensor]:
    shapes = noise_shapes(SIZES, 5, 3, network.frame)
    return [gaussian(s, stream("z", k)).to(dtype) for k, s in enumerate(shapes)]


def window(network: Generator, z: list[Tensor], box: Box) -> Tensor:
    needed = parts(network.shape, network.border, SIZES, box)
    seen = [z[0]]
    seen += [part_of(noise, part.noise) for noise, part in zip(z[1:], needed[1:], strict=True)]
    return Windowed(network, needed, box)(seen, AMPLITUDES)


def cut(x: Tensor, box: Box) -> Tensor:
    (a, b), (c, d) = box
    return x[:, :, a:b, c:d]


FRAMED = itertools.product(["noise", "zero"], SHAPES)
TILES = itertools.product(
    ["wrap", "wrap_horizontal", "wrap_vertical"], ["default", "selu", "prelu, one layer"]
)


@pytest.mark.parametrize(("border", "name"), [*FRAMED, *TILES])
@torch.no_grad()
def test_windows_are_those_of_the_whole(border: str, name: str) -> None:
    network = generator(border, **SHAPES[name]).double()
    z = noises(network, torch.float64)
    whole = network(z, AMPLITUDES)
    assert whole.std() > 0.05
    for box in [*WINDOWS, *map(drawn, range(5))]:
        torch.testing.assert_close(window(network, z, box), cut(whole, box), rtol=0, atol=1e-12)


@pytest.mark.parametrize("border", ["noise", "zero", "wrap"])
@torch.no_grad()
def test_float32_windows_are_those_of_the_whole_to_rounding(border: str) -> None:
    network = generator(border)
    z = noises(network, torch.float32)
    with applied(Arithmetic(), network):
        whole = network(z, AMPLITUDES)
        for box in WINDOWS:
            made = window(network, z, box)
            torch.testing.assert_close(made, cut(whole, box), rtol=0, atol=2e-6)


@pytest.mark.parametrize("fast", [False, True])
def test_gradients_are_those_of_the_whole(fast: bool) -> None:
    gradients = []
    box = drawn(7)
    for whole in (True, False):
        network = generator("noise").double()
        z = noises(network, torch.float64)
        if fast:
            with applied(Arithmetic(), network):
                made = cut(network(z, AMPLITUDES), box) if whole else window(network, z, box)
        else:
            made = cut(network(z, AMPLITUDES), box) if whole else window(network, z, box)
        made.square().sum().backward()
        gradients.append([p.grad for p in network.parameters()])
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-9, atol=1e-12)


def test_what_is_needed_does_not_grow_with_the_picture() -> None:
    network = generator()
    needs = []
    for factor in (1, 10):
        sizes = [(20, 20), (400 * factor, 400 * factor), (600 * factor, 600 * factor)]
        box = ((300, 364), (300, 364))
        (a, b), _ = parts(network.shape, "noise", sizes, box)[1].noise
        needs.append(b - a)
    assert abs(needs[1] - needs[0]) <= 2
