"""Whether `losses` are still what the gradients by hand in linear_critic.py were made for.

Somebody who changes a loss must get what they wrote. So the losses are tried on small numbers
against the formulas that the derivation begins with, at magnitudes far apart: what agrees in value
and gradient is taken to be the same, anything else is left to automatic differentiation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.nn import losses

SCALES = (1e-3, 0.3, 1.0, 30.0, 1e3)
NOTE = (
    "The losses differ from those that the fast gradients of the critic were derived for; "
    "automatic differentiation is used instead, which takes longer."
)


def derivation_holds() -> bool:
    """Whether the critic's losses are WGAN-GP's as the derivation has them."""
    return _holds(
        losses.critic_real, losses.critic_fake, losses.adversarial,
        losses.interpolate, losses.norm_penalty, losses.gradient_penalty,
    )  # fmt: skip


@lru_cache(maxsize=8)
def _holds(*functions: Callable[..., Any]) -> bool:  # noqa: ARG001 - what the answer depends on
    try:
        with torch.enable_grad():
            return all(_alike(*pair) for pair in _comparisons())
    except Exception:  # a loss with other arguments, say: it will tell where it is used
        return False


def _comparisons() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """A loss, what the derivation takes it for, and what both are differentiated for."""
    rng = torch.Generator().manual_seed(0)
    for scale in SCALES:
        for size in ((1, 1, 4, 5), (1, 1, 1, 1)):
            scores = scale * torch.randn(size, generator=rng, dtype=torch.float64)
            scores.requires_grad_()
            yield losses.critic_real(scores), -scores.mean(), scores
            yield losses.critic_fake(scores), scores.mean(), scores
            yield losses.adversarial(scores), -scores.mean(), scores
        pictures = torch.randn(2, 1, 3, 6, 7, generator=rng, dtype=torch.float64)
        weights = scale * torch.randn(2, 3, 3, 3, generator=rng, dtype=torch.float64)
        weights.requires_grad_()
        mixing = torch.rand((), generator=rng, dtype=torch.float64)
        mixed = mixing * pictures[0] + (1 - mixing) * pictures[1]
        made = losses.interpolate(pictures[0], pictures[1], mixing)
        yield made * weights.sum(), mixed * weights.sum(), weights

        def critic(x: Tensor, weights: Tensor = weights) -> Tensor:
            return F.leaky_relu(F.conv2d(x, weights), 0.2).sum(1, keepdim=True)

        penalty = losses.gradient_penalty(critic, pictures[0], pictures[1], mixing)
        yield penalty, _penalty(critic, mixed), weights


def _penalty(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Mean over pixels of (||d sum D / dx||_2 - 1)^2."""
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.square().sum(1).sqrt() - 1).square().mean()


def _alike(made: Tensor, expected: Tensor, variable: Tensor) -> bool:
    if made.shape != expected.shape or not torch.allclose(made, expected, rtol=1e-6):
        return False
    (gradient,) = torch.autograd.grad(made.sum(), variable)
    (wanted,) = torch.autograd.grad(expected.sum(), variable)
    return torch.allclose(gradient, wanted, rtol=1e-6)
