"""Settings of a new training: what was typed over those of its preset and its task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consingan.errors import UserError
from consingan.methods.consingan.presets import PRESETS
from consingan.methods.consingan.tasks import MODES
from consingan.settings.config import Config
from consingan.settings.layers import Chosen, choose


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


def no_naive_image(mode_name: str) -> UserError:
    """The error that says which modes work on a picture of the user's own."""
    takers = " or ".join(name for name, mode in MODES.items() if mode.takes_naive_image)
    return UserError(
        f"--naive_img does not go with --train_mode {mode_name}; it needs a model trained with "
        f"--train_mode {takers}."
    )
