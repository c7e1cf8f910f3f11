"""How long an iteration takes: guessed for the bar, tried out for the plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from consingan.machine.graphs import WARM_UP
from consingan.methods.consingan.draws import SeededRandomness
from consingan.methods.consingan.engine import StageTask
from consingan.methods.consingan.networks import Generator
from consingan.methods.contract import Rehearsal
from consingan.nn.discriminator import Discriminator

if TYPE_CHECKING:
    from consingan.methods.consingan.training import ConSinGANTraining

LONGEST_TURN = 12  # iterations; a penalty that comes more seldom costs next to nothing


def cost(stage: int, pixels: Sequence[float], d_steps: int, device: torch.device) -> float:
    """Relative time of one iteration of a stage, by the pixels that its networks work on.

    Whatever the pixels, a layer takes as long as some of them do: on a CPU few, while a GPU's
    kernels take long to launch. A critic step takes about a fifth of an iteration of three.

    Args:
        stage: its number, from 0.
        pixels: h * w of every stage.
        d_steps: steps of the critic in an iteration of that stage.
        device: where it is computed.
    """
    fixed = 750.0 if device.type == "cpu" else 2500.0
    generator_share, critic_step = 0.15, 0.19
    work = fixed * (stage + 3) + pixels[stage] + generator_share * sum(pixels[:stage])
    return float(round(work * (1 + critic_step * (d_steps - 3))))  # whole: adds up exactly


def rehearse(training: ConSinGANTraining, stage: int) -> Rehearsal:
    """Iterations of `stage` with fresh networks; the training is left as it is."""
    from consingan.methods.consingan.training import recipe_of

    config, device = training.config_of(stage), training.device
    randomness = SeededRandomness(0, training.model.task, device)
    generator = Generator(config.architecture, training.model.task.border)
    while generator.stages <= stage:
        generator.grow()
    discriminator = Discriminator(config.architecture)
    randomness.initialize(generator, "generator")
    randomness.initialize(discriminator, "discriminator")
    shapes, reals = training.shapes(stage), training.reals[: stage + 1]
    task = StageTask(
        generator.to(device),
        discriminator.to(device),
        reals[-1],
        [randomness.fixed_noise(k, shapes[k], reals[0]) for k in range(stage + 1)],
        [0.1] * (stage + 1),
        recipe_of(config),
    )
    engine, source = training.make_engine(task), reals[0].cpu()

    def step(iteration: int) -> Any:
        draws = randomness.draws(stage, iteration, shapes, source, config.d_steps)
        return engine.step(draws, iteration)

    turn = min(math.lcm(config.penalty_every, config.d_steps) // config.d_steps, LONGEST_TURN)
    # A graph is recorded for each kind of iteration.
    untimed = turn * (WARM_UP + 1) if device.type == "cuda" else turn
    return Rehearsal(step, turn, untimed)
