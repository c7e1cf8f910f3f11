"""The hand-written gradients against automatic differentiation."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from consingan.machine.precision import Arithmetic
from consingan.nn import losses
from consingan.nn.architecture import Architecture
from consingan.nn.critic import AutogradCritic, Critic, make_critic
from consingan.nn.discriminator import Discriminator
from consingan.nn.kernels import is_small
from consingan.nn.linear_critic import LinearCritic, penalty_and_gradient
from consingan.nn.noise import stream

FLOAT = Arithmetic()
SHAPES = {
    "default": Architecture(channels=5),
    "five layers": Architecture(channels=4, layers=5),
    "kernel 5": Architecture(channels=4, kernel=5, layers=1),
    "kernel 5, half padded": Architecture(channels=4, kernel=5, padding=1, layers=2),
    "padded": Architecture(channels=5, padding=1),
    "slope 0.3": Architecture(channels=5, slope=0.3),
}


def pair(
    shape: Architecture, seed: int = 0, scale: float = 0.3
) -> tuple[Discriminator, Tensor, Tensor]:
    """A discriminator, a real and a fake picture, float64."""
    rng = stream(seed)
    discriminator = Discriminator(shape).double()
    with torch.no_grad():
        for parameter in discriminator.parameters():
            parameter.copy_(scale * torch.randn(parameter.shape, generator=rng))
    real, fake = (torch.tanh(torch.randn(1, 3, 19, 24, generator=rng)).double() for _ in "rf")
    return discriminator, real, fake


def gradients(discriminator: Discriminator) -> dict[str, Tensor]:
    return {n: p.grad.clone() for n, p in discriminator.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("weight", [0.0, 0.7])
@pytest.mark.parametrize("name", SHAPES)
def test_same_losses_and_gradients(name: str, weight: float, batched: bool) -> None:
    discriminator, real, fake = pair(SHAPES[name])
    mixing = torch.tensor(0.3, dtype=torch.float64)
    by_autograd = AutogradCritic(discriminator, real, FLOAT)
    expected_losses = by_autograd.descend(fake, mixing, weight)
    expected = gradients(discriminator)
    by_hand = LinearCritic(discriminator, real, FLOAT)
    by_hand.in_one_batch = batched
    for _ in range(2):  # a second call must not add to the first
        torch.testing.assert_close(by_hand.descend(fake, mixing, weight), expected_losses)
        actual = gradients(discriminator)
        assert actual.keys() == expected.keys()
        for key, value in actual.items():
            torch.testing.assert_close(value, expected[key], rtol=1e-9, atol=1e-12, msg=key)
    assert expected["head.conv.weight"].abs().max() > 1e-4
    for one, other in zip(by_hand.judge(fake), by_autograd.judge(fake), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_penalty_gradient_alone() -> None:
    discriminator, real, fake = pair(SHAPES["default"])
    mixing = torch.tensor(0.6, dtype=torch.float64)
    losses.gradient_penalty(discriminator, real, fake, mixing).backward()
    expected = gradients(discriminator)
    critic = LinearCritic(discriminator, real, FLOAT)
    critic.descend(fake, mixing, 1.0)
    with_penalty = gradients(discriminator)
    critic.descend(fake, mixing, 0.0)
    without = gradients(discriminator)
    for name in expected:
        torch.testing.assert_close(with_penalty[name] - without[name], expected[name])


def test_penalty_follows_its_definition() -> None:
    g = torch.randn(1, 3, 5, 7, dtype=torch.float64, requires_grad=True)
    penalty = 0.2 * losses.norm_penalty(g)
    penalty.backward()
    value, push = penalty_and_gradient(g.detach() / 11, 0.2, 11)
    torch.testing.assert_close(value, penalty.detach())
    torch.testing.assert_close(push, 11 * g.grad)


def test_no_direction_where_the_gradient_vanishes() -> None:
    value, push = penalty_and_gradient(torch.zeros(1, 3, 4, 4), 0.5, 9)
    assert value == 0.5
    assert torch.equal(push, torch.zeros(1, 3, 4, 4))


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_equal_pictures_leave_no_gradient(precision: str, batched: bool) -> None:
    """Biases cancel exactly: Adam would turn what rounding leaves into whole steps."""
    discriminator, real, _ = pair(SHAPES["default"])
    real, network = real.float(), discriminator.float()
    critic = LinearCritic(network, real, Arithmetic(precision))
    critic.in_one_batch = batched
    critic.descend(real, torch.tensor(0.5), 0.0)
    cancelled = gradients(network)
    assert all(not g.any() for name, g in cancelled.items() if name.endswith("bias"))
    critic.descend(torch.zeros_like(real), torch.tensor(0.5), 0.0)
    for name, gradient in gradients(network).items():
        left = cancelled[name].abs().max()
        rounding = {"float32": 1e-6, "bf16": 1e-2}[precision]  # of sums over both pictures
        assert left <= rounding * gradient.abs().max(), (name, left)
        assert batched or left == 0


@pytest.mark.parametrize(
    ("activation", "kind"),
    [
        ("lrelu", LinearCritic),
        ("prelu", AutogradCritic),
        ("elu", AutogradCritic),
        ("selu", AutogradCritic),
    ],
)
def test_by_hand_only_where_it_is_exact(activation: str, kind: type[Critic]) -> None:
    discriminator = Discriminator(Architecture(channels=4, activation=activation))  # type: ignore[arg-type]
    assert isinstance(make_critic(discriminator, torch.zeros(1, 3, 15, 15), FLOAT), kind)


@pytest.mark.parametrize("activation", ["lrelu", "prelu", "elu", "selu"])
def test_bf16_gradients_point_the_same_way(activation: str) -> None:
    shape = Architecture(channels=16, activation=activation)  # type: ignore[arg-type]
    discriminator, real, fake = pair(shape, scale=0.1)
    discriminator, real, fake = discriminator.float(), real.float(), fake.float()
    found = []
    for arithmetic in (FLOAT, Arithmetic("bf16")):
        critic = make_critic(discriminator, real, arithmetic)
        critic.descend(fake, torch.tensor(0.3), 0.1)
        gradient = torch.cat([g.flatten() for g in gradients(discriminator).values()])
        found.append((gradient, critic.judge(fake)[1].flatten()))
    for one, other in zip(*found, strict=True):
        assert one.dtype == other.dtype == torch.float32
        assert torch.cosine_similarity(one, other, dim=0) > 0.99


@pytest.mark.parametrize(
    ("device", "side", "small"),
    [("cpu", 128, True), ("cpu", 129, False), ("cuda", 512, True), ("cuda", 513, False)],
)
def test_a_gpu_takes_larger_pictures_in_one_batch(device: str, side: int, small: bool) -> None:
    picture: Any = SimpleNamespace(shape=(1, 3, side, side), device=torch.device(device))
    assert is_small(picture) is small


def test_planes_of_zeros_change_nothing() -> None:
    """With them a GPU multiplies as many channels as in the other convolutions."""
    found = []
    for planes in (3, 8):
        discriminator, real, fake = pair(SHAPES["default"])
        critic = LinearCritic(discriminator, real, FLOAT)
        critic.planes = planes
        losses_ = critic.descend(fake, torch.tensor(0.3, dtype=torch.float64), 0.7)
        found.append([*losses_, *gradients(discriminator).values(), *critic.judge(fake)])
    for narrow, wide in zip(*found, strict=True):
        torch.testing.assert_close(wide, narrow, rtol=1e-12, atol=1e-14)
