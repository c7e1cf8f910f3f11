"""The doors of ConSinGAN, see `contract.Code`: set a training up, take it up again, restore."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from consingan.images.resize import resize_to, scaled_size, training_scale
from consingan.machine.execution import Execution
from consingan.methods.consingan import large, model, official
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.draws import randomness_of
from consingan.methods.consingan.effort import layout_stages
from consingan.methods.consingan.foresight import stage_sizes
from consingan.methods.consingan.model import ConSinGAN
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.pyramid import build_pyramid, stages_above
from consingan.methods.consingan.tasks import TASKS, fine_tuned
from consingan.methods.consingan.training import ConSinGANTraining
from consingan.methods.contract import Inputs, Size
from consingan.methods.holes import Holed, holed, holed_from
from consingan.nn.discriminator import Discriminator
from consingan.nn.optimizers import part
from consingan.settings.layers import Chosen


def fitted(
    chosen: Chosen[ConSinGANConfig], size: Size
) -> tuple[Chosen[ConSinGANConfig], list[str]]:
    """Fit recommended settings to a picture of `size` (h, w) px.

    Windows and more stages where it is large; a smaller min_size and no layout of its own where it
    is small.
    """
    notes: list[str] = []
    for fit in (large.fitted, _fitted_to_small, _without_idle_layout):
        chosen, more = fit(chosen, size)
        notes += more
    return chosen, notes


def _fitted_to_small(
    chosen: Chosen[ConSinGANConfig], size: Size
) -> tuple[Chosen[ConSinGANConfig], list[str]]:
    """Lower a task's own min_size where a picture of `size` (h, w) px is too small for it."""
    config = chosen.config
    if chosen.origin["min_size"] != "task":
        return chosen, []
    short = min(scaled_size(size, training_scale(size, config.max_size)))
    if config.min_size < short:
        return chosen, []
    recommended = TASKS[config.train_mode].overrides["min_size"]
    lowered = large.lowered_min_size(short, config.architecture.smallest_image)
    note = f"min_size lowered from {recommended} to {lowered}: the shorter side is {short} px."
    lower = config.replace(min_size=lowered)
    lower.check()
    return Chosen(lower, {**chosen.origin, "min_size": "picture"}), [note]


def _without_idle_layout(
    chosen: Chosen[ConSinGANConfig], size: Size
) -> tuple[Chosen[ConSinGANConfig], list[str]]:
    """All stages where none is finer than the layout: fine_niter counts, longer is possible."""
    config = chosen.config
    if not (config.finished and config.layout):
        return chosen, []
    sizes = stage_sizes(config, scaled_size(size, training_scale(size, config.max_size)))
    if layout_stages(config, sizes):
        return chosen, []
    note = f"No stage is finer than the layout (--layout {config.layout}): all stages are trained."
    whole = Chosen(config.replace(layout=0), {**chosen.origin, "layout": "picture"})
    return whole, [note] if config.train_stages > 1 else []


def begin(
    config: ConSinGANConfig,
    inputs: Inputs,
    execution: Execution,
    base: Mapping[str, Tensor] | None = None,
) -> ConSinGANTraining:
    """Set up a new training, see `contract.Code`."""
    if base is not None:
        assert inputs.naive is not None
        first = base["real.0"]
        size = (first.shape[-2], first.shape[-1])
        source = resize_to(inputs.naive.to(execution.device), size).clamp(-1, 1)
        return take_up(config, {**base, "source": source}, execution)
    around = holed(inputs) if inputs.mask is not None or TASKS[config.train_mode].needs else None
    image = inputs.image if around is None else around.picture
    reals = [real.to(execution.device) for real in _pyramid(config, image)]
    return training_on(config, reals, execution, around)


def _pyramid(config: ConSinGANConfig, image: Tensor) -> list[Tensor]:
    spacing = TASKS[config.train_mode].spacing
    smallest = config.architecture.smallest_image
    size = (image.shape[-2], image.shape[-1])
    finest = scaled_size(size, training_scale(size, config.max_size))
    above = stages_above(finest, config.min_size) if config.crop else 0
    return build_pyramid(
        image, config.train_stages, config.min_size, config.max_size, spacing, smallest, above
    )


def training_on(
    config: ConSinGANConfig,
    reals: list[Tensor],
    execution: Execution,
    around: Holed | None = None,
) -> ConSinGANTraining:
    """A new training on a pyramid `reals`, coarsest first, that lies on the device.

    Raises:
        UserError: too little is known around the hole.
    """
    task = TASKS[config.train_mode]
    if around is not None:
        task = task.around(around.at((reals[0].shape[-2], reals[0].shape[-1])))
    generator = Generator(config.architecture, config.border)
    discriminator = Discriminator(config.architecture)
    randomness = randomness_of(config, task, execution.device)
    randomness.initialize(generator, "generator")
    randomness.initialize(discriminator, "discriminator")
    generator = generator.to(execution.device)
    new = ConSinGAN(config, generator, [], execution.arithmetic, around)
    return ConSinGANTraining(new, discriminator.to(execution.device), reals, randomness, execution)


def take_up(
    config: ConSinGANConfig, tensors: Mapping[str, Tensor], execution: Execution
) -> ConSinGANTraining:
    """The training as it was at its very start, see `contract.Code`."""
    device = execution.device
    reals = [tensors[f"real.{k}"].to(device) for k in range(config.train_stages)]
    model.refuse_huge(config, config.train_stages)
    if wrong := [k for k, real in enumerate(reals) if real.shape[1] != config.nc_im]:
        raise RuntimeError(f"real.{wrong[0]} has the shape {tuple(reals[wrong[0]].shape)}")
    if config.fine_tune and tensors["source"].shape != reals[0].shape:
        raise RuntimeError(f"source has the shape {tuple(tensors['source'].shape)}")
    if not config.fine_tune:
        return training_on(config, reals, execution, holed_from(tensors))
    trained = model.restore(config, tensors, execution)
    discriminator = Discriminator(config.architecture)
    if weights := part(tensors, "discriminator"):
        discriminator.load_state_dict(weights)
    task = fine_tuned(TASKS[config.train_mode])
    return ConSinGANTraining(
        trained,
        discriminator.to(device),
        reals,
        randomness_of(config, task, device),
        execution,
        source_image=tensors["source"].to(device),
    )


def restore(
    config: ConSinGANConfig, tensors: Mapping[str, Tensor], execution: Execution
) -> ConSinGAN:
    """A trained model, see `model.restore`."""
    return model.restore(config, tensors, execution)


def read(path: Path) -> tuple[Any, dict[str, Tensor]]:
    """A run of the authors' program, see `official.read`."""
    return official.read(path)
