"""A run's folder: what is in it, how it is saved and loaded.

    manifest.json            format, finished stages, versions, command, seconds per stage, status
    config.json              every setting, as the run was begun
    pyramid.safetensors      the real image at every stage (and the user's own picture, if any)
    start.safetensors        of a fine-tuning, the weights that it started from
    resume.safetensors       state in the middle of a stage
    0/, 1/, ...              a folder for each stage:
        anchor.safetensors       what the stage fixed at its beginning
        weights.safetensors      the networks when the stage was finished
        losses.csv               the stage's curves
    .lock                    held while a process trains in the folder

Weights are plain tensors (safetensors), nothing is pickled. Every file is written beside its place
and renamed, so that a folder can be evaluated and resumed after a stop at any moment.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor

from consingan.errors import UserError
from consingan.images.names import image_stem
from consingan.machine.files import (
    make_folder,
    make_own_folder,
    read_json,
    read_tensors,
    remove_half_written,
    rename_free,
    write_json,
    write_tensors,
    write_text,
)
from consingan.machine.locking import LOCK, holding, lock_of
from consingan.machine.program import go_on_command
from consingan.methods.contract import Method, Training
from consingan.methods.registry import config_from_json, method_of
from consingan.runs.draft import draft
from consingan.runs.files import (
    ANCHOR,
    CONFIG,
    PYRAMID,
    RESUME,
    START,
    WEIGHTS,
    lacks,
    misfits_explained,
)
from consingan.runs.manifest import MANIFEST, Json, check_manifest, hint, settings_of, unusable
from consingan.runs.snapshots import SNAPSHOTS
from consingan.runs.soundness import check_tensors
from consingan.runs.start import run_name, write_anchor, write_start
from consingan.settings.config import DEFAULT_METHOD, Config


@dataclass(frozen=True)
class RunFolder:
    """The folder of one training run."""

    path: Path

    @classmethod
    def create(
        cls, root: Path, training: Training, about: Json, naive: Tensor | None = None
    ) -> RunFolder:
        """Make the folder of a new run below `root`; it appears with everything in it.

        Args:
            root: usually TrainedModels.
            training: not started yet.
            about: what else the manifest keeps (versions, command line, how it is executed).
            naive: the user's own picture at its own size, (1, 3, H, W) in [-1, 1].

        Raises:
            UserError: it cannot be written there.
        """
        config = training.config
        parent = make_folder(root / image_stem(config.input_name))
        name = run_name(config, datetime.now())
        try:
            with draft(parent, name) as path:
                write_start(path, training, about, naive)
                return cls(rename_free(path, parent / name))
        except OSError as error:
            raise UserError(
                f"The run's folder cannot be made in {parent} ({error.strerror}); "
                "make room there or choose another --output_dir."
            ) from None

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The run that lies at `path`.

        Raises:
            UserError: there is none, or it is of a newer format, or its manifest is damaged.
        """
        if not path.is_dir():
            raise UserError(f"There is no run folder {path}{hint(path, '; check the path.')}")
        folder = cls(path)
        if not (path / MANIFEST).is_file():
            raise UserError(
                f"{path} is not a run of this program; it has no {MANIFEST}{hint(path)}"
            )
        check_manifest(folder.manifest, path)
        return folder

    @property
    def manifest(self) -> Json:
        """What the manifest says at present."""
        return read_json(self.path / MANIFEST)

    @property
    def config(self) -> Config:
        """The settings of the run: as it was begun, and its counts as it was lengthened."""
        began = read_json(self.path / CONFIG)
        try:
            return config_from_json(settings_of(began, self.manifest))
        except (UserError, TypeError) as error:
            raise unusable(self.path / CONFIG, error, self.manifest) from None

    @property
    def method(self) -> Method:
        """The method that it was trained with."""
        try:
            return method_of(self.manifest.get("method", DEFAULT_METHOD))
        except UserError as error:
            raise unusable(self.path / MANIFEST, error, self.manifest) from None

    @property
    def stages(self) -> int:
        """How many stages the whole training has."""
        return int(self.manifest["stages"])

    @property
    def losses(self) -> list[str]:
        """Names of the losses in its curves."""
        return list(self.manifest.get("losses", self.method.losses))

    @property
    def finished_stages(self) -> int:
        """How many stages can be used."""
        return int(self.manifest["finished_stages"])

    @cached_property
    def _lock(self) -> FileLock:
        return lock_of(self.path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep all others from training in this folder meanwhile; may be nested.

        Raises:
            UserError: somebody else is training in it.
        """
        with holding(self._lock):
            yield

    def note(self, **changes: Any) -> None:
        """Change entries of the manifest."""
        write_json(self.path / MANIFEST, self.manifest | changes)

    def stage_folder(self, stage: int) -> Path:
        """Folder of one stage, made if need be."""
        return make_own_folder(self.path / str(stage))

    def save_anchor(self, stage: int, tensors: dict[str, Tensor]) -> None:
        """Keep what a stage fixed at its beginning, names as `contract.Training.anchor`."""
        write_anchor(self.path, stage, tensors)

    def save_stage(self, stage: int, training: Training, curves: Tensor) -> None:
        """Keep the weights and curves of a finished stage; `count_stage` makes it count."""
        folder = self.stage_folder(stage)
        write_tensors(folder / WEIGHTS, training.weights())
        rows = [",".join(training.losses)]
        rows += [",".join(f"{v:.6g}" for v in row) for row in curves.tolist()]
        write_text(folder / "losses.csv", "\n".join(rows) + "\n")

    def count_stage(self, stage: int, seconds: float) -> None:
        """Note in the manifest that `stage` is saved and took `seconds`."""
        times = [*self.manifest["seconds_per_stage"][:stage], round(seconds, 3)]
        self.note(finished_stages=stage + 1, seconds_per_stage=times)

    def save_progress(self, state: dict[str, Tensor], seconds: float) -> None:
        """Keep the state in the middle of a stage, `seconds` of work into it."""
        clock = torch.tensor(seconds, dtype=torch.float64)
        write_tensors(self.path / RESUME, state | {"seconds": clock})

    def finish(self) -> None:
        """Mark the run as finished and remove what only going on with it needs.

        The state first: all stages count, so that it is needed no more, and a run that is killed
        in this moment does not keep it for ever.
        """
        with contextlib.suppress(OSError):
            (self.path / RESUME).unlink()
        self.note(status="finished")
        with contextlib.suppress(OSError):  # Windows keeps a lock that is held
            (self.path / LOCK).unlink()

    def tidy(self) -> None:
        """Remove what a killed training left half written; an evaluation may run meanwhile."""
        stages = [path for path in self.path.iterdir() if path.name.isdecimal()]
        for folder in (self.path, *stages, self.path / SNAPSHOTS):
            remove_half_written(folder)

    def naive(self) -> Tensor | None:
        """The user's own picture at its own size, (1, 3, H, W), if the run has one."""
        return self.load(PYRAMID).get("naive")

    def anchors(self, stages: int) -> dict[str, Tensor]:
        """What the first `stages` stages fixed, "anchor.<stage>.<name>" each."""
        found: dict[str, Tensor] = {}
        for stage in range(stages):
            name = f"{stage}/{ANCHOR}"
            if (self.path / name).is_file() or self.method.anchored:
                kept = self.load(name, *self.method.anchored)
                found |= {f"anchor.{stage}.{key}": tensor for key, tensor in kept.items()}
        return found

    def tensors(self, stages: int | None = None, weights: str | None = None) -> dict[str, Tensor]:
        """Everything that `contract.Code.restore` takes.

        Args:
            stages: how many to use; by default all that are finished.
            weights: file of the weights; by default those of the last of these stages.

        Raises:
            UserError: no stage is finished, or a file is missing or damaged.
        """
        finished, whole = self.finished_stages, self.stages
        count = finished if stages is None else stages
        if whole and not 1 <= count <= whole:
            raise UserError(
                f"{self.path} has {finished} finished stages, so there is nothing to load yet; "
                f"go on with: {go_on_command(self.path)}"
            )
        fixed = self.load(PYRAMID) | self.anchors(count)
        name = weights or f"{count - 1}/{WEIGHTS}"
        return fixed | self.load(name) if whole else fixed

    @property
    def last_weights(self) -> str:
        """File of the weights of the last finished stage."""
        return f"{max(self.finished_stages, 1) - 1}/{WEIGHTS}"

    def check_stages(self, stages: int) -> None:
        """Compare what the settings say with what the manifest says.

        Raises:
            UserError: they differ.
        """
        if stages != self.stages:
            raise UserError(
                f"{self.path / CONFIG} does not fit {MANIFEST} ({stages} stages against "
                f"{self.stages}); restore them from a copy."
            )

    def start(self) -> dict[str, Tensor]:
        """What `contract.Code.take_up` takes: the images, of a fine-tuning the trained model."""
        if self.config.fine_tune:
            return self.tensors(self.stages, START)
        return self.load(PYRAMID)

    @contextlib.contextmanager
    def explained(self, name: str | None = None) -> Iterator[None]:
        """Turn what a method says of tensors that do not fit into the user's words.

        Args:
            name: the file that is to blame where the error does not say.

        Raises:
            UserError: in place of a KeyError or RuntimeError.
        """
        otherwise = START if self.config.fine_tune else PYRAMID
        with misfits_explained(self.path, name, otherwise):
            yield

    def load(self, name: str, *required: str) -> dict[str, Tensor]:
        """Tensors of the file `name`, on the CPU.

        Raises:
            UserError: it is missing or damaged, or one of those `required` is not in it.
        """
        tensors = read_tensors(self.path / name)
        check_tensors(self.path / name, tensors)
        for wanted in required:
            if wanted not in tensors:
                raise lacks(self.path / name, wanted)
        return tensors
