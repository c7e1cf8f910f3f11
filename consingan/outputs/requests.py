"""The options of each output, as tables. Imports no torch, so that --help starts at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consingan.methods.contract import Walk
from consingan.methods.registry import METHODS
from consingan.outputs.contract import Request
from consingan.settings.config import FITS
from consingan.settings.option import option

FEATHER = 5.0  # px, the authors' sigma
DETAILS = ("auto", "both", "own", "image", "none")
LEAST_PATCH = 3  # px
VIDEO_FORMATS = ("gif", "webp", "mp4")


def _dilations() -> str:
    """Radii by which the tasks widen a mask, in words."""
    found: dict[str, dict[int, list[str]]] = {}
    for method in METHODS.values():
        for name, task in method.tasks.items():
            if task.takes_naive:
                found.setdefault(name, {}).setdefault(task.mask_dilation, []).append(method.name)
    return ", ".join(f"{_radii(by)} in {name}" for name, by in found.items() if any(by))


def _radii(methods: Mapping[int, Sequence[str]]) -> str:
    """The radii of a task, with the names of methods at those that are not the first one's."""
    first, *others = methods
    return f"{first}" + "".join(f" ({k} with {', '.join(methods[k])})" for k in others)


def _own_picture() -> Any:
    return option(
        "", "A picture to harmonize or edit; of a pair a new A, or a folder of them.", kind="path"
    )


def _truth() -> Any:
    text = "The picture without the hole, or the large original: results are held to it."
    return option("", text, kind="path")


def _speed() -> Any:
    return option(10.0, "Speed of an animation, frames a second.", minimum=0.1, maximum=100)


def _video() -> Any:
    return option("gif", "Format of animations.", choices=VIDEO_FORMATS, flag="video")


@dataclass(frozen=True, kw_only=True)
class SizedRequest(Request):
    """Output sizes: (h, w) in px, and factors on the training size."""

    sizes: Sequence[tuple[int, int]] = option(
        (), "Another output size in px, of samples or films; repeatable.", flag="size", kind="size"
    )
    scale_w: Sequence[float] = option(
        (), "Another output size: factor on the width; repeatable.", kind="factor"
    )
    scale_h: Sequence[float] = option(
        (), "Factor on the height, in pairs with --scale_w.", kind="factor"
    )


@dataclass(frozen=True, kw_only=True)
class SamplesRequest(SizedRequest):
    """Random samples; without sizes of the user's own also the authors' three."""

    num_samples: int = option(50, "Random samples for each size; 3 fills of a hole.", minimum=0)
    batch_size: int | None = option(None, "Pictures made at a time.", minimum=1, kind="count")
    one_size: bool = option(False, "Samples of the training size only.")
    start_stages: Sequence[Any] = option(
        (),
        "Coarsest stage that moves or is random, or where --naive_img enters; or all.",
        flag="start_stage",
        kind="stage",
    )
    finish: float | None = option(
        None,
        "How much of the samples is made anew of the image's own patches: 0 nothing, 1 all.",
        minimum=0,
        maximum=1,
        kind="level",
        shown="as in training",
    )
    finish_within: float | None = option(
        None,
        "How far a finish may bring a sample from what the model laid out: less is made anew of it "
        "then. In spreads of the image, seen at 8 px; 0: wherever it goes.",
        minimum=0,
        maximum=1,
        kind="level",
        shown="as in training, with --finish 0",
    )
    finish_patch: int | None = option(
        None,
        "Side of a finish's patches (px, odd): larger keeps things whole, smaller varies more.",
        minimum=LEAST_PATCH,
        kind="count",
        shown="as the model chooses",
    )
    arithmetic: str = option(
        "",
        "Calculate with samples by their numbers, 3-1+7; in place of one a mean, 3,5,8-1+7.",
        kind="terms",
    )


@dataclass(frozen=True, kw_only=True)
class EnlargementRequest(Request):
    """The training picture as many times as large as the model was trained for."""

    truth: str = _truth()


@dataclass(frozen=True, kw_only=True)
class FilmRequest(SizedRequest):
    """Films, one for every combination of size, start stage and beta."""

    frames: int = option(100, "Length of an animation.", minimum=1)
    fps: float = _speed()
    alpha: float = option(
        Walk.alpha, "Animation: how strongly it is pulled back to the image.", minimum=0, maximum=1
    )
    betas: Sequence[float] = option(
        (),
        "Animation: smoothness; repeatable.",
        flag="beta",
        kind="share",
        shown="0.8 0.85 0.9 0.95",
    )
    start_stages: Sequence[Any] = option(
        (),
        "Coarsest stage that moves or is random, or where --naive_img enters; or all.",
        flag="start_stage",
        kind="stage",
    )
    loop: bool = option(False, "Animation: let its end lead back to its beginning.")
    video_format: str = _video()
    straight: bool = option(False, "Animation: go straight from point to point, not around zero.")


@dataclass(frozen=True, kw_only=True)
class CompositeRequest(Request):
    """A picture of the user's own, worked on by a model and blended with what it was."""

    naive_img: str = _own_picture()
    mask: str = option(
        "",
        "White where the picture was changed; auto finds out.",
        kind="path",
        shown="NAIVE_mask.*",
    )
    mask_dilation: int | None = option(
        None, "Widen the mask (px).", minimum=0, kind="count", shown=_dilations()
    )
    mask_feather: float = option(FEATHER, "Soften the mask's edge (px).", minimum=0)
    mask_invert: bool = option(False, "Black marks what was changed.")
    detail: str = option(
        "auto",
        "Fine detail beyond the training size: of both pictures, own (the naive image's), image "
        "(the training image's), none (as published). Auto: both in harmonization, else image.",
        choices=DETAILS,
    )
    fit: str | None = option(
        None,
        "For a --naive_img of another shape than the training image.",
        choices=FITS,
        shown="exact; for the training's own as there",
    )
    start_stages: Sequence[Any] = option(
        (),
        "Coarsest stage that moves or is random, or where --naive_img enters; or all.",
        flag="start_stage",
        kind="stage",
    )


@dataclass(frozen=True, kw_only=True)
class FillRequest(Request):
    """Fills of the hole that a model was trained around."""

    num_samples: int = option(3, "Fills of the hole.", minimum=1)
    hidden_copies: int = option(
        3, "Copies of the hole hidden in the known part, to see which way fits; 0: none.",
        minimum=0, maximum=20,
    )  # fmt: skip
    truth: str = _truth()


@dataclass(frozen=True, kw_only=True)
class TranslationRequest(Request):
    """New A's of the user's own, translated; several of them become a film as well."""

    naive_img: str = _own_picture()
    fps: float = _speed()
    video_format: str = _video()
