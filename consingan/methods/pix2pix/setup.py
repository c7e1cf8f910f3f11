"""The doors of pix2pix, see `contract.Code`."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from consingan.machine.execution import Execution
from consingan.methods.contract import Inputs
from consingan.methods.pairing import begin_pair, pair_from
from consingan.methods.pix2pix.config import Pix2PixConfig
from consingan.methods.pix2pix.model import Pix2Pix, new_model
from consingan.methods.pix2pix.training import Pix2PixTraining
from consingan.nn.optimizers import part
from consingan.settings.layers import Chosen

Size = tuple[int, int]


def fitted(
    chosen: Chosen[Pix2PixConfig], size: Size  # noqa: ARG001 - a contract
) -> tuple[Chosen[Pix2PixConfig], list[str]]:  # fmt: skip
    """Levels follow the size by themselves."""
    return chosen, []


def begin(
    config: Pix2PixConfig,
    inputs: Inputs,
    execution: Execution,
    base: Mapping[str, Tensor] | None = None,  # noqa: ARG001 - it is not fine-tuned
) -> Pix2PixTraining:
    """Set up a new training."""
    return Pix2PixTraining(new_model(config, begin_pair(config, inputs, execution), execution),
                           execution)  # fmt: skip


def take_up(
    config: Pix2PixConfig, tensors: Mapping[str, Tensor], execution: Execution
) -> Pix2PixTraining:
    """The training as it was at its very start."""
    pair = pair_from(tensors).to(execution.device)
    return Pix2PixTraining(new_model(config, pair, execution), execution)


def restore(config: Pix2PixConfig, tensors: Mapping[str, Tensor], execution: Execution) -> Pix2Pix:
    """A trained model."""
    model = new_model(config, pair_from(tensors).to(execution.device), execution)
    model.network.load_state_dict(part(tensors, "generator"))
    return model
