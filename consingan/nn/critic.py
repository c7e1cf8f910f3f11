"""The discriminator's part of an iteration: its gradients, and the one it gives the generator.

`AutogradCritic` lets torch differentiate, twice for the gradient penalty. `LinearCritic` does it by
hand where the discriminator is piecewise linear (linear_critic.py).
"""

from __future__ import annotations

import warnings
from typing import Protocol

import torch
from torch import Tensor

from consingan.machine.precision import Arithmetic
from consingan.nn import losses
from consingan.nn.derivation import NOTE, derivation_holds
from consingan.nn.discriminator import Discriminator
from consingan.nn.fused.critic import FusedCritic
from consingan.nn.kernels import is_small
from consingan.nn.linear_critic import LinearCritic


class Critic(Protocol):
    """What the engine asks of the discriminator; pictures are (1, 3, h, w) in [-1, 1]."""

    real: Tensor  # another one of its size may take its place

    def descend(self, fake: Tensor, mixing: Tensor, weight: float) -> list[Tensor]:
        """Set the gradients of the discriminator's loss.

        Args:
            fake: generated picture.
            mixing: scalar in [0, 1), where between real and fake the penalty is taken.
            weight: of the penalty; 0 leaves it out.

        Returns:
            mean D(real), mean D(fake), weighted penalty.
        """
        ...

    def judge(self, fake: Tensor) -> tuple[Tensor, Tensor]:
        """The generator's loss -mean D(fake) and its gradient for `fake`."""
        ...


def make_critic(discriminator: Discriminator, real: Tensor, arithmetic: Arithmetic) -> Critic:
    """By hand where the discriminator is piecewise linear, else by automatic differentiation.

    prelu's slope has a gradient of its own, elu and selu have second derivatives. A loss that is
    not the one of `linear_critic`'s derivation is differentiated too, and a warning says so.
    """
    by_hand = discriminator.shape.activation == "lrelu"
    if by_hand and not derivation_holds():
        warnings.warn(NOTE, stacklevel=2)
        by_hand = False
    if not by_hand:
        return AutogradCritic(discriminator, real, arithmetic)
    kind = FusedCritic if arithmetic.fused and is_small(real) else LinearCritic
    return kind(discriminator, real, arithmetic)


class AutogradCritic:
    """The losses as they are written down, for every activation."""

    def __init__(self, discriminator: Discriminator, real: Tensor, arithmetic: Arithmetic) -> None:
        self.discriminator, self.real = discriminator, real
        self.autocast = arithmetic.autocast(real.device)

    def descend(self, fake: Tensor, mixing: Tensor, weight: float) -> list[Tensor]:
        """See `Critic.descend`."""
        critic = self.discriminator
        with self.autocast:
            real_loss = losses.critic_real(critic(self.real).to(self.real.dtype))
            fake_loss = losses.critic_fake(critic(fake).to(self.real.dtype))
            penalty = torch.zeros_like(real_loss)
            if weight:
                penalty = weight * losses.gradient_penalty(critic, self.real, fake, mixing)
        critic.zero_grad()
        (real_loss + fake_loss + penalty).backward()
        return [-real_loss.detach(), fake_loss.detach(), penalty.detach()]

    def judge(self, fake: Tensor) -> tuple[Tensor, Tensor]:
        """See `Critic.judge`."""
        fake = fake.detach().requires_grad_()
        with self.autocast:
            loss = losses.adversarial(self.discriminator(fake).to(fake.dtype))
        (gradient,) = torch.autograd.grad(loss, fake)
        return loss.detach(), gradient
