"""The doors of partial convolutions, see `contract.Code`."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from consingan.machine.execution import Execution
from consingan.methods.contract import Inputs, Size
from consingan.methods.holes import Holed, holed, holed_from
from consingan.methods.least import refuse_small
from consingan.methods.partial_conv.config import PartialConvConfig
from consingan.methods.partial_conv.model import PartialConv, new_model, refuse_levels
from consingan.methods.partial_conv.training import PartialConvTraining
from consingan.nn.optimizers import part
from consingan.settings.layers import Chosen


def fitted(
    chosen: Chosen[PartialConvConfig], size: Size  # noqa: ARG001 - a contract
) -> tuple[Chosen[PartialConvConfig], list[str]]:  # fmt: skip
    """Levels follow the size by themselves."""
    return chosen, []


def begin(
    config: PartialConvConfig,
    inputs: Inputs,
    execution: Execution,
    base: Mapping[str, Tensor] | None = None,  # noqa: ARG001 - it is not fine-tuned
) -> PartialConvTraining:
    """Set up a new training.

    Raises:
        UserError: there is no hole, or the picture is too small, for its levels or at all.
    """
    model = new_model(config, holed(inputs), execution)
    refuse_small(model.sizes[0], (inputs.image.shape[-2], inputs.image.shape[-1]))
    refuse_levels(config, model.sizes[0])
    return PartialConvTraining(model, execution)


def take_up(
    config: PartialConvConfig, tensors: Mapping[str, Tensor], execution: Execution
) -> PartialConvTraining:
    """The training as it was at its very start."""
    return PartialConvTraining(new_model(config, _holed(tensors), execution), execution)


def restore(
    config: PartialConvConfig, tensors: Mapping[str, Tensor], execution: Execution
) -> PartialConv:
    """A trained model."""
    model = new_model(config, _holed(tensors), execution)
    model.network.load_state_dict(part(tensors, "generator"))
    return model


def _holed(tensors: Mapping[str, Tensor]) -> Holed:
    found = holed_from(tensors)
    if found is None:
        raise KeyError("hole")
    return found
