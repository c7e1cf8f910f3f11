"""A run's folder: what is in it, how it is saved and loaded (resuming.py goes on with it).

    manifest.json            format, finished stages, versions, command, seconds per stage, status:
                             training, interrupted, diverged, failed or finished
    config.json              every setting
    pyramid.safetensors      the real image at every stage (and the user's own picture, if any)
    start.safetensors        of a fine-tuning, the weights that it started from
    resume.safetensors       state in the middle of a stage: weights, now and at its
                             beginning, optimizers, curves, attempt
    0/, 1/, ...              a folder for each stage:
        anchor.safetensors       fixed noise and amplitude
        weights.safetensors      generator and discriminator when the stage was finished
        losses.csv               the stage's curves
    .lock                    held while a process trains in the folder

Weights are plain tensors (safetensors), nothing is pickled. Every file is written beside its place
and renamed, so that a folder can be evaluated and resumed after a stop at any moment.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
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
from consingan.images.io import image_stem
from consingan.machine.files import (
    make_folder,
    read_json,
    read_tensors,
    rename_free,
    write_json,
    write_tensors,
    write_text,
)
from consingan.machine.locking import LOCK, holding, lock_of
from consingan.methods.consingan.engine import LOSSES
from consingan.methods.consingan.model import Anchor, Model
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.tasks import MODES
from consingan.nn.discriminator import Discriminator
from consingan.nn.optimizers import part
from consingan.settings.config import Config
from consingan.training.loop import Trainer

EVALUATION = "Evaluation"

FORMAT = 1
MANIFEST = "manifest.json"
RESUME = "resume.safetensors"
PYRAMID = "pyramid.safetensors"

Json = dict[str, Any]


def run_name(config: Config, when: datetime) -> str:
    """Name of a run's folder, as users know it from the authors' program."""
    parts = [when.strftime("%Y_%m_%d_%H_%M_%S"), config.train_mode]
    if config.fine_tune:
        parts.append("fine-tune")
    parts.append(f"train_depth_{config.train_depth}_lr_scale_{config.lr_scale}")
    if config.batch_norm:
        parts.append("BN")
    parts.append(f"act_{config.activation}")
    if config.activation == "lrelu":
        parts.append(str(config.lrelu_alpha))
    return "_".join(parts)


@dataclass(frozen=True)
class RunFolder:
    """The folder of one training run."""

    path: Path

    @classmethod
    def create(
        cls, root: Path, trainer: Trainer, about: Json, naive: Tensor | None = None
    ) -> RunFolder:
        """Make the folder of a new run below `root`; it appears with everything in it.

        Args:
            root: usually TrainedModels.
            trainer: not started yet.
            about: what else the manifest keeps (versions, command line, how it is executed).
            naive: the user's own picture at its own size, (1, 3, H, W) in [-1, 1].

        Raises:
            UserError: it cannot be written there.
        """
        config = trainer.config
        parent = make_folder(root / image_stem(config.input_name))
        name = run_name(config, datetime.now())
        draft: Path | None = None
        try:
            # A folder of a name of its own, in it one with the usual permissions.
            draft = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".tmp", dir=parent))
            (draft / name).mkdir()
            cls(draft / name)._write_start(trainer, about, naive)
            return cls(rename_free(draft / name, parent / name))
        except OSError as error:
            raise UserError(
                f"The run's folder cannot be made in {parent} ({error.strerror}); "
                "make room there or choose another --output_dir."
            ) from None
        finally:
            if draft is not None:
                shutil.rmtree(draft, ignore_errors=True)

    def _write_start(self, trainer: Trainer, about: Json, naive: Tensor | None) -> None:
        config = trainer.config
        write_json(self.path / "config.json", config.to_json())
        tensors = {f"real.{i}": real for i, real in enumerate(trainer.reals)}
        if trainer.source_image is not trainer.reals[0]:
            tensors["source"] = trainer.source_image
        if naive is not None:
            tensors["naive"] = naive
        write_tensors(self.path / PYRAMID, tensors)
        if trainer.model.anchors:  # fine-tuning starts from a trained model
            for stage, anchor in enumerate(trainer.model.anchors):
                self.save_anchor(stage, anchor)
            write_tensors(self.path / "start.safetensors", _weights(trainer))
        manifest = {"format": FORMAT, "status": "training", "finished_stages": 0}
        manifest |= {"stages": config.train_stages, "seed": config.manual_seed}
        write_json(self.path / MANIFEST, manifest | {"seconds_per_stage": []} | about)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The run that lies at `path`.

        Raises:
            UserError: there is none, or it is of a newer format, or its manifest is damaged.
        """
        if not path.is_dir():
            raise UserError(f"There is no run folder {path}; check --model_dir.")
        folder = cls(path)
        if not (path / MANIFEST).is_file():
            raise UserError(
                f"{path} is not a run of this program; it has no {MANIFEST}{_hint(path)}"
            )
        _check_manifest(folder.manifest, path)
        return folder

    @property
    def manifest(self) -> Json:
        """What the manifest says at present."""
        return read_json(self.path / MANIFEST)

    @property
    def config(self) -> Config:
        """The settings of the run."""
        try:
            return Config.from_json(read_json(self.path / "config.json"))
        except (UserError, TypeError) as error:
            raise UserError(f"{self.path / 'config.json'} cannot be used: {error}") from None

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
        folder = self.path / str(stage)
        folder.mkdir(exist_ok=True)
        return folder

    def save_anchor(self, stage: int, anchor: Anchor) -> None:
        """Keep the fixed noise and amplitude of a stage that begins."""
        amplitude = torch.tensor(anchor.amplitude, dtype=torch.float64)
        tensors = {"noise": anchor.noise, "amplitude": amplitude}
        write_tensors(self.stage_folder(stage) / "anchor.safetensors", tensors)

    def save_stage(self, stage: int, trainer: Trainer) -> None:
        """Keep the weights and curves of a finished stage; `count_stage` makes it count."""
        folder = self.stage_folder(stage)
        write_tensors(folder / "weights.safetensors", _weights(trainer))
        rows = [",".join(LOSSES)]
        rows += [",".join(f"{v:.6g}" for v in row) for row in trainer.loss_curves().tolist()]
        write_text(folder / "losses.csv", "\n".join(rows) + "\n")

    def count_stage(self, stage: int, seconds: float) -> None:
        """Note in the manifest that `stage` is saved and took `seconds`."""
        times = [*self.manifest["seconds_per_stage"][:stage], round(seconds, 3)]
        self.note(finished_stages=stage + 1, seconds_per_stage=times)

    def save_progress(self, trainer: Trainer, seconds: float) -> None:
        """Keep the state in the middle of a stage, `seconds` of work into it."""
        clock = torch.tensor(seconds, dtype=torch.float64)
        write_tensors(self.path / RESUME, trainer.state() | {"seconds": clock})

    def finish(self) -> None:
        """Mark the run as finished and remove what only going on with it needs."""
        self.note(status="finished")
        for name in (RESUME, LOCK):
            with contextlib.suppress(OSError):  # Windows keeps a lock that is held
                (self.path / name).unlink()

    def tidy(self) -> None:
        """Remove what a killed run left half written."""
        for litter in self.path.rglob(".*.tmp"):
            with contextlib.suppress(OSError):
                litter.unlink()

    def reals(self, device: torch.device | str = "cpu") -> list[Tensor]:
        """The image pyramid, coarsest first."""
        names = [f"real.{i}" for i in range(self.config.train_stages)]
        tensors = self.load(PYRAMID, *names)
        return [tensors[name].to(device) for name in names]

    def source_image(self, device: torch.device | str = "cpu") -> Tensor | None:
        """The user's own picture at stage 0, if the run fine-tunes on one."""
        source = self.load(PYRAMID).get("source")
        return None if source is None else source.to(device)

    def naive(self) -> Tensor | None:
        """The user's own picture at its own size, (1, 3, H, W), if the run has one."""
        return self.load(PYRAMID).get("naive")

    def anchors(self, stages: int, device: torch.device | str = "cpu") -> list[Anchor]:
        """Anchors of the first `stages` stages."""
        anchors = []
        for stage, real in enumerate(self.reals(device)[:stages]):
            kept = self.load(f"{stage}/anchor.safetensors", "noise", "amplitude")
            anchors.append(Anchor(real, kept["noise"].to(device), float(kept["amplitude"])))
        return anchors

    def load_model(
        self, device: torch.device | str = "cpu", stages: int | None = None
    ) -> tuple[Model, Discriminator]:
        """The model after its last finished stage, or after the first `stages` ones.

        Raises:
            UserError: no stage is finished, or a file is missing or damaged.
        """
        config, finished = self.config, self.finished_stages
        count = finished if stages is None else stages
        if not 1 <= count <= finished:
            raise UserError(
                f"{self.path} has {finished} finished stages, so there is nothing to load yet; "
                f"go on with: main_train.py --resume --model_dir {self.path}"
            )
        return self._networks(config, f"{count - 1}/weights.safetensors", count, device)

    def start(self, device: torch.device | str = "cpu") -> tuple[Model, Discriminator]:
        """The trained model that a fine-tuning run started from."""
        return self._networks(self.config, "start.safetensors", self.config.train_stages, device)

    def load_snapshot(self, name: str, device: torch.device | str = "cpu") -> Model:
        """The model with the generator's weights from the file `name` of this folder."""
        return self._networks(self.config, name, self.config.train_stages, device)[0]

    def _networks(
        self, config: Config, name: str, stages: int, device: torch.device | str
    ) -> tuple[Model, Discriminator]:
        generator = Generator(config.shape, MODES[config.train_mode].border)
        while generator.stages < stages:
            generator.grow()
        discriminator = Discriminator(config.shape)
        tensors = self.load(name)
        try:
            generator.load_state_dict(part(tensors, "generator"))
            if any(key.startswith("discriminator.") for key in tensors):
                discriminator.load_state_dict(part(tensors, "discriminator"))
        except RuntimeError as error:
            raise self.misfit(name, error) from None
        model = Model(config, generator.to(device), self.anchors(stages, device))
        return model, discriminator.to(device)

    def load(self, name: str, *required: str) -> dict[str, Tensor]:
        """Tensors of the file `name`, on the CPU.

        Raises:
            UserError: it is missing or damaged, or one of those `required` is not in it.
        """
        tensors = read_tensors(self.path / name)
        for wanted in required:
            if wanted not in tensors:
                raise UserError(
                    f"{self.path / name} is damaged (it holds no {wanted}); restore it from a "
                    "copy or train anew."
                )
        return tensors

    def misfit(self, name: str, error: RuntimeError) -> UserError:
        """The error for weights in the file `name` that torch could not put into the networks."""
        reason = str(error).splitlines()[0].rstrip(":")
        return UserError(f"{self.path / name} does not fit its config.json ({reason}).")


def _weights(trainer: Trainer) -> dict[str, Tensor]:
    """The networks of a trainer, without what only the training itself needs."""
    keep = ("generator.", "discriminator.")
    return {k: v for k, v in trainer.state().items() if k.startswith(keep)}


def _check_manifest(manifest: Json, run: Path) -> None:
    """What the program itself reads must be there and of its kind."""
    if isinstance(manifest.get("format"), int) and manifest["format"] > FORMAT:
        raise UserError(
            f"{run} was written in format {manifest['format']}, this program reads format "
            f"{FORMAT}; use the newer release of ConSinGAN."
        )
    kinds = {"format": int, "status": str, "finished_stages": int, "seconds_per_stage": list}
    perhaps = {"execution": dict, "versions": dict}
    kinds |= {name: kind for name, kind in perhaps.items() if name in manifest}
    for name, kind in kinds.items():
        if not isinstance(manifest.get(name), kind):
            raise UserError(
                f"{run / MANIFEST} is damaged (its {name} is {manifest.get(name)!r}); restore it "
                "from a copy."
            )


def _hint(path: Path) -> str:
    """Name the run that a folder is a stage of, or those below it."""
    if (path.resolve().parent / MANIFEST).is_file():
        return f"; did you mean {path.parent}?"
    runs = sorted(p.parent for p in path.glob(f"*/{MANIFEST}"))
    return f"; did you mean {runs[-1]}?" if runs else "."


def snapshot_name(iteration: int, folder: RunFolder) -> str:
    """File of a fine-tuning snapshot.

    Raises:
        UserError: there is no such snapshot; the sentence names those that exist.
    """
    pass

    found = snapshots(folder.path)
    if iteration not in found:
        there = ", ".join(str(n) for n in found) or "none; only fine-tuned runs have them"
        raise UserError(f"There is no snapshot of iteration {iteration}; there are: {there}.")
    return snapshot_file(iteration)


SNAPSHOTS = "snapshots"


def snapshot_file(iteration: int) -> str:
    """Name of the weights of one snapshot inside the run's folder."""
    return f"{SNAPSHOTS}/iteration_{iteration:05d}.safetensors"


def snapshots(run: Path) -> list[int]:
    """Iterations of which the run at `run` has snapshots, in order."""
    names = (path.name for path in (run / SNAPSHOTS).glob("iteration_*.safetensors"))
    return sorted(int(m.group(1)) for n in names if (m := re.match(r"iteration_(\d+)\.", n)))
