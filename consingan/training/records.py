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
    """One iteration is done. `losses` is (5,), in the order of `engine.LOSSES`, on the device."""

    stage: int
    iteration: int
    losses: Tensor


@dataclass(frozen=True)
class StageRecord:
    """A stage is finished; `losses` (iterations, 5) are its curves."""

    stage: int
    losses: Tensor


@dataclass(frozen=True)
class StageRestarted:
    """A stage has collapsed after some iterations and begins anew; attempts count from 0."""

    stage: int
    iterations: int
    attempt: int


Record = StageStarted | StepRecord | StageRestarted | StageRecord
