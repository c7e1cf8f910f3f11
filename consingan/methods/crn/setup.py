"""The doors of cascaded refinement, see `contract.Code`."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from consingan.machine.execution import Execution
from consingan.methods.contract import Inputs
from consingan.methods.crn.config import CRNConfig
from consingan.methods.crn.model import CRN, new_model
from consingan.methods.crn.training import CRNTraining
from consingan.methods.pairing import begin_pair, pair_from
from consingan.nn.optimizers import part
from consingan.settings.layers import Chosen

Size = tuple[int, int]


def fitted(
    chosen: Chosen[CRNConfig], size: Size  # noqa: ARG001 - a contract
) -> tuple[Chosen[CRNConfig], list[str]]:  # fmt: skip
    """The modules follow the size by themselves."""
    return chosen, []


def begin(
    config: CRNConfig,
    inputs: Inputs,
    execution: Execution,
    base: Mapping[str, Tensor] | None = None,  # noqa: ARG001 - it is not fine-tuned
) -> CRNTraining:
    """Set up a new training."""
    return CRNTraining(new_model(config, begin_pair(config, inputs, execution), execution),
                           execution)  # fmt: skip


def take_up(config: CRNConfig, tensors: Mapping[str, Tensor], execution: Execution) -> CRNTraining:
    """The training as it was at its very start."""
    pair = pair_from(tensors).to(execution.device)
    return CRNTraining(new_model(config, pair, execution), execution)


def restore(config: CRNConfig, tensors: Mapping[str, Tensor], execution: Execution) -> CRN:
    """A trained model."""
    model = new_model(config, pair_from(tensors).to(execution.device), execution)
    model.network.load_state_dict(part(tensors, "generator"))
    return model
