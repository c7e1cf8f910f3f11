"""The doors of SinGAN, see `contract.Code`: set a training up, take it up again, restore."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.methods.contract import Inputs, Size
from consingan.methods.singan import official
from consingan.methods.singan.config import SinGANConfig
from consingan.methods.singan.injection import check_start_scale
from consingan.methods.singan.method import find_official
from consingan.methods.singan.model import (
    SinGAN,
    pyramid_of,
    scales_from,
    with_own_amplitude,
)
from consingan.methods.singan.pyramid import (
    USUAL_ENLARGEMENT,
    Pyramid,
    plan_enlargement,
    plan_enlarging_pyramid,
    plan_pyramid,
)
from consingan.methods.singan.quantization import Palette, find_palette
from consingan.methods.singan.resize import crop, from_bytes, resize
from consingan.methods.singan.tasks import TASKS
from consingan.methods.singan.training import SinGANTraining
from consingan.nn import noise
from consingan.nn.optimizers import part
from consingan.settings.layers import Chosen

WHOLE = 1e-3  # of a byte, within which a picture's values are those of an 8-bit file


def fitted(chosen: Chosen[SinGANConfig], size: Size) -> tuple[Chosen[SinGANConfig], list[str]]:
    """Nothing of the settings depends on the picture; look whether they fit it.

    Raises:
        UserError: the picture is too small.
    """
    plan(chosen.config, size)
    return chosen, []


def plan(config: SinGANConfig, size: Size) -> Pyramid:
    """The pyramid of a picture of `size` (h, w) px.

    Raises:
        UserError: the picture is too small.
    """
    if not TASKS[config.train_mode].enlarging:
        return plan_pyramid(size, config.scale_factor, config.min_size, config.max_size)
    step = plan_enlargement(config.sr_factor).step
    return plan_enlarging_pyramid(size, step, config.min_size, config.max_size)


def begin(
    config: SinGANConfig,
    inputs: Inputs,
    execution: Execution,
    base: Mapping[str, Tensor] | None = None,
) -> SinGANTraining:
    """Set up a new training, see `contract.Code`."""
    if base is not None:
        return _few_colors(config, base, execution)
    image = _as_file(inputs.image).to(execution.device)
    pyramid = plan(config, (image.shape[-2], image.shape[-1]))
    trained = resize(image, pyramid.first)
    reals = [resize(trained, pyramid.factor(n)) for n in range(pyramid.last + 1)]
    return SinGANTraining(SinGAN(config, reals, [], execution.arithmetic), execution)


def _as_file(image: Tensor) -> Tensor:
    """A picture of 8 bits with its values computed as the authors do: the last bit counts.

    `resize` truncates to bytes, so that a value a rounding lower becomes another byte.
    """
    levels = (image.double() + 1) * 127.5
    if (levels - levels.round()).abs().max() > WHOLE:
        return image
    return from_bytes(levels.round())


def _few_colors(
    config: SinGANConfig, base: Mapping[str, Tensor], execution: Execution
) -> SinGANTraining:
    """Train one scale of a finished run anew, for a paint in few colors."""
    reals = _reals(base, execution.device)
    pyramid = pyramid_of(config, reals)
    if config.train_mode != "paint2image":
        raise UserError("--fine_tune of --method singan is for --train_mode paint2image.")
    check_start_scale(config.paint_start_scale, pyramid.last)
    palette = _palette(config, reals, pyramid.ratio)
    scales = scales_from(config, base, execution.device)
    model = SinGAN(config, reals, scales, execution.arithmetic, palette)
    return SinGANTraining(model, execution)


def _palette(config: SinGANConfig, reals: list[Tensor], ratio: float) -> Palette:
    """The colors of the training image at the scale that a paint enters."""
    n = config.paint_start_scale
    last = len(reals) - 1
    size = (reals[n].shape[-2], reals[n].shape[-1])
    small = crop(resize(reals[-1], math.pow(ratio, last - n)), size)
    rng = noise.stream(config.manual_seed, "palette")
    return find_palette(small, rng, config.quantization_colors == "rgb")


def take_up(
    config: SinGANConfig, tensors: Mapping[str, Tensor], execution: Execution
) -> SinGANTraining:
    """The training as it was at its very start, see `contract.Code`."""
    model = SinGAN(config, _reals(tensors, execution.device), [], execution.arithmetic)
    if not config.fine_tune:
        return SinGANTraining(model, execution)
    palette = Palette(tensors["palette"].double().cpu(), config.quantization_colors == "rgb")
    scales = scales_from(config, tensors, execution.device)
    return SinGANTraining(replace(model, scales=scales, palette=palette), execution)


def restore(config: SinGANConfig, tensors: Mapping[str, Tensor], execution: Execution) -> SinGAN:
    """A trained model from `real.<n>`, `anchor.<n>.amplitude`, `generator.<n>.*`, `fixed.0`.

    Raises:
        KeyError: a tensor is missing.
        RuntimeError: one does not fit the settings.
    """
    device = execution.device
    tensors = with_own_amplitude(config, tensors)
    palette = None
    if "palette" in tensors and config.fine_tune:
        palette = Palette(tensors["palette"].double().cpu(), config.quantization_colors == "rgb")
    scales = scales_from(config, tensors, device)
    return SinGAN(config, _reals(tensors, device), scales, execution.arithmetic, palette)


def _reals(tensors: Mapping[str, Tensor], device: torch.device) -> list[Tensor]:
    """The training image at every scale."""
    count = len(part(tensors, "real"))
    return [tensors[f"real.{n}"].to(device) for n in range(count)]


def read(path: Path) -> tuple[Any, dict[str, Tensor]]:
    """A run of the authors' program as `restore` takes it.

    Raises:
        UserError: a file is missing or damaged.
    """
    folder = find_official(path)
    if folder is None:
        raise UserError(f"{path} is no run of the authors' SinGAN.")
    run = official.load_official(folder)
    first = run.scales[0].generator.architecture
    config = SinGANConfig(
        train_mode=run.task,
        sr_factor=run.sr_factor or USUAL_ENLARGEMENT,
        scale_factor=run.scale_factor or 0.75,
        alpha=10.0 if run.alpha is None else run.alpha,
        min_size=run.min_size,
        max_size=max(max(run.pyramid.sizes[-1]), run.min_size),
        nfc=first.channels,
        min_nfc=first.least,
        num_layer=first.layers,
        ker_size=first.kernel,
    )
    reals = run.reals
    tensors = {f"real.{n}": real for n, real in enumerate(reals)}
    for n, scale in enumerate(run.scales):
        amplitude = torch.tensor(scale.amplitude, dtype=torch.float64)
        tensors[f"anchor.{n}.amplitude"] = amplitude
    model = SinGAN(config, reals, run.scales)
    return config, tensors | model.weights()
