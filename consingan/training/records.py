"""What the loop yields."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class StageStarted:
    """A stage is set up: its anchor exists, nothing of it is trained yet."""

    stage: int


@dataclass(frozen=True)
class StepRecord:
    """One iteration is done; its losses are (n,), in the order of `Training.losses`, undetached."""

    stage: int
    iteration: int
    losses: Tensor


@dataclass(frozen=True)
class StageRecord:
    """A stage is finished; `losses` (iterations, n) are its curves."""

    stage: int
    losses: Tensor


@dataclass(frozen=True)
class StageRestarted:
    """A stage is stuck at one flat color and begins anew; attempts count from 0."""

    stage: int
    iterations: int
    attempt: int


Record = StageStarted | StepRecord | StageRestarted | StageRecord
