"""The folder of a run that begins: its name and what is written into it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from torch import Tensor

from consingan.machine.files import settings_digest, write_json, write_tensors
from consingan.methods.contract import Training
from consingan.methods.registry import method_of
from consingan.nn.optimizers import part
from consingan.runs.files import ANCHOR, CONFIG, PYRAMID, START
from consingan.runs.manifest import FORMAT, MANIFEST
from consingan.settings.config import Config


def run_name(config: Config, when: datetime) -> str:
    """Name of a run's folder."""
    return f"{when.strftime('%Y_%m_%d_%H_%M_%S')}_{method_of(config.method).label(config)}"


def write_start(
    folder: Path, training: Training, about: dict[str, Any], naive: Tensor | None
) -> None:
    """Write all files of a run that has not begun.

    Args:
        folder: made already.
        training: not started yet.
        about: what else the manifest keeps.
        naive: the user's own picture at its own size, (1, 3, H, W) in [-1, 1].
    """
    config = training.config
    settings = config.to_json()
    write_json(folder / CONFIG, settings)
    own = {} if naive is None else {"naive": naive}
    write_tensors(folder / PYRAMID, training.fixed() | own)
    if start := training.start():  # fine-tuning starts from a trained model
        for stage in range(training.stages):
            write_anchor(folder, stage, training.anchor(stage))
        write_tensors(folder / START, start)
    manifest = {"format": FORMAT, "status": "training", "finished_stages": 0}
    manifest |= {"method": config.method, "losses": list(training.losses)}
    manifest |= {"stages": training.stages, "seed": config.manual_seed}
    manifest |= {"settings": settings_digest(settings)}
    write_json(folder / MANIFEST, manifest | {"seconds_per_stage": []} | about)


def write_anchor(folder: Path, stage: int, tensors: dict[str, Tensor]) -> None:
    """Keep what a stage fixed at its beginning, where it fixed anything."""
    if tensors:
        (folder / str(stage)).mkdir(exist_ok=True)
        write_tensors(folder / str(stage) / ANCHOR, part(tensors, f"anchor.{stage}"))
