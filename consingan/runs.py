"""Set runs up and load them: what the command line and the Python API have in common."""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan._version import __version__
from consingan.checkpoint import MANIFEST, RunFolder
from consingan.compositing import fit_naive
from consingan.config import Chosen, Config, choose
from consingan.device import choose_device
from consingan.engines import choose_engine
from consingan.errors import UserError
from consingan.images import read_image
from consingan.model import Model
from consingan.modes import MODES, fine_tuned
from consingan.networks import Discriminator
from consingan.official import is_official, load_official
from consingan.precision import Arithmetic, choose_arithmetic
from consingan.presets import PRESETS
from consingan.pyramid import build_pyramid, resize, resize_to, scaled_size, training_scale
from consingan.trainer import SeededRandomness, Trainer

FINE_TUNE = {"niter": 500, "fine_niter": 0, "preset": "paper"}
SAME_PICTURE = 0.02  # mean difference in [-1, 1] below which two pictures are the same one
DEFAULT_ROOT = Path("TrainedModels")


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
        choose_engine(engine, arithmetic, checkpointing)
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


@dataclass(frozen=True)
class Start:
    """A model that fine-tuning starts from."""

    model: Model
    discriminator: Discriminator


@dataclass(frozen=True)
class Job:
    """A training that is ready to begin."""

    chosen: Chosen
    trainer: Trainer
    execution: Execution
    input_size: tuple[int, int]
    naive: Tensor | None = None
    notes: list[str] = field(default_factory=list)


def prepare(
    typed: Mapping[str, Any],
    execution: Execution,
    image: Tensor | None = None,
    base: Path | None = None,
) -> Job:
    """Set up a new training run; nothing is written.

    Args:
        typed: fields of Config that the user gave.
        execution: how it will be executed.
        image: the picture itself, (1, 3, H, W) in [-1, 1]; by default `input_name` is read.
        base: the run to fine-tune.

    Raises:
        UserError: a setting, a picture or the base run cannot be used.
    """
    typed = dict(typed)
    if typed.get("fine_tune"):
        return _prepare_fine_tuning(typed, execution, image, base)
    if base is not None:
        raise UserError(
            "--model_dir goes with --fine_tune or --resume; leave it out to train anew."
        )
    mode_name = typed.get("train_mode") or "generation"
    if mode_name not in MODES:
        raise UserError(f"--train_mode {mode_name} is unknown; choose one of {', '.join(MODES)}.")
    preset = typed.get("preset") or "paper"
    if preset not in PRESETS:
        raise UserError(f"--preset {preset} is unknown; choose one of {', '.join(PRESETS)}.")
    recommended = _recommended(mode_name, typed)
    layers = {"mode": recommended, "preset": PRESETS[preset], "typed": typed}
    chosen = choose(layers)
    picture = read_image(chosen.config.input_name) if image is None else image
    notes: list[str] = []
    chosen = _fitted(chosen, picture, notes)
    reals = _pyramid(chosen.config, picture, execution.device)
    naive = read_naive(chosen.config, (reals[-1].shape[-2], reals[-1].shape[-1]))
    factory = choose_engine(execution.engine, execution.arithmetic, execution.checkpointing)
    trainer = Trainer(chosen.config, reals, factory)
    size = (picture.shape[-2], picture.shape[-1])
    return Job(chosen, trainer, execution, size, naive, notes)


def _recommended(mode_name: str, typed: Mapping[str, Any]) -> dict[str, Any]:
    """A mode's own settings, with a min_size that does not contradict a max_size typed."""
    settings = dict(MODES[mode_name].overrides)
    if typed.get("max_size") is not None and "min_size" in settings:
        settings["min_size"] = min(settings["min_size"], typed["max_size"])
    return settings


def read_naive(config: Config, size: tuple[int, int]) -> Tensor | None:
    """The user's own picture, if the configuration names one and the mode takes it.

    Args:
        config: the settings.
        size: (h, w) of the training image, whose shape the picture must have or be given.

    Raises:
        UserError: the mode does not take one, it cannot be read or it is of another shape.
    """
    if not config.naive_img:
        return None
    if not MODES[config.train_mode].takes_naive_image:
        raise no_naive_image(config.train_mode)
    return fit_naive(read_image(config.naive_img), size, config.fit)


def no_naive_image(mode_name: str) -> UserError:
    """The error that says which modes work on a picture of the user's own."""
    takers = " or ".join(name for name, mode in MODES.items() if mode.takes_naive_image)
    return UserError(
        f"--naive_img does not go with --train_mode {mode_name}; it needs a model trained with "
        f"--train_mode {takers}."
    )


def _fitted(chosen: Chosen, image: Tensor, notes: list[str]) -> Chosen:
    """Lower a mode's own min_size where the picture is too small for it."""
    config = chosen.config
    if chosen.origin["min_size"] != "mode":
        return chosen
    size = (image.shape[-2], image.shape[-1])
    short = min(scaled_size(size, training_scale(size, config.max_size)))
    if config.min_size < short:
        return chosen
    recommended = MODES[config.train_mode].overrides["min_size"]
    lowered = max(round(0.64 * short), config.shape.smallest_image)  # 120 of 188, as recommended
    notes.append(
        f"min_size lowered from {recommended} to {lowered}: the shorter side is {short} px."
    )
    fitted = config.replace(min_size=lowered)
    fitted.check()
    return Chosen(fitted, {**chosen.origin, "min_size": "picture"})


def _pyramid(config: Config, image: Tensor, device: torch.device) -> list[Tensor]:
    spacing = MODES[config.train_mode].spacing
    smallest = config.shape.smallest_image
    reals = build_pyramid(
        image, config.train_stages, config.min_size, config.max_size, spacing, smallest
    )
    return [real.to(device) for real in reals]


def _prepare_fine_tuning(
    typed: dict[str, Any], execution: Execution, image: Tensor | None, base: Path | None
) -> Job:
    if base is None:
        raise UserError("--fine_tune needs --model_dir, the folder of the run to go on from.")
    if not typed.get("naive_img"):
        raise UserError("--fine_tune needs --naive_img, the picture to train for.")
    loaded = load_run(base, execution.device)
    trained = loaded.model
    _refuse_unfit(trained, typed, base)
    own = {k: v for k, v in trained.config.to_json().items() if k not in ("fine_tune", "naive_img")}
    chosen = choose({"run": own, "fine-tuning": FINE_TUNE, "typed": typed})
    if typed.get("input_name"):
        given = read_image(typed["input_name"]) if image is None else image
        _refuse_other_picture(given, trained, base)
    naive = fit_naive(read_image(chosen.config.naive_img), trained.sizes[-1], chosen.config.fit)
    source = resize_to(naive.to(execution.device), trained.sizes[0]).clamp(-1, 1)
    mode = fine_tuned(trained.mode)
    trainer = Trainer(
        chosen.config,
        [anchor.real for anchor in trained.anchors],
        choose_engine(execution.engine, execution.arithmetic, execution.checkpointing),
        SeededRandomness(chosen.config.manual_seed, mode, execution.device),
        start=(trained, loaded.discriminator),
        source_image=source,
    )
    return Job(chosen, trainer, execution, trained.sizes[-1], naive)


def _refuse_unfit(trained: Model, typed: Mapping[str, Any], base: Path) -> None:
    """Only a finished model of the same kind can be fine-tuned."""
    mode = typed.get("train_mode") or trained.config.train_mode
    if mode != trained.config.train_mode or not trained.mode.takes_naive_image:
        raise UserError(
            f"{base} was trained for {trained.config.train_mode}; --fine_tune needs a run "
            "trained with --train_mode harmonization or editing, and the same mode again."
        )
    if len(trained.anchors) < trained.config.train_stages:
        raise UserError(
            f"{base} is not finished; go on with it first "
            f"(main_train.py --resume --model_dir {base})."
        )
    fixed = ("train_stages", "nfc", "ker_size", "num_layer", "padd_size", "activation",
             "min_size", "max_size", "batch_norm", "lrelu_alpha")  # fmt: skip
    for name in fixed:
        value = typed.get(name)
        if value is not None and value != getattr(trained.config, name):
            raise UserError(
                f"--{name} {value} differs from the run's {getattr(trained.config, name)} and "
                "cannot be changed by fine-tuning; leave it out."
            )


def _refuse_other_picture(image: Tensor, trained: Model, base: Path) -> None:
    """The training image must be the one that the model was trained on."""
    real = trained.real.cpu()
    scale = training_scale((image.shape[-2], image.shape[-1]), trained.config.max_size)
    again = resize(image, scale).clamp(-1, 1) if scale < 1 else image
    if again.shape != real.shape or (again - real).abs().mean() > SAME_PICTURE:
        raise UserError(
            f"--input_name is not the picture that {base} was trained on; name that one or "
            "leave it out."
        )


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
            return LoadedRun(path, model, folder.start(device)[1], (f"Snapshot {iteration}.",))
        model, discriminator = folder.load_model(device)
    if len(model.anchors) < model.config.train_stages:
        notes.append(
            f"The run is not finished: using stage {len(model.anchors)} of "
            f"{model.config.train_stages}."
        )
    return LoadedRun(path, model, discriminator, tuple(notes))


def snapshot_name(iteration: int, folder: RunFolder) -> str:
    """File of a fine-tuning snapshot.

    Raises:
        UserError: there is no such snapshot; the sentence names those that exist.
    """
    from consingan.fine_tuning import snapshot_file, snapshots

    found = snapshots(folder.path)
    if iteration not in found:
        there = ", ".join(str(n) for n in found) or "none; only fine-tuned runs have them"
        raise UserError(f"There is no snapshot of iteration {iteration}; there are: {there}.")
    return snapshot_file(iteration)


def resumed(folder: RunFolder, execution: Execution) -> tuple[Trainer, float]:
    """A trainer that goes on where the run stopped, and the seconds spent in its stage so far.

    Raises:
        UserError: the run is finished already.
    """
    config = folder.config
    device = execution.device
    if folder.finished_stages >= config.train_stages and folder.manifest["status"] == "finished":
        raise UserError(f"{folder.path} is finished; evaluate it with evaluate_model.py.")
    mode = MODES[config.train_mode]
    trainer = Trainer(
        config,
        folder.reals(device),
        choose_engine(execution.engine, execution.arithmetic, execution.checkpointing),
        SeededRandomness(
            config.manual_seed, fine_tuned(mode) if config.fine_tune else mode, device
        ),
        start=folder.start(device) if config.fine_tune else None,
        source_image=folder.source_image(device),
    )
    seconds = folder.resume(trainer)
    folder.tidy()
    folder.note(status="training")
    return trainer, seconds


def about_this_run(execution: Execution, origin: Mapping[str, str]) -> dict[str, Any]:
    """What the manifest keeps beside the settings."""
    return {
        "versions": versions(),
        "command": shlex.join(sys.argv),
        "execution": execution.to_json(),
        "origin": dict(origin),
    }


def versions() -> dict[str, str]:
    """Versions of the program, Python and the libraries that matter."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"consingan": __version__, "python": platform.python_version()}
    for name in ("torch", "numpy", "scikit-image", "imageio", "safetensors"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
