"""The options of `evaluate_model.py`, and which of them count for which run.

No option is dead: one that changes nothing for a run is answered with a note, one that contradicts
the others with an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.options import (
    Command,
    FiniteRange,
    execution_options,
    size_option,
    stage_option,
    was_typed,
)
from consingan.errors import UserError
from consingan.methods.consingan.tasks import MODES

if TYPE_CHECKING:
    from consingan.methods.consingan.model import Model


def _dilations() -> str:
    """Radii by which the modes widen a mask, in words."""
    rows = MODES.items()
    return ", ".join(f"{row.mask_dilation} {name}" for name, row in rows if row.mask_dilation)


OPTIONS = (
    click.option("--model_dir", type=click.Path(path_type=Path), help="Folder of the run."),
    execution_options,
    click.option(
        "--num_samples",
        type=click.IntRange(0),
        default=50,
        show_default=True,
        help="Random samples for each size.",
    ),
    click.option(
        "--format",
        "image_format",
        type=click.Choice(("png", "jpg")),
        default="png",
        show_default=True,
        help="Format of pictures.",
    ),
    click.option(
        "--size",
        "sizes",
        multiple=True,
        metavar="WxH",
        callback=size_option,
        help="Another output size in px, of samples or films; repeatable.",
    ),
    click.option(
        "--scale_w",
        multiple=True,
        type=FiniteRange(min=0, min_open=True),
        metavar="X",
        help="Another output size: factor on the width; repeatable.",
    ),
    click.option(
        "--scale_h",
        multiple=True,
        type=FiniteRange(min=0, min_open=True),
        metavar="X",
        help="Factor on the height, in pairs with --scale_w.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Other numbers give other pictures.",
    ),
    click.option(
        "--batch_size", type=click.IntRange(1), metavar="N", help="Pictures made at a time."
    ),
    click.option(
        "--frames",
        type=click.IntRange(1),
        default=100,
        show_default=True,
        help="Length of an animation.",
    ),
    click.option(
        "--fps",
        type=FiniteRange(0.1, 100),
        default=10.0,
        show_default=True,
        help="Speed of an animation, frames a second.",
    ),
    click.option(
        "--alpha",
        type=FiniteRange(0, 1),
        default=0.1,
        show_default=True,
        help="Animation: how strongly it is pulled back to the image.",
    ),
    click.option(
        "--beta",
        "betas",
        type=FiniteRange(0, 1),
        multiple=True,
        help="Animation: smoothness; repeatable.  [default: 0.8 0.85 0.9 0.95]",
    ),
    click.option(
        "--start_stage",
        "start_stages",
        multiple=True,
        metavar="K",
        callback=stage_option,
        help="Coarsest stage that moves (animation) or where --naive_img enters; or all.",
    ),
    click.option(
        "--video",
        "video_format",
        type=click.Choice(("gif", "webp", "mp4")),
        default="gif",
        show_default=True,
        help="Format of animations.",
    ),
    click.option("--naive_img", type=str, metavar="PATH", help="A picture to harmonize or edit."),
    click.option(
        "--mask",
        type=str,
        metavar="PATH",
        help="White where the picture was changed; auto finds out.  [default: NAIVE_mask.*]",
    ),
    click.option(
        "--mask_dilation",
        type=click.IntRange(0),
        metavar="N",
        help=f"Widen the mask (px).  [default: {_dilations()}]",
    ),
    click.option(
        "--mask_feather",
        type=FiniteRange(0),
        default=5.0,
        show_default=True,
        help="Soften the mask's edge (px).",
    ),
    click.option("--mask_invert", is_flag=True, help="Black marks what was changed."),
    click.option(
        "--fit",
        type=click.Choice(("exact", "crop", "stretch")),
        default="exact",
        show_default=True,
        help="For a --naive_img of another shape than the training image.",
    ),
    click.option(
        "--iteration",
        type=click.IntRange(1),
        metavar="N",
        help="Of a fine-tuned run, take the snapshot of this iteration.",
    ),
    click.option("--no_metrics", is_flag=True, help="Make pictures only: no metrics, no report."),
    click.option(
        "--inception_weights",
        metavar="PATH|URL",
        help="Also give SIFID, with these weights of Inception-v3 "
        "(torchvision's or pytorch-fid's).",
    ),
)


def evaluation_options(command: Command) -> Command:
    """Add all options of an evaluation."""
    for decorate in reversed(OPTIONS):
        command = decorate(command)
    return command


USED_BY = {
    "num_samples": ("samples",),
    "batch_size": ("samples",),
    "scale_w": ("samples", "animation"),
    "scale_h": ("samples", "animation"),
    "sizes": ("samples", "animation"),
    "frames": ("animation",),
    "fps": ("animation",),
    "alpha": ("animation",),
    "betas": ("animation",),
    "video_format": ("animation",),
    "start_stages": ("animation", "composite"),
    "naive_img": ("composite",),
    "mask": ("composite",),
    "mask_dilation": ("composite",),
    "mask_feather": ("composite",),
    "mask_invert": ("composite",),
    "fit": ("composite",),
    "inception_weights": ("samples", "animation"),
}
"""Kinds of results (`Mode.report`) that an option changes; those not named here change all."""

OF_SAMPLES = ("batch_size", "scale_w", "scale_h", "sizes", "inception_weights")
OF_NAIVE_IMAGE = tuple(
    n for n, kinds in USED_BY.items() if "composite" in kinds and n != "naive_img"
)
OF_MASK = ("mask_dilation", "mask_feather", "mask_invert")


def flag(name: str) -> str:
    """How the option whose value is called `name` is typed."""
    parameters = click.get_current_context().command.params
    return next(p.opts[0] for p in parameters if p.name == name)


def without_idle(options: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """The options as they count for `model`: what changes nothing is said and put aside.

    Raises:
        UserError: an option cannot be meant with the others or with this model.
    """
    _refuse_contradictions(options, model)
    context = click.get_current_context()
    usual = context.command.make_context(context.info_name, []).params
    kept = dict(options)
    for name, why in _idle(options, model):
        if was_typed(name):
            click.echo(f"Note: {flag(name)} does nothing {why}.", err=True)
            kept[name] = usual[name]
    return kept


def _refuse_contradictions(options: Mapping[str, Any], model: Model) -> None:
    if options["no_metrics"] and options["inception_weights"]:
        raise UserError("--inception_weights is for metrics; leave it or --no_metrics out.")
    if not model.mode.takes_naive_image:
        if options["naive_img"]:
            from consingan.methods.choose import no_naive_image

            raise no_naive_image(model.config.train_mode)
    elif not (options["naive_img"] or model.config.naive_img):
        for name in OF_NAIVE_IMAGE:
            if was_typed(name):
                raise UserError(
                    f"{flag(name)} is about a picture of your own; name it with --naive_img."
                )


def _idle(options: Mapping[str, Any], model: Model) -> Iterator[tuple[str, str]]:
    """Names of the options that change nothing for a model, and when that is so."""
    from consingan.methods.consingan.tasks import unchanged

    mode, name = model.mode, model.config.train_mode
    for option, kinds in USED_BY.items():
        if mode.report not in kinds:
            yield option, f"for a model trained for {name}"
    if mode.report == "samples" and not options["num_samples"]:
        yield from ((option, "without samples") for option in OF_SAMPLES)
    if mode.report == "composite" and mode.entry is unchanged:
        yield "seed", f"for a model trained for {name}, whose result is not random"


def note_missing_mask() -> None:
    """Say which options were typed that do nothing without a mask."""
    for name in OF_MASK:
        if was_typed(name):
            click.echo(f"Note: {flag(name)} does nothing without a mask.", err=True)
