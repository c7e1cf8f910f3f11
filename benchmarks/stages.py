"""The stages that speed and memory are measured on, with random weights and a random picture."""

from __future__ import annotations

import torch
from torch import Tensor

from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.draws import Draws, noise_shapes
from consingan.methods.consingan.engine import StageTask, recipe_of
from consingan.methods.consingan.large import lowered_min_size
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.pyramid import stage_sizes
from consingan.methods.consingan.tasks import TASKS
from consingan.nn.blocks import initialize
from consingan.nn.discriminator import Discriminator
from consingan.nn.noise import gaussian, stream
from consingan.nn.sliced import patch_directions

SHORTER_SIDE = 2 / 3  # of the longer one, as in a photograph

Size = tuple[int, int]


def sizes_of(
    longer: int, stages: int, mode: str = "generation", smallest: int | None = None
) -> list[Size]:
    """Sizes (h, w) in px of the stages for a photograph whose longer side has `longer` px.

    `smallest` is the shorter side of the first stage, by default as the mode recommends; where
    the photograph is no larger it is lowered as for a training.
    """
    size = (round(longer * SHORTER_SIDE), longer)
    smallest = smallest or int(TASKS[mode].overrides.get("min_size", ConSinGANConfig.min_size))
    if smallest >= size[0]:
        smallest = lowered_min_size(size[0])
    return stage_sizes(size, stages, smallest, longer, TASKS[mode].spacing)


def make_task(
    longer: int,
    stages: int,
    mode: str = "generation",
    device: torch.device | str = "cpu",
    config: ConSinGANConfig | None = None,
) -> StageTask:
    """What is trained in the last of the stages, networks new; `config` is the default one."""
    return task_of(sizes_of(longer, stages, mode), mode, device, config or ConSinGANConfig())


def task_of(
    sizes: list[Size], mode: str, device: torch.device | str, config: ConSinGANConfig
) -> StageTask:
    """What is trained in the last stage of a pyramid of `sizes` (h, w)."""
    rng = stream("benchmark", len(sizes))
    generator = Generator(config.architecture, TASKS[mode].border)
    discriminator = Discriminator(config.architecture)
    initialize(generator, rng, config.init)
    initialize(discriminator, rng, config.init)
    for _ in sizes[1:]:
        generator.grow()
    shapes = noise_shapes(sizes, config.nfc, config.nc_im, generator.frame)
    fixed = [gaussian(s, rng, device).contiguous() for s in shapes]
    real: Tensor = torch.tanh(gaussian((1, config.nc_im, *sizes[-1]), rng)).contiguous().to(device)
    amplitudes = [1.0] + [0.1] * (len(sizes) - 1)
    return StageTask(
        generator.to(device), discriminator.to(device), real, fixed, amplitudes, recipe_of(config)
    )


def new_draws(task: StageTask, iteration: int) -> Draws:
    """What an iteration draws, where it is used."""
    device = task.real.device
    rng = stream("draws", iteration, device=device)
    noises = [gaussian(z.shape, rng) for z in task.fixed_noises]
    mixing = torch.rand(task.recipe.d_steps, generator=rng, device=device)
    if not task.recipe.sw_weight:
        return Draws(noises, mixing)
    directions = patch_directions(task.real.shape[1], stream("directions", iteration))
    return Draws(noises, mixing, directions.to(device))
