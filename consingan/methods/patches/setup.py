"""The doors of patch diffusion, see `contract.Code`: the picture is kept, nothing is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from consingan.machine.execution import Execution
from consingan.methods.contract import Inputs
from consingan.methods.holes import at_training_size, holed, holed_from
from consingan.methods.pairing import pair_from, pair_of
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.guided import GuidedPatches, guided
from consingan.methods.patches.method import PAIR
from consingan.methods.patches.model import PatchDiffusion
from consingan.settings.layers import Chosen

Size = tuple[int, int]


@dataclass(frozen=True)
class Nothing:
    """A training of no stage (`contract.Training`): only what is kept."""

    model: PatchDiffusion | GuidedPatches
    kept: Mapping[str, Tensor]
    losses: tuple[str, ...] = ()
    stages: int = 0
    first: int = 0

    @property
    def config(self) -> PatchesConfig:
        """The settings."""
        return self.model.config

    @property
    def sizes(self) -> list[Size]:
        """(h, w) in px of the picture."""
        return self.model.sizes

    def fixed(self) -> dict[str, Tensor]:
        """The picture, with what lies around a hole, or with A of a pair."""
        return dict(self.kept)

    def start(self) -> dict[str, Tensor]:
        """Nothing is trained on."""
        return {}

    def weights(self) -> dict[str, Tensor]:
        """None."""
        return {}

    def state(self) -> dict[str, Tensor]:
        """None."""
        return {}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Nothing to take up."""

    def check_finite(self, stage: int, iteration: int) -> None:
        """Nothing that could diverge."""

    def facts(self) -> Iterator[str]:
        """Lines that say what is made and how."""
        yield from self.model.facts()

    def peak_memory(self, checkpointing: bool | None = None) -> int | None:
        """Bytes that one picture of the training size takes beside the program."""
        return None if checkpointing else self.model.memory(self.sizes[-1])


def fitted(
    chosen: Chosen[PatchesConfig],
    size: Size,  # noqa: ARG001
) -> tuple[Chosen[PatchesConfig], list[str]]:
    """Every recommended setting fits every picture."""
    return chosen, []


def begin(
    config: PatchesConfig,
    inputs: Inputs,
    execution: Execution,
    base: Mapping[str, Tensor] | None = None,  # noqa: ARG001
) -> Any:
    """Keep the picture, see `contract.Code`.

    Raises:
        UserError: the picture is smaller than a patch.
    """
    if config.train_mode == PAIR:
        pair = pair_of(config, inputs)
        return _of_pair(config, pair.tensors(), execution)
    around = holed(inputs) if inputs.mask is not None else None
    image = inputs.image if around is None else around.picture
    real = at_training_size(image, config.max_size)
    model = PatchDiffusion(config, real.to(execution.device), execution.engine, holed=around)
    model.check()
    return Nothing(model, {"real.0": model.real, **(around.tensors() if around else {})})


def _of_pair(config: PatchesConfig, tensors: Mapping[str, Tensor], execution: Execution) -> Nothing:
    model = guided(config, pair_from(tensors), execution)
    model.check()
    return Nothing(model, tensors)


def take_up(config: PatchesConfig, tensors: Mapping[str, Tensor], execution: Execution) -> Any:
    """The picture as it was kept, see `contract.Code`."""
    return Nothing(restore(config, tensors, execution), tensors)


def restore(
    config: PatchesConfig, tensors: Mapping[str, Tensor], execution: Execution
) -> PatchDiffusion | GuidedPatches:
    """A model from what was kept, see `contract.Code`."""
    if config.train_mode == PAIR:
        return guided(config, pair_from(tensors), execution)
    real = tensors["real.0"].to(execution.device)
    return PatchDiffusion(config, real, execution.engine, holed=holed_from(tensors))
