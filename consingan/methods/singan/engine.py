"""How an iteration of one scale is executed, apart from what it computes.

`PlainEngine` is the authors' program as it behaves, one network call after the other: the oracle of
the tests and the yardstick of the benchmarks. `FastEngine` (fast_engine.py) computes the same with
less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from consingan.machine.precision import Arithmetic
from consingan.methods.singan.networks import Discriminator, Generator, learned
from consingan.nn import losses
from consingan.nn.optimizers import Adam

DECAY_AT = 1600  # iteration from which the rates are gamma times as large, whatever niter is
PICTURE_EVERY = 500  # iterations between the authors' pictures of a scale
ADAM_BETA2 = 0.999


@dataclass(frozen=True)
class Recipe:
    """The numbers of the training rule (paper, section 3.1 and supplement).

    Attributes:
        recompute_fake: make the generator's fake anew for each of its steps. The authors' program
            does not: see `PlainEngine`.
    """

    lr_g: float = 5e-4
    lr_d: float = 5e-4
    beta1: float = 0.5
    g_steps: int = 3
    d_steps: int = 3
    lambda_grad: float = 0.1
    alpha: float = 10.0
    recompute_fake: bool = False


@dataclass(frozen=True)
class ScaleTask:
    """What is trained at one scale.

    Attributes:
        generator: of this scale, in training mode.
        discriminator: of this scale.
        real: (1, 3, h, w) in [-1, 1].
        reconstructed: P(rec), (1, 3, h + 10, w + 10): what the fixed noises give at this scale.
        amplitude: of this scale's noise.
        recipe: numbers of the training rule.
    """

    generator: Generator
    discriminator: Discriminator
    real: Tensor
    reconstructed: Tensor
    amplitude: float
    recipe: Recipe


@dataclass(frozen=True)
class Draws:
    """All that is random in one iteration.

    Attributes:
        noise: z with its frame, (1, 3, h + 10, w + 10), the same for all discriminator steps.
        fixed: z* with its frame, of the same shape.
        previous: (d_steps, 3, h + 10, w + 10): P(prev) of each discriminator step.
        mixing: (d_steps,) in [0, 1): where between real and fake each gradient penalty is taken.
    """

    noise: Tensor
    fixed: Tensor
    previous: Tensor
    mixing: Tensor


@dataclass(frozen=True)
class Losses:
    """Losses of every step of an iteration.

    Attributes:
        critic: (d_steps, 3): mean D(real), mean D(fake), weighted penalty.
        generator: (g_steps, 2): -mean D(fake), weighted reconstruction.
    """

    critic: Tensor
    generator: Tensor

    @property
    def last(self) -> Tensor:
        """Those of the last steps, (5,) in the order of `method.LOSSES`, as the authors plot."""
        return torch.cat([self.critic[-1], self.generator[-1]])


class Engine(Protocol):
    """Executes iterations of one scale; holds its optimizers."""

    @property
    def optimizer_g(self) -> torch.optim.Optimizer:
        """The generator's optimizer."""
        ...

    @property
    def optimizer_d(self) -> torch.optim.Optimizer:
        """The discriminator's optimizer."""
        ...

    def step(self, draws: Draws) -> Losses:
        """Run one iteration."""
        ...

    def reconstruct(self, fixed: Tensor) -> Tensor:
        """G of the fixed noise `fixed` in training mode: it counts for the running statistics."""
        ...

    def take_up(self) -> None:
        """Heed that the networks' weights were changed from outside."""
        ...


EngineFactory = Callable[[ScaleTask], Engine]


class PlainEngine:
    """The training rule in float32, as the authors' program carries it out.

    The generator's steps all send -mean D(fake) back through the forward pass of the last
    discriminator step, as it is stored: activations, batch statistics, slopes and tanh of the
    weights of then, convolutions and gains of now. Torch 1.4 let Adam write into weights that a
    stored pass still needed; here the optimizer writes through `data`, which autograd does not
    watch either. Computing the fake anew is another method (`Recipe.recompute_fake`).
    """

    def __init__(self, task: ScaleTask) -> None:
        self.task, recipe = task, task.recipe
        self.weights_g = list(learned(task.generator).values())
        self.weights_d = list(learned(task.discriminator).values())
        self.optimizer_g = self._adam(self.weights_g, recipe.lr_g)
        self.optimizer_d = self._adam(self.weights_d, recipe.lr_d)

    def _adam(self, weights: list[torch.nn.Parameter], lr: float) -> Adam:
        betas = (self.task.recipe.beta1, ADAM_BETA2)
        return Adam([w.data for w in weights], lr=lr, betas=betas)

    def step(self, draws: Draws) -> Losses:
        """One iteration: the discriminator's steps, then the generator's."""
        device = self.task.real.device
        with Arithmetic().lasting(device).scope(device):
            critic = []
            for previous, mixing in zip(draws.previous.split(1), draws.mixing, strict=True):
                fake = self._fake(draws.noise, previous)
                critic.append(self._step_discriminator(fake.detach(), mixing))
            generator = []
            for step in range(self.task.recipe.g_steps):
                if step and self.task.recipe.recompute_fake:
                    fake = self._fake(draws.noise, previous)
                generator.append(self._step_generator(fake, draws.fixed))
        return Losses(torch.stack(critic), torch.stack(generator))

    def reconstruct(self, fixed: Tensor) -> Tensor:
        """See `Engine.reconstruct`."""
        task = self.task
        with torch.no_grad():
            return self._fake(fixed, task.reconstructed)

    def take_up(self) -> None:
        """Nothing is kept beside the weights."""

    def _fake(self, noise: Tensor, previous: Tensor) -> Tensor:
        """G(amplitude z + P(prev), P(prev))."""
        task = self.task
        fake: Tensor = task.generator(task.amplitude * noise + previous, previous)
        return fake

    def _step_discriminator(self, fake: Tensor, mixing: Tensor) -> Tensor:
        task, critic = self.task, self.task.discriminator
        real_loss = losses.critic_real(critic(task.real))
        fake_loss = losses.critic_fake(critic(fake))
        penalty = losses.gradient_penalty(critic, task.real, fake, mixing)
        penalty = task.recipe.lambda_grad * penalty
        total = real_loss + fake_loss + penalty
        _descend(self.optimizer_d, torch.autograd.grad(total, self.weights_d))
        return torch.stack([-real_loss, fake_loss, penalty]).detach()

    def _step_generator(self, fake: Tensor, fixed: Tensor) -> Tensor:
        task, alpha = self.task, self.task.recipe.alpha
        adversarial = losses.adversarial(task.discriminator(fake))
        gradients = torch.autograd.grad(adversarial, self.weights_g, retain_graph=True)
        reconstruction = torch.zeros_like(adversarial)
        if alpha:
            output = self._fake(fixed, task.reconstructed)
            reconstruction = alpha * losses.reconstruction(output, task.real)
            more = torch.autograd.grad(reconstruction, self.weights_g)
            gradients = tuple(a + b for a, b in zip(gradients, more, strict=True))
        _descend(self.optimizer_g, gradients)
        return torch.stack([adversarial, reconstruction]).detach()


def _descend(optimizer: torch.optim.Optimizer, gradients: tuple[Tensor, ...]) -> None:
    (group,) = optimizer.param_groups
    for weight, gradient in zip(group["params"], gradients, strict=True):
        weight.grad = gradient
    optimizer.step()


def learning_rate_factor(iteration: int, gamma: float) -> float:
    """1 during the first 1600 iterations of a scale, then `gamma`."""
    return gamma if iteration >= DECAY_AT else 1.0


def counts_a_picture(iteration: int, iterations: int) -> bool:
    """Whether the authors' program makes a picture of the reconstruction after `iteration`.

    Its forward pass moves the running statistics, so it is part of the method.
    """
    return iteration % PICTURE_EVERY == 0 or iteration == iterations - 1


def set_rates(engine: Engine, recipe: Recipe, factor: float) -> None:
    """Let both optimizers go on with `factor` times their first rates."""
    pairs = ((engine.optimizer_g, recipe.lr_g), (engine.optimizer_d, recipe.lr_d))
    for optimizer, rate in pairs:
        for group in optimizer.param_groups:
            group["lr"] = rate * factor
