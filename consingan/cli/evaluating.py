"""`evaluate_model.py`, also `consingan evaluate`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.messages import guarded
from consingan.cli.options import (
    CONTEXT,
    FiniteRange,
    choose_execution,
    examples,
    execution_options,
    size_option,
    stage_option,
)
from consingan.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from consingan.compositing import Composite
    from consingan.model import Model
    from consingan.runs import Execution, LoadedRun

EVALUATION_EXAMPLES = (
    "python evaluate_model.py --model_dir TrainedModels/aurora/... --num_samples 20 --size 500x200",
)


@click.command(context_settings=CONTEXT, epilog=examples(*EVALUATION_EXAMPLES))
@click.option("--model_dir", type=click.Path(path_type=Path), help="Folder of the run.")
@execution_options
@click.option(
    "--num_samples",
    type=click.IntRange(0),
    default=50,
    show_default=True,
    help="Random samples for each size.",
)
@click.option(
    "--format",
    "image_format",
    type=click.Choice(("png", "jpg")),
    default="png",
    show_default=True,
    help="Format of pictures.",
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    metavar="WxH",
    callback=size_option,
    help="Another output size in px; repeatable.",
)
@click.option(
    "--scale_w",
    multiple=True,
    type=FiniteRange(min=0, min_open=True),
    metavar="X",
    help="Another output size: factor on the width; repeatable.",
)
@click.option(
    "--scale_h",
    multiple=True,
    type=FiniteRange(min=0, min_open=True),
    metavar="X",
    help="Factor on the height, in pairs with --scale_w.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Other numbers give other pictures.",
)
@click.option("--batch_size", type=click.IntRange(1), metavar="N", help="Pictures made at a time.")
@click.option(
    "--frames",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Length of an animation.",
)
@click.option(
    "--fps",
    type=FiniteRange(0.1, 100),
    default=10.0,
    show_default=True,
    help="Speed of an animation, frames a second.",
)
@click.option(
    "--alpha",
    type=FiniteRange(0, 1),
    default=0.1,
    show_default=True,
    help="Animation: how strongly it is pulled back to the image.",
)
@click.option(
    "--beta",
    "betas",
    type=FiniteRange(0, 1),
    multiple=True,
    help="Animation: smoothness; repeatable.  [default: 0.8 0.85 0.9 0.95]",
)
@click.option(
    "--start_stage",
    "start_stages",
    multiple=True,
    metavar="K",
    callback=stage_option,
    help="Coarsest stage that moves (animation) or where --naive_img enters; or all.",
)
@click.option(
    "--video",
    "video_format",
    type=click.Choice(("gif", "webp", "mp4")),
    default="gif",
    show_default=True,
    help="Format of animations.",
)
@click.option("--naive_img", type=str, metavar="PATH", help="A picture to harmonize or edit.")
@click.option(
    "--mask",
    type=str,
    metavar="PATH",
    help="White where the picture was changed; auto finds out.  [default: NAIVE_mask.*]",
)
@click.option(
    "--mask_dilation",
    type=click.IntRange(0),
    metavar="N",
    help="Widen the mask (px).  [default: 7 harmonization, 20 editing]",
)
@click.option(
    "--mask_feather",
    type=FiniteRange(0),
    default=5.0,
    show_default=True,
    help="Soften the mask's edge (px).",
)
@click.option("--mask_invert", is_flag=True, help="Black marks what was changed.")
@click.option(
    "--fit",
    type=click.Choice(("exact", "crop", "stretch")),
    default="exact",
    show_default=True,
    help="For a --naive_img of another shape than the training image.",
)
@click.option(
    "--iteration",
    type=click.IntRange(1),
    metavar="N",
    help="Of a fine-tuned run, take the snapshot of this iteration.",
)
@click.option("--no_metrics", is_flag=True, help="Make pictures only: no metrics, no report.")
@click.option(
    "--inception_weights",
    metavar="PATH|URL",
    help="Also give SIFID, with these weights of Inception-v3 (torchvision's or pytorch-fid's).",
)
@guarded
def evaluate(model_dir: Path | None, **options: Any) -> None:  # fmt: skip
    """Make pictures with a trained model, in the folder Evaluation of its run."""
    if model_dir is None:
        raise UserError("--model_dir is missing: name the folder of a run below TrainedModels.")
    from consingan import evaluation, runs

    execution = choose_execution({**options, "engine": None, "checkpointing": None})
    run = runs.load_run(model_dir, execution.device, options["iteration"])
    for note in (*execution.notes, *run.notes):
        click.echo(note)
    _note_idle_options(run.model.mode.report, run.model.config.train_mode)
    chosen = _evaluation_options(options, run, execution)
    evaluation.other_sizes(run.model, chosen)
    composite = _composite(run, options, chosen)
    judge = _judge(run, options, chosen)
    name = evaluation.FOLDER
    if options["iteration"] is not None:
        name = f"{name}/iteration_{options['iteration']}"
    folder = evaluation.evaluation_folder(run.path, name)
    evaluation.write_basics(run.model, folder, chosen)
    made = None if composite is None else composite(folder)
    samples: list[Tensor] = []
    report = run.model.mode.report
    if report == "animation":
        evaluation.write_animations(run.model, folder, chosen, click.echo)
    elif report == "samples":
        samples = evaluation.write_samples(run.model, folder, chosen, click.echo)
        if judge is None and evaluation.looks_collapsed(run.model, samples):
            click.echo(
                "Note: all samples are nearly the training image; for more variety train with "
                "a smaller --lr_scale or fewer --train_stages.",
                err=True,
            )
    if judge is not None:
        judge(folder, samples, made)
    click.echo(f"results: {folder}")


USED_BY = {
    "num_samples": ("samples",),
    "batch_size": ("samples",),
    "scale_w": ("samples",),
    "scale_h": ("samples",),
    "sizes": ("samples", "animation"),
    "frames": ("animation",),
    "fps": ("animation",),
    "alpha": ("animation",),
    "betas": ("animation",),
    "video_format": ("animation",),
    "start_stages": ("animation", "composite"),
    "mask": ("composite",),
    "mask_dilation": ("composite",),
    "mask_feather": ("composite",),
    "mask_invert": ("composite",),
    "fit": ("composite",),
}


def _note_idle_options(report: str, mode: str) -> None:
    """Say which options were typed that do nothing for a model of this mode."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        typed = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if typed and report not in USED_BY.get(name, (report,)):
            flag = parameter.opts[0]
            click.echo(f"Note: {flag} does nothing for a model trained for {mode}.", err=True)


def _evaluation_options(options: Mapping[str, Any], run: LoadedRun, execution: Execution) -> Any:
    from consingan.evaluation import Options
    from consingan.pictures import require_ffmpeg

    if run.model.mode.report == "animation" and options["video_format"] == "mp4":
        require_ffmpeg()
    widths, heights = options["scale_w"], options["scale_h"]
    pairs = max(len(widths), len(heights))
    if len(widths) not in (0, pairs) or len(heights) not in (0, pairs):
        raise UserError("--scale_w and --scale_h go in pairs; give as many of one as of the other.")
    scales = list(zip(heights or (1.0,) * pairs, widths or (1.0,) * pairs, strict=True))
    names = {field.name for field in dataclasses.fields(Options)}
    values = {k: v for k, v in options.items() if k in names}
    values["start_stages"] = _stages(options["start_stages"], run.model)
    return Options(**values, scales=scales, arithmetic=execution.arithmetic)


def _stages(typed: list[Any], model: Model) -> list[int]:
    """Start stages as numbers that the model has."""
    from consingan.sampling import check_start_stage

    stages = list(range(len(model.anchors))) if "all" in typed else typed
    for stage in stages:
        check_start_stage(model, stage)
    return stages


def _composite(
    run: LoadedRun, options: Mapping[str, Any], chosen: Any
) -> Callable[[Path], Composite] | None:
    """Work on the user's own picture; returns what writes the result, so that errors come first."""
    from consingan import compositing, runs

    naive_path = options["naive_img"] or run.model.config.naive_img
    if not run.model.mode.takes_naive_image and not options["naive_img"]:
        return None
    if not naive_path:
        click.echo("No --naive_img: only the reconstruction is made.")
        return None
    config = run.model.config.replace(naive_img=naive_path, fit=options["fit"])
    naive = runs.read_naive(config, run.model.sizes[-1])
    assert naive is not None
    mask_options = compositing.MaskOptions(
        options["mask"], options["mask_dilation"], options["mask_feather"],
        options["mask_invert"], options["fit"],
    )  # fmt: skip
    mask = compositing.find_mask(naive_path, naive, run.model, mask_options)
    if mask is None:
        click.echo("No mask: the whole picture is used. Give one with --mask PATH, or --mask auto.")
    elif not mask.any():
        click.echo("Note: the mask is empty, so the result is the naive image.", err=True)
    made = compositing.compose(
        run.model, naive, mask, chosen.start_stages or (0,), mask_options, chosen.seed,
        chosen.arithmetic,
    )  # fmt: skip

    def write(folder: Path) -> Composite:
        if mask is not None and options["mask"] == compositing.AUTO:
            compositing.write_mask(mask, folder / "mask_auto.png")
        paths = compositing.write_composite(
            made, run.model, folder, naive_path, chosen.image_format
        )
        for path in paths:
            click.echo(f"{path}")
        return made

    return write


def _judge(
    run: LoadedRun, options: Mapping[str, Any], chosen: Any
) -> Callable[[Path, list[Tensor], Composite | None], None] | None:
    """Get ready to judge what is made; unusable weights are found before the work begins."""
    if options["no_metrics"]:
        return None
    from consingan.metrics.sifid import load_inception
    from consingan.report.evaluate import Extras, Made, write_report

    weights = options["inception_weights"]
    extras = Extras(load_inception(weights) if weights else None, click.echo)

    def write(folder: Path, samples: list[Tensor], made: Composite | None) -> None:
        naive = options["naive_img"] or run.model.config.naive_img if made else ""
        write_report(run, folder, Made(samples, made, naive), chosen, extras)

    return write
