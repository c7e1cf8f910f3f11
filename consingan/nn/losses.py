"""The WGAN-GP losses and the reconstruction loss: tensors in, scalar tensors out."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Critic = Callable[[Tensor], Tensor]


def critic_real(scores: Tensor) -> Tensor:
    """-mean D(real), the discriminator's loss on the real image."""
    return -scores.mean()


def critic_fake(scores: Tensor) -> Tensor:
    """Mean D(fake), the discriminator's loss on a generated image."""
    return scores.mean()


def adversarial(scores: Tensor) -> Tensor:
    """-mean D(fake), the generator's loss."""
    return -scores.mean()


def interpolate(real: Tensor, fake: Tensor, mixing: Tensor) -> Tensor:
    """Mix x = a real + (1 - a) fake, with one scalar a in [0, 1]; pictures (1, 3, h, w)."""
    return mixing * real + (1 - mixing) * fake


def norm_penalty(gradient: Tensor) -> Tensor:
    """Mean over pixels of (||g||_2 - 1)^2, the norm over the channels of each pixel.

    Gulrajani et al. 2017, eq. 3, applied to each pixel as SinGAN does. `gradient` (N, 3, h, w).
    """
    norm: Tensor = torch.linalg.vector_norm(gradient, dim=1)
    return (norm - 1).square().mean()


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, mixing: Tensor) -> Tensor:
    """Penalty on the critic's input gradient between `real` and `fake`, to be differentiated."""
    x = interpolate(real, fake, mixing).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return norm_penalty(gradient)


def reconstruction(output: Tensor, real: Tensor) -> Tensor:
    """Mean squared error between what the fixed noise gives and the real image, in [-1, 1]."""
    return F.mse_loss(output, real)
