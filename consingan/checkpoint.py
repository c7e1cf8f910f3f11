"""A run's folder: what is in it, how it is saved, loaded and taken up again.

    manifest.json            format, status, finished stages, versions, command, seconds per stage
    config.json              every setting
    pyramid.safetensors      the real image at every stage (and the user's own picture, if any)
    start.safetensors        of a fine-tuning, the weights that it started from
    resume.safetensors       state in the middle of a stage: weights, optimizers, curves
    0/, 1/, ...              a folder for each stage:
        anchor.safetensors       fixed noise and amplitude
        weights.safetensors      generator and discriminator when the stage was finished
        losses.csv               the stage's curves

Weights are plain tensors (safetensors), nothing is pickled. Every file is written beside its place
and renamed, so that a folder can be evaluated and resumed after a stop at any moment.
"""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
import struct
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor

from consingan.config import Config
from consingan.engine import LOSSES
from consingan.errors import UserError
from consingan.files import make_folder, write_json, write_tensors, write_text
from consingan.images import image_stem
from consingan.model import Anchor, Model
from consingan.modes import MODES
from consingan.networks import Discriminator, Generator
from consingan.trainer import Trainer, part

FORMAT = 1
MANIFEST = "manifest.json"
RESUME = "resume.safetensors"
STATUSES = ("training", "interrupted", "diverged", "failed", "finished")

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
            return cls(_rename_free(draft / name, parent / name))
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
        self._save("pyramid.safetensors", tensors)
        if trainer.model.anchors:  # fine-tuning starts from a trained model
            for stage, anchor in enumerate(trainer.model.anchors):
                self.save_anchor(stage, anchor)
            self._save("start.safetensors", _weights(trainer))
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
        manifest = folder.manifest
        if manifest.get("format") != FORMAT:
            raise UserError(
                f"{path} was written in format {manifest.get('format')}, this program reads "
                f"format {FORMAT}; use the newer release of ConSinGAN."
            )
        _check_manifest(manifest, path / MANIFEST)
        return folder

    @property
    def manifest(self) -> Json:
        """What the manifest says at present."""
        return _read_json(self.path / MANIFEST)

    @property
    def config(self) -> Config:
        """The settings of the run."""
        try:
            return Config.from_json(_read_json(self.path / "config.json"))
        except (UserError, TypeError) as error:
            raise UserError(f"{self.path / 'config.json'} cannot be used: {error}") from None

    @property
    def finished_stages(self) -> int:
        """How many stages can be used."""
        return int(self.manifest["finished_stages"])

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
        self.stage_folder(stage)
        amplitude = torch.tensor(anchor.amplitude, dtype=torch.float64)
        self._save(f"{stage}/anchor.safetensors", {"noise": anchor.noise, "amplitude": amplitude})

    def save_stage(self, stage: int, trainer: Trainer) -> None:
        """Keep the weights and curves of a finished stage; `count_stage` makes it count."""
        self.stage_folder(stage)
        self._save(f"{stage}/weights.safetensors", _weights(trainer))
        rows = [",".join(LOSSES)]
        rows += [",".join(f"{v:.6g}" for v in row) for row in trainer.loss_curves().tolist()]
        write_text(self.path / str(stage) / "losses.csv", "\n".join(rows) + "\n")

    def count_stage(self, stage: int, seconds: float) -> None:
        """Note in the manifest that `stage` is saved and took `seconds`."""
        times = [*self.manifest["seconds_per_stage"][:stage], round(seconds, 3)]
        self.note(finished_stages=stage + 1, seconds_per_stage=times)

    def save_progress(self, trainer: Trainer, seconds: float) -> None:
        """Keep the state in the middle of a stage, `seconds` of work into it."""
        clock = torch.tensor(seconds, dtype=torch.float64)
        self._save(RESUME, trainer.state() | {"seconds": clock})

    def finish(self) -> None:
        """Mark the run as finished; the state in the middle of a stage is no longer needed."""
        self.note(status="finished")
        with contextlib.suppress(FileNotFoundError):
            (self.path / RESUME).unlink()

    def tidy(self) -> None:
        """Remove what a killed run left half written."""
        for litter in self.path.rglob(".*.tmp"):
            with contextlib.suppress(OSError):
                litter.unlink()

    def reals(self, device: torch.device | str = "cpu") -> list[Tensor]:
        """The image pyramid, coarsest first."""
        tensors = self._load("pyramid.safetensors", device)
        names = [f"real.{i}" for i in range(self.config.train_stages)]
        self._require(names, tensors, "pyramid.safetensors")
        return [tensors[name] for name in names]

    def source_image(self, device: torch.device | str = "cpu") -> Tensor | None:
        """The user's own picture at stage 0, if the run fine-tunes on one."""
        return self._load("pyramid.safetensors", device).get("source")

    def naive(self) -> Tensor | None:
        """The user's own picture at its own size, (1, 3, H, W), if the run has one."""
        return self._load("pyramid.safetensors", "cpu").get("naive")

    def anchors(self, stages: int, device: torch.device | str = "cpu") -> list[Anchor]:
        """Anchors of the first `stages` stages."""
        reals = self.reals(device)
        anchors = []
        for stage in range(stages):
            tensors = self._load(f"{stage}/anchor.safetensors", device)
            self._require(("noise", "amplitude"), tensors, f"{stage}/anchor.safetensors")
            anchors.append(Anchor(reals[stage], tensors["noise"], float(tensors["amplitude"])))
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
        tensors = self._load(name, device)
        try:
            generator.load_state_dict(part(tensors, "generator"))
            if any(key.startswith("discriminator.") for key in tensors):
                discriminator.load_state_dict(part(tensors, "discriminator"))
        except RuntimeError as error:
            raise self._misfit(name, error) from None
        model = Model(config, generator.to(device), self.anchors(stages, device))
        return model, discriminator.to(device)

    def resume(self, trainer: Trainer) -> float:
        """Put `trainer` where the run was; returns the seconds spent in its stage so far.

        Takes the state in the middle of a stage, else the last finished stage; without either the
        trainer stays at its start.

        Raises:
            UserError: a file is missing or damaged.
        """
        device, finished = trainer.device, self.finished_stages
        progress = self._progress(device)
        if progress is not None and int(progress["position"][0]) >= finished:
            stage = int(progress["position"][0])
            self._take_up(trainer, progress, stage + 1, RESUME)
            return float(progress["seconds"])
        if finished > trainer.stage:
            name = f"{finished - 1}/weights.safetensors"
            weights = self._load(name, device) | {"position": torch.tensor([finished, 0])}
            self._take_up(trainer, weights, finished, name)
        return 0.0

    def _take_up(
        self, trainer: Trainer, state: Mapping[str, Tensor], stages: int, name: str
    ) -> None:
        """Load the state from the file `name`, in which `stages` stages are begun."""
        try:
            trainer.load_state(state, self.anchors(stages, trainer.device))
        except RuntimeError as error:
            raise self._misfit(name, error) from None

    def _progress(self, device: torch.device | str) -> dict[str, Tensor] | None:
        """The state in the middle of a stage, if there is any."""
        if not (self.path / RESUME).is_file():
            return None
        try:
            progress = self._load(RESUME, device)
            self._require(("position", "seconds"), progress, RESUME)
        except UserError as error:
            raise UserError(
                f"{str(error).rstrip('.')}; or delete it to go on from the last finished stage."
            ) from None
        return progress

    def _misfit(self, name: str, error: RuntimeError) -> UserError:
        reason = str(error).splitlines()[0].rstrip(":")
        return UserError(f"{self.path / name} does not fit its config.json ({reason}).")

    def _require(self, names: Iterable[str], tensors: Mapping[str, Tensor], file: str) -> None:
        for name in names:
            if name not in tensors:
                raise UserError(
                    f"{self.path / file} is damaged (it holds no {name}); restore it from a copy "
                    "or train anew."
                )

    def _save(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        write_tensors(self.path / name, tensors)

    def _load(self, name: str, device: torch.device | str) -> dict[str, Tensor]:
        path = self.path / name
        try:
            return load_file(path, device=str(device))
        except FileNotFoundError:
            raise UserError(
                f"{path} is missing; the run folder is incomplete, copy it again or train anew."
            ) from None
        except (safetensors.SafetensorError, OSError, struct.error) as error:
            raise UserError(
                f"{path} is damaged ({error}); restore it from a copy or train anew."
            ) from None


def _weights(trainer: Trainer) -> dict[str, Tensor]:
    """The networks of a trainer, without what only the training itself needs."""
    keep = ("generator.", "discriminator.")
    return {k: v for k, v in trainer.state().items() if k.startswith(keep)}


def _rename_free(draft: Path, wanted: Path) -> Path:
    """Rename a folder to `wanted`, or wanted_2, wanted_3 ... if another run was faster."""
    for attempt in range(1, 1000):
        path = wanted if attempt == 1 else wanted.with_name(f"{wanted.name}_{attempt}")
        if path.exists():
            continue
        try:
            return draft.rename(path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.EACCES):
                raise  # else it was taken in this very moment
    raise UserError(f"{wanted.parent} already holds a thousand runs of this name; tidy it up.")


def _check_manifest(manifest: Json, path: Path) -> None:
    """What the program itself reads must be there and of its kind."""
    kinds = {"status": str, "finished_stages": int, "seconds_per_stage": list}
    for name, kind in kinds.items():
        if not isinstance(manifest.get(name), kind):
            raise UserError(f"{path} is damaged (its {name} is {manifest.get(name)!r}).")


def _hint(path: Path) -> str:
    """Name runs below a folder that is not one itself."""
    runs = sorted(p.parent for p in path.glob(f"*/{MANIFEST}"))
    return f"; did you mean {runs[-1]}?" if runs else "."


def _read_json(path: Path) -> Json:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing; the run folder is incomplete.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is damaged ({error}).") from None
    if not isinstance(value, dict):
        raise UserError(f"{path} is damaged (it holds no settings).")
    return value
