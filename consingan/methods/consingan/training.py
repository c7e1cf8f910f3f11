"""The training rule of ConSinGAN as the loop calls it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.resize import scaled_size, training_scale
from consingan.methods.consingan.engine import (
    Recipe,
)
from consingan.methods.consingan.model import Model
from consingan.methods.consingan.pyramid import build_pyramid
from consingan.methods.consingan.tasks import MODES
from consingan.settings.config import Config
from consingan.settings.layers import Chosen

# The run's own counts are for a whole training.
FINE_TUNE = {"niter": 500, "fine_niter": 0, "fine_d_steps": 0, "preset": "paper"}


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


def recipe_of(config: Config) -> Recipe:
    """The numbers of the training rule that `config` holds."""
    names = Recipe.__dataclass_fields__
    return Recipe(**{name: getattr(config, name) for name in names})


def learning_rate_factor(iteration: int, iterations: int, gamma: float) -> float:
    """1 during the first 80 % of a stage, then `gamma`."""
    return gamma if 5 * iteration >= 4 * iterations else 1.0


def set_learning_rate(group: dict[str, Any], lr: float) -> None:
    """Set the rate of a parameter group, in place where it is a tensor (a captured graph's)."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr
