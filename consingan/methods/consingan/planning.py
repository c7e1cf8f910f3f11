"""What a training will take: numbers of weights, memory, time guessed and tried out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from consingan.images.resize import scaled_size
from consingan.machine.execution import Execution
from consingan.machine.graphs import WARM_UP
from consingan.methods.consingan import foresight
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.crops import Crops, crops_of
from consingan.methods.consingan.draws import Randomness, noise_shapes, randomness_of
from consingan.methods.consingan.effort import at_stage, layout_stages, sketched
from consingan.methods.consingan.engine import EngineFactory, StageTask, recipe_of
from consingan.methods.consingan.large import refitted
from consingan.methods.consingan.model import ConSinGAN
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.windows import part_of
from consingan.methods.contract import Rehearsal, Size
from consingan.nn.discriminator import Discriminator
from consingan.nn.noise_field import NoiseField
from consingan.nn.regions import Region
from consingan.settings.layers import Chosen

LONGEST_TURN = 12  # iterations; a penalty that comes more seldom costs next to nothing


class Planned:
    """The part of a training that says what it will take."""

    model: ConSinGAN
    discriminator: Discriminator
    reals: list[Tensor]
    execution: Execution
    make_engine: EngineFactory
    device: torch.device
    regions: list[Region]  # what counts of the picture at each stage

    @property
    def stages(self) -> int:
        """How many there are."""
        return self.model.config.train_stages

    @property
    def sizes(self) -> list[Size]:
        """(h, w) in px of every stage."""
        return [(real.shape[-2], real.shape[-1]) for real in self.reals]

    def iterations(self, stage: int) -> int:
        """Iterations of `stage`."""
        return self.config_of(stage).niter

    def config_of(self, stage: int) -> ConSinGANConfig:
        """The settings of `stage`."""
        return _configs(self.model.config, tuple(self.sizes))[stage]

    @property
    def sketched(self) -> Size | None:
        """See `contract.Sketches`."""
        return sketched(self.model.config, self.sizes)

    def crops_of(self, stage: int) -> Crops | None:
        """How `stage` is trained on windows; None: on the whole picture."""
        return crops_of(self.model.config, self.sizes[: stage + 1])

    def shapes(self, stage: int) -> list[tuple[int, ...]]:
        """Shapes of z_0..z_stage."""
        config, frame = self.model.config, self.model.generator.frame
        return list(noise_shapes(self.sizes[: stage + 1], config.nfc, config.nc_im, frame))

    def facts(self) -> Iterator[str]:
        """The sizes of the pyramid, the numbers of weights."""
        yield "pyramid: " + ", ".join(f"{w}x{h}" for h, w in self.sizes)
        if size := self.sketched:
            yield (
                f"trained up to {size[1]}x{size[0]}, which decides on the layout; finer stages are "
                "only begun, for samples are finished with the image's own patches (--layout)"
            )
        generator, discriminator = self.parameter_counts()
        yield (f"parameters: generator {generator:,} (all stages), discriminator {discriminator:,}")

    def parameter_counts(self) -> tuple[int, int]:
        """Weights of the generator with all its stages, and of the discriminator."""
        generator = self.model.generator
        stage = sum(p.numel() for p in generator.body[0].parameters())
        shared = [*generator.head.parameters(), *generator.tail.parameters()]
        critic = sum(p.numel() for p in self.discriminator.parameters())
        return sum(p.numel() for p in shared) + stage * self.stages, critic

    def cost(self, stage: int) -> float:
        """Relative time of an iteration of `stage`, see `cost`."""
        pixels = [
            float(h * w) for h, w in foresight.worked_on(self.model.config, self.sizes[: stage + 1])
        ]
        return cost(stage, pixels, self.config_of(stage).d_steps, self.device)

    def peak_memory(self, checkpointing: bool | None = None) -> int | None:
        """Bytes that the largest step takes beside the program."""
        execution = self.execution
        if checkpointing and execution.engine == "plain":
            return None
        if checkpointing is not None:
            execution = dataclasses.replace(execution, checkpointing=checkpointing)
        return foresight.peak_memory(self.model.config, self.sizes, execution)

    def peak_memory_at(self, longer: int, origin: Mapping[str, str]) -> int:
        """See `contract.Resizes`."""
        size = scaled_size(self.sizes[-1], longer / max(self.sizes[-1]))
        config = refitted(Chosen(self.model.config, origin), self.sizes[-1], size)
        sizes = foresight.stage_sizes(config, size)
        return foresight.peak_memory(config, sizes, self.execution)

    def rehearse(self, stage: int) -> Rehearsal:
        """Iterations of `stage` with fresh networks."""
        return rehearse(self, stage)


@lru_cache(maxsize=64)
def _configs(config: ConSinGANConfig, sizes: tuple[Size, ...]) -> list[ConSinGANConfig]:
    """The settings of each stage; asked for in every iteration."""
    crops = [crops_of(config, sizes[: stage + 1]) for stage in range(len(sizes))]
    seen = [part.size if part else size for part, size in zip(crops, sizes, strict=True)]
    pixels, whole = [h * w for h, w in seen], layout_stages(config, sizes)
    return [at_stage(config, stage, pixels, whole) for stage in range(len(sizes))]


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


def rehearse(training: Planned, stage: int) -> Rehearsal:
    """Iterations of `stage` with fresh networks; the training is left as it is."""
    config, device = training.config_of(stage), training.device
    randomness = randomness_of(config, training.model.task, device)
    generator = Generator(config.architecture, config.border)
    while generator.stages <= stage:
        generator.grow()
    discriminator = Discriminator(config.architecture)
    randomness.initialize(generator, "generator")
    randomness.initialize(discriminator, "discriminator")
    shapes, reals = training.shapes(stage), training.reals[: stage + 1]
    crops, fixed = training.crops_of(stage), _fixed_noises(training, randomness, shapes)
    task = StageTask(
        generator.to(device),
        discriminator.to(device),
        part_of(reals[-1], crops.window(0)) if crops else reals[-1],
        [z for z in fixed if isinstance(z, Tensor)],
        [0.1] * (stage + 1),
        recipe_of(config),
        region=training.regions[stage],
        windowed=crops is not None,
    )
    engine, source = training.make_engine(task), reals[0].cpu()

    def step(iteration: int) -> Any:
        sight = None
        if crops:
            sight = crops.sight(task.generator, reals[-1], fixed, iteration, task.region)
        seen = [tuple(z.shape) for z in sight.fixed] if sight else shapes
        draws = randomness.draws(stage, iteration, seen, source, config.d_steps)
        return engine.step(dataclasses.replace(draws, sight=sight), iteration)

    turn = min(math.lcm(config.penalty_every, config.d_steps) // config.d_steps, LONGEST_TURN)
    # A graph is recorded for each kind of iteration.
    untimed = turn * (WARM_UP + 1) if device.type == "cuda" else turn
    return Rehearsal(step, turn, untimed)


def _fixed_noises(
    training: Planned, randomness: Randomness, shapes: Sequence[tuple[int, ...]]
) -> list[Tensor | NoiseField]:
    """Those of the stages of `shapes`; of stages that are trained on windows no whole ones."""
    return [
        randomness.fixed_noise(stage, shape, training.reals[0])
        if training.crops_of(stage) is None
        else NoiseField.shaped(stage, shape, training.device)
        for stage, shape in enumerate(shapes)
    ]
