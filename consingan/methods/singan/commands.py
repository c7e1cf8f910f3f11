"""The commands of the authors' program, with their flags (names and defaults are theirs)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consingan.methods.contract import AuthorsCommand
from consingan.methods.singan.pyramid import plan_enlargement
from consingan.settings.option import option

# Trained alike: what a run of one can do, those of the others can.
ALIKE = ("generation", "harmonization", "editing", "paint2image")
MODES = ("random_samples", "random_samples_arbitrary_sizes")


@dataclass(frozen=True, kw_only=True)
class SampleFlags:
    """Flags of random_samples.py."""

    mode: str = option("random_samples", "Of the training size or of another.", choices=MODES)
    gen_start_scale: int = option(0, "Scale from which pictures are random.", minimum=0)
    scale_h: float = option(1.5, "Arbitrary sizes: factor on the width.", minimum=0.01)
    scale_v: float = option(1.0, "Arbitrary sizes: factor on the height.", minimum=0.01)
    num_samples: int = option(50, "How many.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class AnimationFlags:
    """Flags of animation.py."""

    alpha_animation: float = option(0.1, "Pull back to the image.", minimum=0, maximum=1)
    frames: int = option(100, "Length of each film.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class EnlargementFlags:
    """Flags of SR.py, whose factor is a setting of the training."""


@dataclass(frozen=True, kw_only=True)
class PaintFlags:
    """Flags of paint2image.py, whose start scale is a setting of the training in few colors."""

    quantization_flag: bool = option(
        False, "Train the start scale anew with few colors.", kind="truth"
    )


@dataclass(frozen=True, kw_only=True)
class HarmonizationFlags:
    """Flags of harmonization.py."""

    harmonization_start_scale: str = option(
        "", "Scale where the picture enters, 1 to the finest; or all.", kind="path"
    )


@dataclass(frozen=True, kw_only=True)
class EditingFlags:
    """Flags of editing.py."""

    editing_start_scale: str = option(
        "", "Scale where the picture enters, 1 to the finest; or all.", kind="path"
    )


def _samples(
    flags: SampleFlags,
    settings: Mapping[str, Any],  # noqa: ARG001
) -> Mapping[str, Any]:
    asked: dict[str, Any] = {"num_samples": flags.num_samples}
    if flags.mode != MODES[0]:
        return asked | {"scale_w": (flags.scale_h,), "scale_h": (flags.scale_v,)}
    start = (flags.gen_start_scale,) if flags.gen_start_scale else ()
    return asked | {"one_size": True, "start_stages": start}


def _starts(text: str) -> Mapping[str, Any]:
    return {"start_stages": (int(text) if text.isdecimal() else text,)} if text else {}


def _paint(flags: PaintFlags, settings: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001
    start = settings.get("paint_start_scale")
    return {} if start is None else {"start_stages": (start,)}


def _in_the_same_steps(config: Any, typed: Mapping[str, Any]) -> Any:
    """A run enlarges by every factor that is made of its steps, as in the authors' folders."""
    factor = typed.get("sr_factor", config.sr_factor)
    steps = (plan_enlargement(by).step for by in (factor, config.sr_factor))
    return config.replace(sr_factor=factor) if math.isclose(*steps, abs_tol=1e-6) else config


START = "--start_stage"
BESIDE = {
    "Give one with --mask PATH, or --mask auto.": "Put one beside it, as <its name>_mask.png."
}

COMMANDS: dict[str, AuthorsCommand] = {
    "random_samples": AuthorsCommand(
        "Random pictures, of any size, from any scale on.",
        "generation",
        ALIKE,
        SampleFlags,
        _samples,
        words={START: "--gen_start_scale"},
    ),
    "SR": AuthorsCommand(
        "The picture enlarged; trains a model of its own.",
        "super_resolution",
        ("super_resolution",),
        EnlargementFlags,
        trains=True,
        suited=_in_the_same_steps,
        usual="sr_factor",
    ),
    "animation": AuthorsCommand(
        "Films from the picture; trains a model of its own.",
        "animation",
        ("animation",),
        AnimationFlags,
        lambda flags, _: {"alpha": flags.alpha_animation, "frames": flags.frames},
        trains=True,
    ),
    "paint2image": AuthorsCommand(
        "A painted sketch becomes a picture like the image.",
        "paint2image",
        ALIKE,
        PaintFlags,
        _paint,
        free=("manual_seed", "niter", "fit", "paint_start_scale", "quantization_colors"),
        tunes=lambda flags: bool(flags.quantization_flag),
        reference="Input/Paint",
        words={START: "--paint_start_scale", **BESIDE},
    ),
    "harmonization": AuthorsCommand(
        "A pasted object becomes part of the picture.",
        "harmonization",
        ALIKE,
        HarmonizationFlags,
        lambda flags, _: _starts(flags.harmonization_start_scale),
        reference="Input/Harmonization",
        words={START: "--harmonization_start_scale", **BESIDE},
    ),
    "editing": AuthorsCommand(
        "Seams of moved or copied parts vanish.",
        "editing",
        ALIKE,
        EditingFlags,
        lambda flags, _: _starts(flags.editing_start_scale),
        reference="Input/Editing",
        words={START: "--editing_start_scale", **BESIDE},
    ),
}

START_WEIGHTS = (
    "a scale begins with the weights of the one before it, and anew where it is wider, so that no "
    "one file fits them all; train with --resume --model_dir RUN to go on with a training."
)
ABSENT = {
    "netG": START_WEIGHTS,
    "netD": START_WEIGHTS,
    "out": "results lie in their run, in Evaluation; --output_dir says where runs lie.",
    "input_dir": "write the folder before the picture's name, as in --input_name Input/Images/I.",
    "mode": "the command says what is made; leave it out.",
}
"""Flags of the authors' program that a command here may lack, see `Method.absent`."""
