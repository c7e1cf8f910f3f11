"""The doors of DCGAN, see `contract.Code`."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from consingan.images.resize import resize_to, scaled_size, training_scale
from consingan.machine.execution import Execution
from consingan.methods.contract import Inputs, Size
from consingan.methods.dcgan import model
from consingan.methods.dcgan.config import DCGANConfig
from consingan.methods.dcgan.model import DCGAN, new_model
from consingan.methods.dcgan.training import DCGANTraining
from consingan.settings.layers import Chosen

ROOM = 2  # sides of a crop that the shorter side of the image has at least


def fitted(chosen: Chosen[DCGANConfig], size: Size) -> tuple[Chosen[DCGANConfig], list[str]]:
    """Say where a picture is made larger than --max_size has it, for crops to differ."""
    height, width = training_size(chosen.config, size)
    if max(height, width) <= chosen.config.max_size:
        return chosen, []
    return chosen, [f"the image is taken at {width}x{height}, so that crops differ."]


def training_size(config: DCGANConfig, size: Size) -> Size:
    """(h, w) px: by --max_size, but at least two crops on the shorter side."""
    fitting = scaled_size(size, training_scale(size, config.max_size))
    factor = max(1.0, ROOM * config.side / min(fitting))
    return round(fitting[0] * factor), round(fitting[1] * factor)


def begin(
    config: DCGANConfig,
    inputs: Inputs,
    execution: Execution,
    base: Mapping[str, Tensor] | None = None,  # noqa: ARG001 - it is not fine-tuned
) -> DCGANTraining:
    """Set up a new training."""
    size = training_size(config, (inputs.image.shape[-2], inputs.image.shape[-1]))
    real = resize_to(inputs.image, size).clamp(-1, 1)
    return DCGANTraining(new_model(config, real, execution), execution)


def take_up(
    config: DCGANConfig, tensors: Mapping[str, Tensor], execution: Execution
) -> DCGANTraining:
    """The training as it was at its very start."""
    return DCGANTraining(new_model(config, tensors["real.0"], execution), execution)


def restore(config: DCGANConfig, tensors: Mapping[str, Tensor], execution: Execution) -> DCGAN:
    """A trained model, see `model.restore`."""
    return model.restore(config, tensors, execution)
