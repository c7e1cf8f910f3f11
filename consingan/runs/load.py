"""Load what a run has learned, from a folder of this program or of a method's authors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.channels import consists_of
from consingan.machine.execution import Execution
from consingan.machine.precision import Arithmetic
from consingan.methods.contract import Foreign, Method
from consingan.methods.registry import METHODS
from consingan.runs.folder import RunFolder
from consingan.runs.manifest import MANIFEST, pictures_of
from consingan.runs.snapshots import snapshot_name
from consingan.runs.weights import weights_digest
from consingan.settings.reading import AUTO


@dataclass(frozen=True)
class LoadedRun:
    """A model that was read from a folder, with what the user should know about it.

    Attributes:
        path: the folder.
        method: that it was trained with.
        model: see `contract.Model` and the protocols beside it.
        tensors: that it was made from.
        notes: sentences for the user.
        pictures: path and SHA-256 of the files that it was trained with, as far as it says so.
        weights: SHA-256 of their file; "" where nothing was learned, or by the authors' program.
    """

    path: Path
    method: Method
    model: Any
    tensors: Mapping[str, Tensor]
    notes: tuple[str, ...] = ()
    pictures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    weights: str = ""

    @property
    def finished(self) -> bool:
        """Whether every stage is trained."""
        return bool(len(self.model.sizes) >= self.model.stages)


def load_run(
    path: Path, execution: Execution | None = None, iteration: int | None = None
) -> LoadedRun:
    """Load a run of this program or of a method's authors.

    Args:
        path: the run's folder.
        execution: where to put it and in which arithmetic; by default the CPU, in float32.
        iteration: of a fine-tuned run, the snapshot to take instead of the final weights.

    Raises:
        UserError: there is no usable run at `path`.
    """
    execution = execution or Execution(torch.device("cpu"), Arithmetic())
    for method in METHODS.values():
        if path.is_dir() and not (path / MANIFEST).is_file() and method.reads(path):
            return _load_foreign(path, method, execution, iteration)
    folder = RunFolder.open(path)
    method, config, notes = folder.method, folder.config, []
    if iteration is None:
        weights, tensors = folder.last_weights, folder.tensors()
    else:
        weights = snapshot_name(iteration, path)
        tensors = folder.tensors(folder.stages, weights)
        notes.append(f"Snapshot {iteration}.")
    digest = weights_digest(path / weights)  # now: a training may replace it meanwhile
    with folder.explained(weights):
        model = method.load().restore(config, tensors, execution)
        if config.fine_tune and not consists_of(model.real, config.channels):
            # Earlier releases took any --channels for it, and trained those of the run.
            config = config.replace(channels=AUTO)
            model = method.load().restore(config, tensors, execution)
    folder.check_stages(model.stages)
    _refuse_not_finite(path, model)
    run = LoadedRun(path, method, model, tensors)
    if not run.finished:
        notes.append(f"The run is not finished: using stage {len(model.sizes)} of {model.stages}.")
    pictures = pictures_of(folder.manifest)
    return LoadedRun(path, method, model, tensors, tuple(notes), pictures, digest)


def _load_foreign(
    path: Path, method: Method, execution: Execution, iteration: int | None
) -> LoadedRun:
    """A run of a method's authors."""
    if iteration is not None:
        raise UserError(f"{path} has no snapshots; leave --iteration out.")
    code = method.load()
    config, tensors = cast(Foreign, code).read(path)
    model = code.restore(config, tensors, execution)
    _refuse_not_finite(path, model)
    run = LoadedRun(path, method, model, tensors, ("A run of the authors' program.",))
    if run.finished:
        return run
    note = f"The run is not finished: using stage {len(model.sizes)} of {model.stages}."
    return LoadedRun(path, method, model, tensors, (*run.notes, note))


def _refuse_not_finite(path: Path, model: Any) -> None:
    """Such weights make no pictures, and a black one would hide it."""
    if not model.finite:
        raise UserError(
            f"{path} holds weights that are not finite (NaN or infinite); restore it from a copy "
            "or train anew."
        )
