"""The processor time of a training, noted beside it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from consingan.machine.files import write_json
from consingan.training.records import Record, StageRecord

if TYPE_CHECKING:
    from consingan.training.loop import Trainer

CLOCK = "cpu.json"


@dataclass
class CpuClock:
    """Notes the processor time of a training beside it, counted on where one is taken up again."""

    path: Path
    begun: float = field(default_factory=time.process_time)

    def observe(self, record: Record, trainer: Trainer | None) -> None:  # noqa: ARG002
        """Written after each stage; judging comes later and does not count."""
        if isinstance(record, StageRecord):
            now = time.process_time()
            write_json(self.path, {"seconds": cpu_seconds(self.path) + now - self.begun})
            self.begun = now


def cpu_seconds(path: Path) -> float:
    """Of a training so far."""
    return float(json.loads(path.read_text("utf-8"))["seconds"]) if path.is_file() else 0.0
