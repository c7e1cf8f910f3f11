"""The one training loop. It yields typed records and knows no file, no terminal, no method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from consingan.errors import DivergedError
from consingan.methods.contract import Model, Training
from consingan.settings.config import Config
from consingan.training.records import Record, StageRecord, StageRestarted, StageStarted, StepRecord

CHECK_EVERY = 20  # iterations between looks at the losses where looking stalls the device
WATCH_EVERY = 100  # iterations between looks whether a stage is stuck
ATTEMPTS = 3  # at a stage


class Trainer:
    """Drives a training; `run` yields what happens, `state` and `load_state` stop and go on.

    Attributes:
        training: the method's own part.
        stage, iteration, attempt: where it is.
        curves: losses of the present stage, (len(losses),) each.
    """

    def __init__(self, training: Training) -> None:
        self.training = training
        self.stage, self.iteration, self.attempt = training.first, 0, 0
        self.curves: list[Tensor] = []

    @property
    def config(self) -> Config:
        """The settings."""
        return self.training.config

    @property
    def model(self) -> Any:
        """What is being trained."""
        model: Model = self.training.model
        return model

    @property
    def stages(self) -> int:
        """How many there are."""
        return self.training.stages

    @property
    def iterations(self) -> int:
        """Iterations of the present stage."""
        return self.training.iterations(min(self.stage, self.stages - 1)) if self.stages else 0

    def run(self) -> Iterator[Record]:
        """Train all stages that are not finished yet.

        Raises:
            DivergedError: a loss, a weight or a moment stopped being finite.
        """
        while self.stage < self.stages:
            self.training.begin(self.stage, self.attempt)
            yield StageStarted(self.stage)
            while True:
                if self._is_stuck():
                    yield self._restart_stage()
                if self.iteration >= self.iterations:
                    break
                losses = self.training.step(self.iteration)
                self._keep(losses)
                self.iteration += 1
                yield StepRecord(self.stage, self.iteration - 1, losses)
            self.check_finite()
            yield StageRecord(self.stage, self.loss_curves())
            self.stage, self.iteration, self.attempt = self.stage + 1, 0, 0
            self.curves = []

    def _keep(self, losses: Tensor) -> None:
        self.curves.append(losses)
        if losses.device.type == "cpu" or (self.iteration + 1) % CHECK_EVERY == 0:
            self._check_losses()

    def _is_stuck(self) -> bool:
        """Whether now is the time to look, and the stage is better begun anew."""
        if self.iteration == 0 or self.attempt + 1 >= ATTEMPTS:
            return False
        if self.iteration % WATCH_EVERY and self.iteration < self.iterations:
            return False
        return self.training.saturated(torch.stack(self.curves[-WATCH_EVERY:]))

    def _restart_stage(self) -> StageRestarted:
        """Go back to the beginning of the stage; its draws will be others."""
        lost, self.iteration, self.curves = self.iteration, 0, []
        self.attempt += 1
        self.training.begin(self.stage, self.attempt)
        return StageRestarted(self.stage, lost, self.attempt)

    def loss_curves(self) -> Tensor:
        """Losses of the present stage so far, (iterations, len(losses)) on the CPU."""
        if not self.curves:
            return torch.zeros(0, len(self.training.losses))
        return torch.stack([c.detach().float() for c in self.curves]).cpu()

    def _check_losses(self) -> None:
        recent = torch.stack(self.curves[-CHECK_EVERY:]).cpu()
        bad = (~torch.isfinite(recent)).nonzero()
        if len(bad):
            row, column = bad[0].tolist()
            first = len(self.curves) - len(recent) + row + 1
            raise DivergedError(self.stage, first, f"the loss {self.training.losses[column]}")

    def check_finite(self) -> None:
        """Look at every loss of late, every weight and every moment.

        Raises:
            DivergedError: one of them is not finite.
        """
        if self.curves:
            self._check_losses()
        self.training.check_finite(self.stage, self.iteration)

    def state(self) -> dict[str, Tensor]:
        """Everything that `load_state` needs to go on from here, as plain tensors."""
        return self.training.state() | {
            "curves": self.loss_curves(),
            "position": torch.tensor([self.stage, self.iteration]),
            "attempt": torch.tensor(self.attempt),
        }

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up the state that `state` gave, with the anchors of the stages begun so far."""
        self.stage, self.iteration = (int(i) for i in tensors["position"])
        self.attempt = int(tensors["attempt"]) if "attempt" in tensors else 0
        self.training.load_state(tensors)
        device = self.training.model.device
        self.curves = list(tensors["curves"].to(device)) if "curves" in tensors else []
