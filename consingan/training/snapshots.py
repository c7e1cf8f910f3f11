"""Snapshots of a fine-tuning, so that the user picks the iteration that looks best.

After too many iterations the object takes on the background's color; when that begins depends on
the picture, so the result is kept and shown every 50 iterations.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from consingan.images.io import read_image, write_image
from consingan.images.sheets import labelled
from consingan.machine.files import write_tensors
from consingan.runs.snapshots import snapshot_file, snapshots
from consingan.training.loop import Trainer
from consingan.training.records import Record, StageRecord, StageRestarted, StepRecord

EVERY = 50


@dataclass
class Snapshots:
    """Keeps and shows the result on the user's picture every 50 iterations of fine-tuning."""

    folder: Path
    naive: Tensor
    every: int = EVERY

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Save weights and picture; at the end, a strip of all of them."""
        if isinstance(record, StepRecord):
            done = record.iteration + 1
            if done % self.every == 0 or done == trainer.iterations:
                self._save(done, trainer)
        elif isinstance(record, StageRestarted):
            for iteration in snapshots(self.folder):  # of what is thrown away
                path = self.folder / snapshot_file(iteration)
                path.unlink()
                path.with_suffix(".png").unlink(missing_ok=True)
        elif isinstance(record, StageRecord):
            self._strip()

    def _save(self, iteration: int, trainer: Trainer) -> None:
        path = self.folder / snapshot_file(iteration)
        path.parent.mkdir(exist_ok=True)
        seed = trainer.config.manual_seed
        write_image(
            path.with_suffix(".png"),
            trainer.model.enter(self.naive, trainer.model.first_start, seed),
        )
        weights = trainer.model.weights()
        write_tensors(path, weights)  # last: a snapshot counts when its weights are there

    def _strip(self) -> None:
        found = snapshots(self.folder)
        pictures = [read_image((self.folder / snapshot_file(n)).with_suffix(".png")) for n in found]
        strip = labelled(pictures, [f"iteration {n}" for n in found], min(5, len(found)))
        write_image(self.folder / "snapshots.png", strip)
