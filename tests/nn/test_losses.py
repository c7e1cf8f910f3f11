"""Losses: reference values and properties."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from consingan.nn import losses
from consingan.nn.architecture import Architecture
from consingan.nn.blocks import initialize
from consingan.nn.discriminator import Discriminator
from consingan.nn.noise import stream


def picture(seed, size=(13, 15)):
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_signs():
    scores = torch.tensor([1.0, 3.0])
    assert losses.critic_real(scores) == -2
    assert losses.critic_fake(scores) == 2
    assert losses.adversarial(scores) == -2


@given(st.floats(0, 1))
@settings(max_examples=20)
def test_interpolation(a):
    real, fake = picture(0), picture(1)
    x = losses.interpolate(real, fake, torch.tensor(a))
    torch.testing.assert_close(x - fake, a * (real - fake), atol=1e-6, rtol=0)


def test_ends_of_the_interpolation():
    real, fake = picture(0), picture(1)
    assert torch.equal(losses.interpolate(real, fake, torch.tensor(1.0)), real)
    assert torch.equal(losses.interpolate(real, fake, torch.tensor(0.0)), fake)


@pytest.mark.parametrize("norm", [0.0, 0.5, 1.0, 3.0])
def test_norm_is_taken_over_the_channels_of_each_pixel(norm):
    direction = torch.nn.functional.normalize(picture(2), dim=1)
    assert losses.norm_penalty(norm * direction) == pytest.approx((norm - 1) ** 2, abs=1e-5)


def test_norm_of_mixed_pixels():
    gradient = torch.zeros(1, 3, 1, 2)
    gradient[0, :, 0, 0] = torch.tensor([3.0, 0, 4])
    assert losses.norm_penalty(gradient) == pytest.approx(((5 - 1) ** 2 + 1) / 2)


def test_penalty_of_a_linear_critic():
    weight = torch.nn.functional.normalize(torch.tensor([1.0, 2, 2]), dim=0).view(1, 3, 1, 1)
    penalty = losses.gradient_penalty(
        lambda x: (4 * weight * x).sum(1), picture(0), picture(1), torch.tensor(0.3)
    )
    assert penalty == pytest.approx(9.0, abs=1e-4)


def test_penalty_gradient_agrees_with_differences():
    critic = Discriminator(Architecture(channels=3, layers=1)).double()
    initialize(critic, stream(0))
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.mul_(20)
    real, fake, mixing = picture(0).double(), picture(1).double(), torch.tensor(0.4)

    def penalty():
        return losses.gradient_penalty(critic, real, fake, mixing)

    weight = critic.head.conv.weight
    (gradient,) = torch.autograd.grad(penalty(), weight)
    step = 1e-6
    for index in ((0, 0, 0, 0), (2, 1, 2, 0)):
        weight.data[index] += step
        up = penalty()
        weight.data[index] -= 2 * step
        down = penalty()
        weight.data[index] += step
        assert gradient[index].item() == pytest.approx((up - down).item() / (2 * step), rel=1e-4)


def test_penalty_reaches_the_critic_but_not_the_pictures():
    critic = Discriminator(Architecture(channels=3, layers=1))
    initialize(critic, stream(0))
    real, fake = picture(0).requires_grad_(), picture(1).requires_grad_()
    losses.gradient_penalty(critic, real, fake, torch.tensor(0.5)).backward()
    assert real.grad is None
    assert fake.grad is None
    assert critic.head.conv.weight.grad.abs().sum() > 0


def test_reconstruction_is_a_mean_square():
    real = picture(0)
    assert losses.reconstruction(real, real) == 0
    assert losses.reconstruction(real + 0.5, real) == pytest.approx(0.25)
    assert losses.reconstruction(real, real + 0.5) == pytest.approx(0.25)
