"""How a training iteration is executed, apart from what it computes.

`PlainEngine` is the method as one would write it down beside the paper: the oracle of the tests
and the yardstick of the benchmarks. `FastEngine` (fast_engine.py) computes the same with less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.draws import Draws, Sight
from consingan.methods.consingan.networks import Generator
from consingan.nn import losses
from consingan.nn.discriminator import Discriminator
from consingan.nn.optimizers import Adam
from consingan.nn.regions import EVERYTHING, Region
from consingan.nn.sliced import sliced_distance


@dataclass(frozen=True)
class Recipe:
    """The numbers of the training rule (Hinz et al. 2021, section 3)."""

    train_depth: int = ConSinGANConfig.train_depth
    lr_g: float = ConSinGANConfig.lr_g
    lr_d: float = ConSinGANConfig.lr_d
    lr_scale: float = ConSinGANConfig.lr_scale
    beta1: float = ConSinGANConfig.beta1
    beta2: float = ConSinGANConfig.beta2
    g_steps: int = ConSinGANConfig.g_steps
    d_steps: int = ConSinGANConfig.d_steps
    lambda_grad: float = ConSinGANConfig.lambda_grad
    penalty_every: int = ConSinGANConfig.penalty_every
    alpha: float = ConSinGANConfig.alpha
    sw_weight: float = ConSinGANConfig.sw_weight

    @property
    def betas(self) -> tuple[float, float]:
        """Adam's momenta."""
        return self.beta1, self.beta2

    def penalty_weight(self, iteration: int, step: int) -> float:
        """Weight of the gradient penalty at one discriminator step; 0 where it is left out."""
        turn = (iteration * self.d_steps + step) % self.penalty_every
        return self.lambda_grad * self.penalty_every if turn == 0 else 0.0

    def penalty_weights(self, iteration: int) -> tuple[float, ...]:
        """`penalty_weight` of every discriminator step of an iteration."""
        return tuple(self.penalty_weight(iteration, step) for step in range(self.d_steps))


def recipe_of(config: ConSinGANConfig) -> Recipe:
    """The numbers of the training rule that `config` holds."""
    names = Recipe.__dataclass_fields__
    return Recipe(**{name: getattr(config, name) for name in names})


@dataclass(frozen=True)
class StageTask:
    """What is trained in one stage: networks, the image, the fixed noise that must give it.

    Where iterations see windows (`windowed`), `real` is one of them and there are no
    `fixed_noises`: both come with the draws.
    """

    generator: Generator
    discriminator: Discriminator
    real: Tensor
    fixed_noises: Sequence[Tensor]
    amplitudes: Sequence[float]
    recipe: Recipe
    region: Region = EVERYTHING
    windowed: bool = False

    @property
    def sight(self) -> Sight:
        """The whole picture."""
        return Sight(self.generator, self.real, self.fixed_noises, self.region)

    def sliced(self, fake: Tensor, sight: Sight, directions: Tensor | None) -> list[Tensor]:
        """The weighted sliced Wasserstein distance of a sample to the image, if it has a weight.

        What is not known of the image is as the sample has it: there is nothing to compare.
        """
        if not self.recipe.sw_weight:
            return []
        assert directions is not None
        known = sight.region.known(sight.real, fake.detach())
        return [self.recipe.sw_weight * sliced_distance(fake, known, directions)]

    def freeze(self) -> None:
        """Let gradients flow only to what this stage trains."""
        self.generator.requires_grad_(False)
        for group in self.generator_groups():
            for parameter in group["params"]:
                parameter.requires_grad_(True)

    def generator_groups(self) -> list[dict[str, Any]]:
        """Trained parameters of the generator with their learning rates."""
        recipe = self.recipe
        return self.generator.param_groups(recipe.lr_g, recipe.lr_scale, recipe.train_depth)


class Engine(Protocol):
    """Executes iterations of one stage; holds its optimizers."""

    @property
    def optimizer_g(self) -> torch.optim.Optimizer:
        """The generator's optimizer."""
        ...

    @property
    def optimizer_d(self) -> torch.optim.Optimizer:
        """The discriminator's optimizer."""
        ...

    def step(self, draws: Draws, iteration: int) -> Tensor:
        """Run one iteration; its losses in the order of `method.losses_of`, undetached."""
        ...


EngineFactory = Callable[[StageTask], Engine]


class PlainEngine:
    """The training rule in float32 as the paper states it, one network call after the other."""

    def __init__(self, task: StageTask) -> None:
        task.freeze()
        self.task = task
        betas = task.recipe.betas
        self.optimizer_g = Adam(task.generator_groups(), betas=betas)
        self.optimizer_d = Adam(task.discriminator.parameters(), lr=task.recipe.lr_d, betas=betas)

    def step(self, draws: Draws, iteration: int) -> Tensor:
        """One iteration: the discriminator's steps, then the generator's."""
        device = self.task.real.device
        with Arithmetic().lasting(device).scope(device):
            return self._step(draws, iteration)

    def _step(self, draws: Draws, iteration: int) -> Tensor:
        task, recipe = self.task, self.task.recipe
        sight = draws.sight or task.sight
        noises = [z.contiguous() for z in draws.noises]
        for step, mixing in enumerate(draws.mixing):
            weight = recipe.penalty_weight(iteration, step)
            d_losses = self._step_discriminator(sight, noises, mixing, weight)
        task.discriminator.requires_grad_(False)
        fake = self._fake(sight, noises)
        adversarial = losses.adversarial(task.discriminator(fake))
        sliced = task.sliced(fake, sight, draws.directions)
        output = sight.passes(sight.fixed, task.amplitudes)
        compared = sight.region.pixels(output, sight.real)
        reconstruction = recipe.alpha * losses.reconstruction(*compared)
        self.optimizer_g.zero_grad()
        sum(sliced, adversarial + reconstruction).backward()
        for _ in range(recipe.g_steps):  # several steps on one gradient: the method's behavior
            self.optimizer_g.step()
        task.discriminator.requires_grad_(True)
        g_losses = [adversarial, reconstruction, *sliced]
        return torch.stack([*d_losses, *(loss.detach() for loss in g_losses)])

    def _fake(self, sight: Sight, noises: Sequence[Tensor]) -> Tensor:
        fake: Tensor = sight.passes(noises, self.task.amplitudes)
        return fake

    def _step_discriminator(
        self, sight: Sight, noises: Sequence[Tensor], mixing: Tensor, weight: float
    ) -> list[Tensor]:
        task = self.task
        fake = self._fake(sight, noises).detach()
        real_loss = losses.critic_real(sight.region.scores(task.discriminator(sight.real)))
        fake_loss = losses.critic_fake(task.discriminator(fake))
        penalty = torch.zeros_like(real_loss)
        if weight:
            critic = task.discriminator
            known = sight.region.known(sight.real, fake)
            penalty = weight * losses.gradient_penalty(critic, known, fake, mixing)
        self.optimizer_d.zero_grad()
        (real_loss + fake_loss + penalty).backward()
        self.optimizer_d.step()
        return [-real_loss.detach(), fake_loss.detach(), penalty.detach()]
