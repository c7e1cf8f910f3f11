"""Load what a run has learned, from a folder of this program or of the authors'."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from consingan.errors import UserError
from consingan.methods.consingan.model import Model
from consingan.methods.consingan.official import is_official, load_official
from consingan.nn.discriminator import Discriminator
from consingan.runs.folder import MANIFEST, RunFolder, snapshot_name


@dataclass(frozen=True)
class LoadedRun:
    """A model that was read from a folder, with what the user should know about it."""

    path: Path
    model: Model
    discriminator: Discriminator
    notes: tuple[str, ...] = ()


def load_run(
    path: Path, device: torch.device | str = "cpu", iteration: int | None = None
) -> LoadedRun:
    """Load a run of this program or of the authors'.

    Args:
        path: the run's folder.
        device: where to put it.
        iteration: of a fine-tuned run, the snapshot to take instead of the final weights.

    Raises:
        UserError: there is no usable run at `path`.
    """
    notes = []
    if path.is_dir() and not (path / MANIFEST).is_file() and is_official(path):
        if iteration is not None:
            raise UserError(f"{path} has no snapshots; leave --iteration out.")
        model, discriminator = load_official(path, device)
        notes.append("A run of the authors' program.")
    else:
        folder = RunFolder.open(path)
        if iteration is not None:
            model = folder.load_snapshot(snapshot_name(iteration, folder), device)
            _refuse_not_finite(path, model)
            return LoadedRun(path, model, folder.start(device)[1], (f"Snapshot {iteration}.",))
        model, discriminator = folder.load_model(device)
    _refuse_not_finite(path, model)
    if len(model.anchors) < model.config.train_stages:
        notes.append(
            f"The run is not finished: using stage {len(model.anchors)} of "
            f"{model.config.train_stages}."
        )
    return LoadedRun(path, model, discriminator, tuple(notes))


def _refuse_not_finite(path: Path, model: Model) -> None:
    """Such weights make no pictures, and a black one would hide it."""
    if not model.finite:
        raise UserError(
            f"{path} holds weights that are not finite (NaN or infinite); restore it from a copy "
            "or train anew."
        )
