"""Winograd's convolutions are convolutions, forward and back, at every size."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from consingan.methods.singan import winograd

SIZES = [(3, 3), (6, 6), (7, 11), (14, 22)]


def case(size: tuple[int, int], dtype: torch.dtype, inputs: int = 5, outputs: int = 7):  # type: ignore[no-untyped-def]
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(1, inputs, *size, generator=rng, dtype=dtype)
    weight = torch.randn(outputs, inputs, 3, 3, generator=rng, dtype=dtype)
    bias = torch.randn(outputs, generator=rng, dtype=dtype)
    gradient = torch.randn(1, outputs, size[0] - 2, size[1] - 2, generator=rng, dtype=dtype)
    return x.to(memory_format=torch.channels_last), weight, bias, gradient


def direct(x, weight, gradient):  # type: ignore[no-untyped-def]
    x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    return torch.autograd.grad(F.conv2d(x, weight), (x, weight), gradient)


@pytest.mark.parametrize("strip", [1, 260])
@pytest.mark.parametrize("size", SIZES)
def test_float64(size: tuple[int, int], strip: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winograd, "STRIP", strip)
    x, weight, bias, gradient = case(size, torch.float64)
    u = winograd.transformed_weight(weight)
    y, tiles = winograd.convolve(x, u, bias)
    torch.testing.assert_close(y, F.conv2d(x, weight, bias), rtol=1e-12, atol=1e-12)
    for made, expected in zip(
        winograd.gradients(gradient, tiles, u), direct(x, weight, gradient), strict=True
    ):
        torch.testing.assert_close(made, expected, rtol=1e-11, atol=1e-11)


def test_float32_differs_by_rounding_only() -> None:
    x, weight, bias, gradient = case((22, 30), torch.float32, 100, 100)
    u = winograd.transformed_weight(weight)
    y, tiles = winograd.convolve(x, u, bias)
    pairs = [(y, F.conv2d(x, weight, bias))]
    pairs += zip(winograd.gradients(gradient, tiles, u), direct(x, weight, gradient), strict=True)
    for made, expected in pairs:
        assert (made - expected).abs().max() < 3e-5 * expected.abs().max()


def test_either_gradient_alone() -> None:
    x, weight, _, gradient = case((9, 8), torch.float64)
    u = winograd.transformed_weight(weight)
    _, tiles = winograd.convolve(x, u)
    both = winograd.gradients(gradient, tiles, u)
    assert torch.equal(winograd.gradients(gradient, None, u)[0], both[0])
    assert torch.equal(winograd.gradients(gradient, tiles, None)[1], both[1])


def test_results_lie_in_memory_as_normalization_wants_them() -> None:
    x, weight, _, gradient = case((9, 8), torch.float32)
    u = winograd.transformed_weight(weight)
    y, tiles = winograd.convolve(x, u)
    for made in (y, winograd.gradients(gradient, tiles, u)[0]):
        assert made.stride() == torch.empty_like(made, memory_format=torch.channels_last).stride()
