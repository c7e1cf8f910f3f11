"""The doors of a method that learns from a pair, see `contract.Code`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor

from consingan.machine.execution import Execution
from consingan.methods.contract import Inputs, Size
from consingan.methods.pairing import Pair, PairModel, pair_from, pair_of
from consingan.methods.pairs import PairConfig
from consingan.nn.optimizers import part
from consingan.settings.layers import Chosen

C = TypeVar("C", bound=PairConfig)
M = TypeVar("M", bound=PairModel)
T = TypeVar("T")


@dataclass(frozen=True)
class PairCode(Generic[C, M, T]):
    """What a method's code module has, made of two functions.

    Attributes:
        new_model: with a network whose weights are not drawn yet.
        new_training: of such a model, with its weights drawn.
    """

    new_model: Callable[[C, Pair, Execution], M]
    new_training: Callable[[M, Execution], T]

    def fitted(self, chosen: Chosen[C], size: Size) -> tuple[Chosen[C], list[str]]:  # noqa: ARG002
        """Networks follow the size by themselves."""
        return chosen, []

    def begin(
        self,
        config: C,
        inputs: Inputs,
        execution: Execution,
        base: Mapping[str, Tensor] | None = None,  # noqa: ARG002 - none is fine-tuned
    ) -> T:
        """Set up a new training."""
        pair = pair_of(config, inputs).to(execution.device)
        return self.new_training(self.new_model(config, pair, execution), execution)

    def take_up(self, config: C, tensors: Mapping[str, Tensor], execution: Execution) -> T:
        """The training as it was at its very start."""
        return self.new_training(self._model(config, tensors, execution), execution)

    def restore(self, config: C, tensors: Mapping[str, Tensor], execution: Execution) -> M:
        """A trained model."""
        model = self._model(config, tensors, execution)
        model.network.load_state_dict(part(tensors, "generator"))
        return model

    def _model(self, config: C, tensors: Mapping[str, Tensor], execution: Execution) -> M:
        return self.new_model(config, pair_from(tensors).to(execution.device), execution)
