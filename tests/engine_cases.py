"""What the tests of engines share: small stages to train, noise to feed, comparisons."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from consingan.methods.consingan.draws import Draws, noise_shapes
from consingan.methods.consingan.engine import Engine, Recipe, StageTask
from consingan.methods.consingan.networks import Generator
from consingan.nn.architecture import Architecture
from consingan.nn.blocks import initialize
from consingan.nn.discriminator import Discriminator
from consingan.nn.noise import gaussian, stream
from consingan.nn.sliced import patch_directions


@dataclass(frozen=True)
class Case:
    """A small stage: networks, sizes of the pyramid, recipe."""

    border: str = "noise"
    shape: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    sizes: tuple[tuple[int, int], ...] = ((12, 14), (14, 17), (17, 21))
    dtype: torch.dtype = torch.float64

    def task(self, seed: int = 0) -> StageTask:
        """Fresh networks, not quite as they are made: weights large enough to matter."""
        shape = Architecture(**{"channels": 5, **self.shape})
        rng = stream(seed, "case")
        generator, discriminator = Generator(shape, self.border), Discriminator(shape)  # type: ignore[arg-type]
        initialize(generator, rng)
        initialize(discriminator, rng)
        for _ in self.sizes[1:]:
            generator.grow()
        with torch.no_grad():
            for network in (generator, discriminator):
                for parameter in network.parameters():
                    noise = torch.randn(parameter.shape, generator=rng)
                    parameter.add_(noise, alpha=0.2 if parameter.ndim > 1 else 0.05)
        colors = shape.image_channels
        shapes = noise_shapes(self.sizes, shape.channels, colors, generator.frame)
        fixed = [gaussian(s, rng).to(self.dtype) for s in shapes]
        real = torch.tanh(gaussian((1, colors, *self.sizes[-1]), rng)).to(self.dtype).contiguous()
        amplitudes = [1.0] + [0.3] * (len(self.sizes) - 1)
        return StageTask(
            generator.to(self.dtype),
            discriminator.to(self.dtype),
            real,
            fixed,
            amplitudes,
            Recipe(**{"train_depth": 2, **self.recipe}),
        )


def draws_for(task: StageTask, iteration: int) -> Draws:
    """What an iteration draws, the same for every engine."""
    rng = stream("draws", iteration)
    dtype = task.real.dtype
    noises = [gaussian(z.shape, rng).to(dtype) for z in task.fixed_noises]
    mixing = torch.rand(task.recipe.d_steps, generator=rng).to(dtype)
    directions = patch_directions(3, rng).to(dtype) if task.recipe.sw_weight else None
    return Draws(noises, mixing, directions)


def run(engine: Engine, task: StageTask, iterations: int) -> Tensor:
    """Losses (iterations, 5 or 6)."""
    return torch.stack([engine.step(draws_for(task, k), k) for k in range(iterations)])


def twins(task: StageTask) -> tuple[StageTask, StageTask]:
    """Two tasks that share nothing."""
    return copy.deepcopy(task), copy.deepcopy(task)


def weights_with_effect(task: StageTask) -> dict[str, Tensor]:
    """All weights but those whose gradient is zero.

    A normalization right after a convolution takes the convolution's bias out again. What rounding
    leaves of that gradient, Adam blows up to whole steps, which no computation can repeat.
    """
    named = {f"g.{n}": p.detach() for n, p in task.generator.named_parameters()}
    named |= {f"d.{n}": p.detach() for n, p in task.discriminator.named_parameters()}
    normalized = {n.replace("norm.bias", "conv.bias") for n in named if n.endswith("norm.bias")}
    return {n: p for n, p in named.items() if n not in normalized}


def copy_state(source: tuple[StageTask, Engine], target: tuple[StageTask, Engine]) -> None:
    """Give one training the weights and the optimizers' moments of another."""
    (from_task, from_engine), (to_task, to_engine) = source, target
    to_task.generator.load_state_dict(from_task.generator.state_dict())
    to_task.discriminator.load_state_dict(from_task.discriminator.state_dict())
    for one, other in (
        (from_engine.optimizer_g, to_engine.optimizer_g),
        (from_engine.optimizer_d, to_engine.optimizer_d),
    ):
        state = copy.deepcopy(one.state_dict()["state"])
        other.load_state_dict({**other.state_dict(), "state": state})
