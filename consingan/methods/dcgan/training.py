"""The training of DCGAN on crops of one image."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from consingan.machine.execution import Execution
from consingan.methods.dcgan.crops import cut
from consingan.methods.dcgan.method import LOSSES
from consingan.methods.dcgan.model import DCGAN
from consingan.methods.dcgan.networks import Critic
from consingan.methods.dcgan.rule import step
from consingan.methods.one_stage import OneStage, Rates
from consingan.nn.footprint import Pass


class DCGANTraining(OneStage):
    """Trains one model, see `contract.Training`."""

    losses = LOSSES

    def __init__(self, model: DCGAN, execution: Execution) -> None:
        config = model.config
        self.model, self.sizes = model, model.sizes
        critic = Critic(config.side, config.ndf).to(execution.device)
        rates = Rates(config.lr, config.lr, config.beta1)
        super().__init__(config, {"generator": model.network, "critic": critic}, rates, execution)
        self.draw_weights(0)

    def iterate(self, iteration: int) -> Tensor:
        """Both steps on one batch of crops."""
        rng = self.rng("crops", iteration)
        real = cut(self.model.real, self.config.side, self.config.batch, rng, self.config.flips)
        z = torch.randn(self.config.batch, self.config.nz, 1, 1, generator=rng).to(self.device)
        optimizers = list(self.optimizers.values())
        found = step(self.networks["generator"], self.networks["critic"], optimizers, real, z)
        return torch.stack([loss.detach() for loss in found])

    def passes(self) -> Iterator[Pass]:
        """The generator's once, the critic's of real and of made pictures."""
        config = self.config
        yield Pass(self.networks["generator"], (config.batch, config.nz, 1, 1))
        yield Pass(self.networks["critic"], (config.batch, 3, config.side, config.side), 2)

    def fixed(self) -> dict[str, Tensor]:
        """The image."""
        return {"real.0": self.model.real}
