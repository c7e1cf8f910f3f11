"""What trainings of one stage have in common: named networks, an Adam each, their state.

A method's training is a subclass that says how one iteration goes; see `contract.Training`.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from consingan.errors import DivergedError
from consingan.machine.execution import Execution
from consingan.methods.contract import Rehearsal, Task
from consingan.nn.footprint import Pass, footprint
from consingan.nn.initial import draw_weights
from consingan.nn.noise import stream
from consingan.nn.optimizers import (
    Adam,
    all_finite,
    dump_optimizer,
    has_fused,
    load_optimizer,
    moments,
    part,
)
from consingan.settings.config import Config


@dataclass(frozen=True)
class Rates:
    """Adam's, in the order of the networks.

    Attributes:
        first: learning rate of the generator.
        other: of whatever comes after it.
        beta1: first momentum.
        decay_from: share of the iterations after which the rates fall linearly to 0; 1 is never.
    """

    first: float
    other: float
    beta1: float = 0.5
    decay_from: float = 1.0

    def factor(self, iteration: int, iterations: int) -> float:
        """On the rates, at an iteration."""
        left = 1 - iteration / iterations
        return 1.0 if self.decay_from >= 1 else min(1.0, left / (1 - self.decay_from))


class OneNetwork:
    """What the models of such trainings have in common; `tasks` are the method's."""

    config: Any
    tasks: Mapping[str, Task]
    network: nn.Module
    stages = 1

    @property
    def task(self) -> Task:
        """The row of the task."""
        return self.tasks[self.config.train_mode]

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        return next(self.network.parameters()).device

    @property
    def finite(self) -> bool:
        """Whether all weights are finite."""
        return all(bool(x.isfinite().all()) for x in self.network.state_dict().values())

    def weights(self) -> dict[str, Tensor]:
        """The network's."""
        return {f"generator.{k}": v for k, v in self.network.state_dict().items()}


class OneStage:
    """A training of one stage.

    Args:
        config: settings.
        networks: by name, the generator first; on the device, with their weights drawn.
        rates: of their optimizers.
        execution: where and how to compute.
    """

    stages, first = 1, 0
    losses: tuple[str, ...] = ()

    def __init__(
        self,
        config: Any,
        networks: dict[str, nn.Module],
        rates: Rates,
        execution: Execution,
    ) -> None:
        self.config, self.networks, self.rates = config, networks, rates
        self.execution, self.device = execution, execution.device
        self.attempt = 0
        self.optimizers = self._new_optimizers()

    def _new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        rates = [self.rates.first, *[self.rates.other] * (len(self.networks) - 1)]
        betas = (self.rates.beta1, 0.999)
        # One pass over the weights instead of ten: a tenth of pix2pix's time on a CPU (measured).
        fused = has_fused(self.device)
        return {
            name: Adam(network.parameters(), lr=lr, betas=betas, fused=fused)
            for (name, network), lr in zip(self.networks.items(), rates, strict=True)
        }

    def draw_weights(self, attempt: int) -> None:
        """Begin every network anew, with draws of that attempt."""
        for name, network in self.networks.items():
            draw_weights(network, stream(self.config.manual_seed, name, attempt))

    @abstractmethod
    def iterate(self, iteration: int) -> Tensor:
        """One iteration under its learning rates; its losses, (len(losses),)."""

    def descend(self, loss: Tensor) -> None:
        """A step of the generator."""
        optimizer = self.optimizers["generator"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def rng(self, purpose: str, iteration: int) -> torch.Generator:
        """The random numbers of one iteration."""
        return stream(self.config.manual_seed, purpose, 0, iteration, self.attempt)

    def iterations(self, stage: int) -> int:  # noqa: ARG002 - there is one
        """Iterations of the stage."""
        config: Config = self.config
        return config.niter

    def cost(self, stage: int) -> float:  # noqa: ARG002
        """Every iteration is like the others."""
        return 1.0

    def begin(self, stage: int, attempt: int) -> None:  # noqa: ARG002
        """Nothing is to be set up at the first attempt; a later one begins with other weights."""
        if attempt > self.attempt:
            self.attempt = attempt
            self.draw_weights(attempt)
            self.optimizers = self._new_optimizers()

    def step(self, iteration: int) -> Tensor:
        """One iteration; its losses, (len(losses),)."""
        factor = self.rates.factor(iteration, self.iterations(0))
        rates = [self.rates.first, *[self.rates.other] * (len(self.networks) - 1)]
        for optimizer, rate in zip(self.optimizers.values(), rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = factor * rate
        for network in self.networks.values():
            network.train()
        arithmetic = replace(self.execution.arithmetic, searching=True)
        try:
            with arithmetic.scope(self.device), arithmetic.autocast(self.device):
                return self.iterate(iteration)
        finally:
            for network in self.networks.values():
                network.eval()

    def saturated(self, recent: Tensor) -> bool:  # noqa: ARG002
        """Such trainings are not begun anew."""
        return False

    def flat(self, stage: int, losses: Tensor) -> bool:  # noqa: ARG002
        """Nor is it said of them that they gave one flat color."""
        return False

    def check_finite(self, stage: int, iteration: int) -> None:
        """Look at every weight and every moment, see `contract.Training`."""
        for name, network in self.networks.items():
            if not all_finite(list(network.parameters())):
                raise DivergedError(stage, iteration, f"a weight of the {name}")
            if not all_finite(moments(self.optimizers[name])):
                raise DivergedError(stage, iteration, f"a moment of the {name}'s Adam")

    def start(self) -> dict[str, Tensor]:
        """There is no fine-tuning."""
        return {}

    def scalars(self, stage: int) -> dict[str, float]:  # noqa: ARG002
        """Nothing is fixed that is worth a curve."""
        return {}

    def anchor(self, stage: int) -> dict[str, Tensor]:  # noqa: ARG002
        """Nothing is fixed at the beginning."""
        return {}

    def weights(self) -> dict[str, Tensor]:
        """Every network's."""
        return {
            f"{name}.{key}": value
            for name, network in self.networks.items()
            for key, value in network.state_dict().items()
        }

    def state(self) -> dict[str, Tensor]:
        """Weights and moments."""
        tensors = self.weights()
        for name, optimizer in self.optimizers.items():
            tensors |= dump_optimizer(optimizer, f"optimizer_{name}")
        return tensors

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up what `state` gave."""
        self.attempt = int(tensors["attempt"]) if "attempt" in tensors else 0
        for name, network in self.networks.items():
            network.load_state_dict(part(tensors, name))
            load_optimizer(self.optimizers[name], tensors, f"optimizer_{name}")

    def facts(self) -> Iterator[str]:
        """The numbers of weights."""
        counts = (
            f"{name} {sum(p.numel() for p in network.parameters()):,}"
            for name, network in self.networks.items()
        )
        yield "parameters: " + ", ".join(counts)

    @abstractmethod
    def passes(self) -> Iterator[Pass]:
        """What an iteration keeps at the same time for its gradients."""

    def peak_memory(self, checkpointing: bool | None = None) -> int | None:
        """Bytes of an iteration beside the program."""
        return None if checkpointing else footprint(self.networks.values(), self.passes())

    def rehearse(self, stage: int) -> Rehearsal:  # noqa: ARG002
        """Iterations of a copy of everything."""
        return Rehearsal(copy.deepcopy(self).step)
