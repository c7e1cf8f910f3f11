"""Pictures made in strips equal the same pictures made whole."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_models import AMPLITUDES, SHAPES, SIZES, generator, model
from torch import Tensor

from consingan.errors import UserError
from consingan.machine import memory as machine_memory
from consingan.machine.precision import Arithmetic
from consingan.methods.consingan import rows, sampling, strips
from consingan.methods.consingan.draws import noise_shapes
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.rows import Rows, draw, rows_of
from consingan.methods.consingan.strips import Strips
from consingan.methods.contract import Walk
from consingan.nn.kernels import applied
from consingan.nn.noise import gaussian, stream
from consingan.outputs.samples import random_samples

NORMALIZED = {"normalized": {"norm": True}, "normalized, padded": {"norm": True, "padding": 1}}


@pytest.fixture(autouse=True)
def narrow_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "STRIP", 1)  # the least, 16 rows


def noises(network: Generator, start: int = 0) -> list[Tensor]:
    shapes = noise_shapes(SIZES, 5, 3, network.frame)
    drawn = [gaussian(s, stream("z", k)) for k, s in enumerate(shapes)]
    entered = gaussian((1, 3, *SIZES[start]), stream("entered"))
    return [entered, *drawn[max(start, 1) :]]


@pytest.mark.parametrize("start", [0, 1, 2])
@pytest.mark.parametrize("border", ["noise", "zero"])
@pytest.mark.parametrize(
    "numbers", [*SHAPES.values(), *NORMALIZED.values()], ids=[*SHAPES, *NORMALIZED]
)
@torch.no_grad()
def test_strips_give_the_whole_picture(numbers: dict[str, Any], border: str, start: int) -> None:
    network = generator(border, **numbers)
    z = noises(network, start)
    with applied(Arithmetic(), network):
        whole = network(z, AMPLITUDES, start)
        made = Strips(network, z[0], rows_of(z[1:]), AMPLITUDES, start).picture()
    assert whole.std() > 0.01
    torch.testing.assert_close(made, whole, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_bf16_strips_give_the_whole_picture() -> None:
    network = generator()
    z = noises(network)
    with applied(Arithmetic("bf16"), network):
        whole = network(z, AMPLITUDES)
        made = Strips(network, z[0], rows_of(z[1:]), AMPLITUDES).picture()
    torch.testing.assert_close(made, whole, atol=0.02, rtol=0.02)


def test_noise_of_strips_is_that_of_the_whole() -> None:
    shapes = noise_shapes(SIZES, 5, 3, 3)
    rng = stream("noise")
    expected = [gaussian(shape, rng) for shape in shapes]
    first, later = draw(shapes, stream("noise"))
    assert torch.equal(first, expected[0])
    for streamed, whole in zip(reversed(later), reversed(expected[1:]), strict=True):
        parts = [
            streamed.take((a, min(a + 7, streamed.height))) for a in range(0, streamed.height, 7)
        ]
        assert torch.equal(torch.cat(parts, 2), whole)


def test_what_is_not_needed_any_more_is_not_kept() -> None:
    asked = []

    def make(rows: tuple[int, int]) -> Tensor:
        asked.append(rows)
        return torch.arange(*rows).view(1, 1, -1, 1).expand(1, 1, -1, 9)

    rows = Rows(200, 9, make, 16)
    for first in range(0, 196, 5):
        taken = rows.take((first, first + 5))
        assert taken[0, 0, :, 0].tolist() == list(range(first, first + 5))
        assert rows.kept is not None
        assert rows.kept.shape[2] <= 16 + 5
    assert [b for _, b in asked[:-1]] == [a for a, _ in asked[1:]]  # each row is made once


def test_samples_do_not_depend_on_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [torch.cat(list(random_samples(model(), 2, (130, 70))))]
    monkeypatch.setattr(strips, "WHOLE", 1)
    made.append(torch.cat(list(random_samples(model(), 2, (130, 70)))))
    torch.testing.assert_close(*made, atol=1e-4, rtol=1e-4)


def test_films_do_not_depend_on_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [torch.cat(list(model().frames(2, Walk())))]
    monkeypatch.setattr(strips, "WHOLE", 1)
    made.append(torch.cat(list(model().frames(2, Walk()))))
    torch.testing.assert_close(*made, atol=1e-4, rtol=1e-4)


def test_statistics_are_of_the_whole_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    normalized = model(batch_norm=True)
    made = [torch.cat(list(random_samples(normalized, 1)))]
    monkeypatch.setattr(strips, "WHOLE", 1)
    made.append(torch.cat(list(random_samples(normalized, 1))))
    torch.testing.assert_close(*made, atol=1e-4, rtol=1e-4)
    assert all(getattr(m, "statistics", None) is None for m in normalized.generator.modules())


@pytest.mark.parametrize("norm", [False, True])
def test_what_does_not_fit_is_refused_first(monkeypatch: pytest.MonkeyPatch, norm: bool) -> None:
    monkeypatch.setattr(machine_memory, "free_memory", lambda _: 10**9)
    monkeypatch.setattr(sampling, "random_noises", lambda *_: pytest.fail("something was made"))
    with pytest.raises(UserError, match=r"Pictures of 9000x8000 take about .* GB .*smaller --size"):
        next(random_samples(model(batch_norm=norm), 1, (8000, 9000)))


def test_statistics_are_computed_where_there_is_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def complete(device: torch.device) -> torch.device:
        asked.append(device.type)
        return device

    monkeypatch.setattr(strips, "complete", complete)
    x = torch.rand(1, 3, 40, 44)
    made = rows.Rows(40, 44, lambda part: x[:, :, part[0] : part[1]], 16)
    mean, variance = strips._statistics(made)
    torch.testing.assert_close(mean, x.mean((0, 2, 3)))
    torch.testing.assert_close(variance, x.var((0, 2, 3), correction=0))
    assert set(asked) == {"cpu"}
