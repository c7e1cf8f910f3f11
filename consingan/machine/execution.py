"""How a training or an evaluation is executed, and what a run notes down about that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from consingan.machine.device import choose_device
from consingan.machine.precision import Arithmetic, choose_arithmetic


@dataclass(frozen=True)
class Execution:
    """How a run is executed, apart from what it computes."""

    device: torch.device
    arithmetic: Arithmetic
    engine: str = "auto"
    checkpointing: bool = False
    notes: tuple[str, ...] = ()

    @classmethod
    def choose(
        cls,
        device: str = "auto",
        precision: str = "auto",
        engine: str = "auto",
        gpu: int | None = None,
        not_cuda: bool = False,
        checkpointing: bool = False,
        threads: int | None = None,
    ) -> Execution:
        """Pick device and arithmetic by the options' values and set the number of CPU threads.

        Raises:
            UserError: what is asked for is not there.
        """
        if threads is not None and threads != torch.get_num_threads():
            torch.set_num_threads(threads)
        chosen = choose_device(device, gpu, not_cuda)
        arithmetic = choose_arithmetic(precision, chosen.device)
        notes = (chosen.note,) if chosen.note else ()
        return cls(chosen.device, arithmetic, engine, checkpointing, notes)

    def to_json(self) -> dict[str, Any]:
        """What a resumed run needs to be executed alike."""
        return {
            "device": str(self.device),
            "precision": self.arithmetic.name,
            "engine": self.engine,
            "checkpointing": self.checkpointing,
            "threads": torch.get_num_threads(),
        }
