"""One iteration of DCGAN: a step of the critic, then one of the generator on the same pictures."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.optim import Optimizer

from consingan.nn.gan import cross_entropy, frozen


def step(
    generator: nn.Module,
    critic: nn.Module,
    optimizers: Sequence[Optimizer],
    real: Tensor,
    z: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """The critic sees real and made pictures apart, so that batch norm does not mix them.

    Args:
        generator: of pictures.
        critic: its scores are before the sigmoid.
        optimizers: of the generator and of the critic.
        real: (N, 3, side, side) in [-1, 1].
        z: (N, nz, 1, 1).

    Returns:
        Losses of the critic on real and on made pictures, of the generator after its step.
    """
    of_generator, of_critic = optimizers
    made = generator(z)
    of_critic.zero_grad()
    on_real = cross_entropy(critic(real), 1.0)
    on_made = cross_entropy(critic(made.detach()), 0.0)
    (on_real + on_made).backward()
    of_critic.step()
    of_generator.zero_grad()
    with frozen(critic):
        fooled = cross_entropy(critic(made), 1.0)
    fooled.backward()
    of_generator.step()
    return on_real, on_made, fooled
