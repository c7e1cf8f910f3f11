"""What became of each training of a study so far: `job.json` in its folder.

Whoever trains writes it, whoever watches reads it; it appears whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consingan.machine.files import make_folder, write_json

LEDGER = "job.json"
TRAINING, JUDGING, FINISHED, FAILED, STOPPED = (
    "training", "judging", "finished", "failed", "stopped",
)  # fmt: skip

Json = dict[str, Any]


def read(folder: Path) -> Json:
    """What the ledger of a training says; {} where there is none that can be read."""
    try:
        found = json.loads((folder / LEDGER).read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


@dataclass
class Ledger:
    """The ledger of a training that is worked on.

    Attributes:
        folder: of the training.
        changed: called with the folder after each entry.
    """

    folder: Path
    changed: Callable[[Path], None] = lambda _: None
    entry: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.entry = read(make_folder(self.folder))

    def note(self, **changes: Any) -> None:
        """Change entries; None removes one."""
        self.entry = {k: v for k, v in {**self.entry, **changes}.items() if v is not None}
        write_json(self.folder / LEDGER, self.entry)
        self.changed(self.folder)


@dataclass(frozen=True)
class Ended:
    """What became of an order, for now.

    Attributes:
        name: of the order.
        status: finished, failed or stopped.
        words: why it failed.
    """

    name: str
    status: str
    words: str = ""
