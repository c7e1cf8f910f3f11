"""What a large picture asks for: windows, more stages, no normalization, all stages trained."""

from __future__ import annotations

import math

from consingan.errors import UserError
from consingan.images.resize import scaled_size, training_scale
from consingan.methods.consingan.config import LARGE, WINDOW, ConSinGANConfig
from consingan.methods.consingan.pyramid import stages_above
from consingan.methods.consingan.tasks import TASKS
from consingan.settings.config import UNASKED
from consingan.settings.layers import Chosen

Size = tuple[int, int]


def fitted(
    chosen: Chosen[ConSinGANConfig], size: Size
) -> tuple[Chosen[ConSinGANConfig], list[str]]:
    """Settings for a picture of `size` (h, w) px, and notes on what changed.

    Raises:
        UserError: windows were asked for beside what cannot be trained on them, or too small ones.
    """
    config = chosen.config
    _refuse_small_windows(config)
    return _fitted(chosen, scaled_size(size, training_scale(size, config.max_size)))


def refitted(chosen: Chosen[ConSinGANConfig], size: Size, other: Size) -> ConSinGANConfig:
    """What `fitted` gives for a finest stage of `other` (h, w) px, if it gave `chosen` for `size`.

    What the first picture changed is as it was asked for before.
    """
    config, origin = chosen.config, chosen.origin
    stages = config.train_stages - stages_above(size, config.min_size)
    before = {"crop": 0, "batch_norm": True, "train_stages": max(stages, 1)}
    before = {name: value for name, value in before.items() if origin[name] == "picture"}
    if origin["min_size"] in ("task", "picture"):
        recommended, short = TASKS[config.train_mode].overrides["min_size"], min(other)
        lowered = lowered_min_size(short, config.architecture.smallest_image)
        before["min_size"] = recommended if recommended < short else lowered
    asked = Chosen(config.replace(**before), {**origin, **dict.fromkeys(before, "default")})
    return _fitted(asked, other)[0].config


def lowered_min_size(short: int, least: int = 1) -> int:
    """A min_size for a picture whose shorter side, `short` px, is not above the recommended one."""
    return max(round(0.64 * short), least)  # 120 of 188, as recommended


def _fitted(
    chosen: Chosen[ConSinGANConfig], finest: Size
) -> tuple[Chosen[ConSinGANConfig], list[str]]:
    config = chosen.config
    if not _on_windows(chosen, finest):
        return _trained_whole(chosen, finest)
    changes: dict[str, int | bool] = {}
    if not config.crop:
        changes["crop"] = max(WINDOW, config.architecture.smallest_image)
    if config.batch_norm:
        changes["batch_norm"] = False
    above = stages_above(finest, config.min_size)
    if above and chosen.origin["train_stages"] in ("default", "task"):
        changes["train_stages"] = config.train_stages + above
    notes = [_note(config, changes, finest)] if changes else []
    fits = config.replace(**changes)
    fits.check()
    whole, more = _trained_whole(
        Chosen(fits, {**chosen.origin, **dict.fromkeys(changes, "picture")}), finest
    )
    return whole, [*notes, *more]


def _trained_whole(
    chosen: Chosen[ConSinGANConfig], finest: Size
) -> tuple[Chosen[ConSinGANConfig], list[str]]:
    """All stages where samples are too large to be finished unasked, but for a typed layout.

    An evaluation makes them at twice the width and height, too.
    """
    sketches, pixels = chosen.config.finished and chosen.config.layout, math.prod(finest)
    if not sketches or chosen.origin["layout"] == "typed" or (1 + 4) * pixels <= UNASKED:
        return chosen, []
    note = "Samples as large as this are not finished unless asked, so that all stages are trained."
    whole = chosen.config.replace(layout=0)
    return Chosen(whole, {**chosen.origin, "layout": "picture"}), [note]


def _on_windows(chosen: Chosen[ConSinGANConfig], finest: Size) -> bool:
    config, origin = chosen.config, chosen.origin
    normalized = config.batch_norm and origin["batch_norm"] == "typed"
    if origin["crop"] != "typed":
        return not normalized and finest[0] * finest[1] > LARGE
    if config.crop and normalized:
        raise UserError(
            f"--crop {config.crop} does not go with --batch_norm, whose statistics are of the "
            "whole picture; leave one of them out."
        )
    return config.crop > 0


def _refuse_small_windows(config: ConSinGANConfig) -> None:
    """Not by `config.check`: finished runs have them that never came to train on a window."""
    least = config.architecture.smallest_image
    if 0 < config.crop < least:
        raise UserError(
            f"--crop {config.crop} is smaller than the patches that the discriminator looks at; "
            f"use {least} or more, or 0."
        )


def _note(config: ConSinGANConfig, changes: dict[str, int | bool], finest: Size) -> str:
    """What was changed, in a sentence."""
    said = {
        "crop": f"fine stages are trained on windows of {changes.get('crop')} px (--crop)",
        "batch_norm": "without --batch_norm, which windows cannot have",
        "train_stages": f"in {changes.get('train_stages')} stages instead of "
        f"{config.train_stages}, so that they go on as closely spaced",
    }
    words = ", ".join(said[name] for name in changes)
    return f"The training size is {finest[1]}x{finest[0]}: {words}."
