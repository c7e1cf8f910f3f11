"""Choose what of a picture is trained: what was asked for, else what the picture has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from consingan.errors import UserError
from consingan.images.channels import natural, trained
from consingan.images.names import shown
from consingan.images.picture import Picture
from consingan.methods.choose import MASK, trainable
from consingan.methods.contract import Method
from consingan.methods.registry import METHODS, method_of
from consingan.settings.config import Config
from consingan.settings.layers import Chosen
from consingan.settings.reading import AUTO, BANDS, GRAY, RGB, RGBA

AROUND_A_HOLE = {
    GRAY: "around a --mask it is trained in three channels, as a colored picture is.",
    RGBA: "around a --mask its opacity is not learned.",
}
"""What is said of a picture that without one is trained as it is."""


def choose_channels(chosen: Chosen[Any], picture: Picture) -> tuple[Chosen[Any], Picture]:
    """Settings that say what is trained of the picture, and the picture with what is said of it.

    Where it is RGB and nobody asked, `channels` stays "auto", as in the runs of earlier versions.

    Raises:
        UserError: the method cannot train what was asked for, or the picture does not have it.
    """
    config, kind = chosen.config, natural(picture)
    method = method_of(config.method)
    if config.channels == AUTO:
        wanted = kind if kind in trainable(method, config) else RGB
    else:
        wanted = config.channels
        _refuse(wanted, kind, method, config)
    kept = config.channels if wanted == RGB else wanted
    config = config.with_channels(kept, trained(picture, wanted).shape[1])
    if wanted == BANDS and picture.bands is not None:
        said = f"{_name(config)}: all of its bands are trained, and three of them shown."
        own = picture.bands
        picture = replace(picture, notes=(*own.notes, said), value_range=own.value_range)
    origin = chosen.origin
    if kept != chosen.config.channels:
        origin = {**origin, "channels": "picture"}
    notes = _notes(picture, wanted, method, config)
    if chosen.config.channels == AUTO and kind in _left_out(method, config):
        notes = (*notes, f"{_name(config)}: {AROUND_A_HOLE[kind]}")
    return Chosen(config, origin), replace(picture, notes=notes)


def _left_out(method: Method, config: Config) -> set[str]:
    """What would be trained of a picture but for a hole, and is not said in reading it."""
    usual = method.tasks[config.train_mode].channels
    return {*AROUND_A_HOLE} & {*usual} - {*trainable(method, config)}


def _refuse(wanted: str, kind: str, method: Method, config: Config) -> None:
    if wanted not in trainable(method, config):
        hole = " around a --mask" if MASK in method.pictures(config) else ""
        raise UserError(
            f"--channels {wanted} cannot be trained by --method {method.name} --train_mode "
            f"{config.train_mode}{hole}; use --channels rgb, or {_who_can(wanted)}."
        )
    if wanted in (RGBA, BANDS) and wanted != kind:
        lacks = "no transparent pixel" if wanted == RGBA else "no bands beside its colors"
        raise UserError(f"--channels {wanted}: {_name(config)} has {lacks}; leave --channels out.")


def _who_can(wanted: str) -> str:
    """The methods that can train it, each with its tasks, in words."""
    rows = (
        (m, [name for name, t in m.tasks.items() if wanted in t.channels]) for m in METHODS.values()
    )
    return " or ".join(f"--method {m.name} for {', '.join(tasks)}" for m, tasks in rows if tasks)


def _notes(picture: Picture, wanted: str, method: Method, config: Config) -> tuple[str, ...]:
    """What was said in reading it, as far as it holds, and what of the picture is left out."""
    notes = picture.notes
    if wanted == RGBA:
        notes = tuple(note for note in notes if "transparent parts" not in note)
        notes = (*notes, f"{_name(config)}: its opacity is learned, --channels rgb lays it flat.")
    if min(picture.bits, 16) > method.bits:
        said = f"{_name(config)}: {method.title} keeps {method.bits} bit of its {picture.bits}."
        notes = (*notes, said)
    return notes


def _name(config: Config) -> str:
    return shown(Path(config.input_name).name)
