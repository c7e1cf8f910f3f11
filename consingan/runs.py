"""Set trainings up: a new one here, one to go on with in resuming.py.

What the command line and the Python API have in common is found here by name: `prepare`,
`resumed`, `load_run`, and `Execution`, which says where and how to compute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.compositing import fit_naive
from consingan.config import Chosen, Config, choose
from consingan.engines import choose_engine
from consingan.errors import UserError
from consingan.execution import Execution, about_this_run, versions
from consingan.images import read_image
from consingan.loading import LoadedRun, load_run
from consingan.model import Model
from consingan.modes import MODES, fine_tuned
from consingan.presets import PRESETS
from consingan.pyramid import build_pyramid, resize, resize_to, scaled_size, training_scale
from consingan.resuming import resumed
from consingan.trainer import SeededRandomness, Trainer

__all__ = [
    "Execution", "Job", "LoadedRun", "about_this_run", "choose_settings", "load_run",
    "no_naive_image", "prepare", "read_naive", "resumed", "versions",
]  # fmt: skip

# The run's own counts are for a whole training.
FINE_TUNE = {"niter": 500, "fine_niter": 0, "fine_d_steps": 0, "preset": "paper"}
SAME_PICTURE = 0.02  # mean difference in [-1, 1] below which two pictures are the same one


@dataclass(frozen=True)
class Job:
    """A training that is ready to begin.

    Attributes:
        chosen: settings and where each came from.
        trainer: set up, not started.
        execution: where and how it computes.
        input_size: (h, w) in px of the training image before it was brought to the training size.
        naive: the user's own picture at its own size, (1, 3, H, W) in [-1, 1].
        notes: sentences that the user should read.
    """

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
    chosen = choose_settings(typed)
    picture = read_image(chosen.config.input_name) if image is None else image
    notes: list[str] = []
    chosen = _fitted(chosen, picture, notes)
    reals = _pyramid(chosen.config, picture, execution.device)
    naive = read_naive(chosen.config, (reals[-1].shape[-2], reals[-1].shape[-1]))
    factory = choose_engine(execution.engine, execution.arithmetic, execution.checkpointing)
    trainer = Trainer(chosen.config, reals, factory)
    size = (picture.shape[-2], picture.shape[-1])
    return Job(chosen, trainer, execution, size, naive, notes)


def choose_settings(typed: Mapping[str, Any]) -> Chosen:
    """Settings of a new training: what was typed over those of its preset and of its mode.

    Raises:
        UserError: a value that cannot work.
    """
    mode_name = typed.get("train_mode") or Config.train_mode
    if mode_name not in MODES:
        raise UserError(f"--train_mode {mode_name} is unknown; choose one of {', '.join(MODES)}.")
    recommended = _recommended(mode_name, typed)
    preset = _preset(typed, recommended)
    return choose({"mode": recommended, "preset": preset, "typed": typed})


def _preset(typed: Mapping[str, Any], beneath: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the preset that the user asked for.

    A preset never trains longer than `beneath`, what it is laid over, or what was typed asks for.
    """
    name = typed.get("preset") or Config.preset
    if name not in PRESETS:
        raise UserError(f"--preset {name} is unknown; choose one of {', '.join(PRESETS)}.")
    settings = dict(PRESETS[name])
    full = typed.get("niter") or beneath.get("niter", Config.niter)
    for count in settings.keys() & {"niter", "fine_niter"}:
        if isinstance(full, int):
            settings[count] = min(settings[count], full)
    return settings


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
    lowered = max(lowered_min_size(short), config.shape.smallest_image)
    notes.append(
        f"min_size lowered from {recommended} to {lowered}: the shorter side is {short} px."
    )
    fitted = config.replace(min_size=lowered)
    fitted.check()
    return Chosen(fitted, {**chosen.origin, "min_size": "picture"})


def lowered_min_size(short: int) -> int:
    """A min_size for a picture whose shorter side, `short` px, is not above the recommended one."""
    return round(0.64 * short)  # 120 of 188, as recommended


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
    preset = _preset(typed, FINE_TUNE)
    if "fine_niter" in preset and typed.get("niter") is not None:
        preset["fine_niter"] = typed["niter"]  # the finest stage is all that is trained
    layers = {"run": own, "fine-tuning": FINE_TUNE, "preset": preset, "typed": typed}
    chosen = choose(layers)
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
        fit = " or ".join(name for name, row in MODES.items() if row.takes_naive_image)
        raise UserError(
            f"{base} was trained for {trained.config.train_mode}; --fine_tune needs a run "
            f"trained with --train_mode {fit}, and the same mode again."
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
