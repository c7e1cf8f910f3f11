"""`evaluate_model.py`, also `consingan evaluate`."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.evaluation_options import evaluation_options, note_missing_mask, without_idle
from consingan.cli.messages import guarded
from consingan.cli.options import CONTEXT, CarefulCommand, choose_execution, examples, typed_words
from consingan.errors import UserError
from consingan.machine.program import started_as

if TYPE_CHECKING:
    from torch import Tensor

    from consingan.machine.execution import Execution
    from consingan.methods.consingan.model import Model
    from consingan.outputs.composite import Composite
    from consingan.outputs.samples import Options
    from consingan.runs.load import LoadedRun

EVALUATION_EXAMPLES = (
    "python evaluate_model.py --model_dir TrainedModels/aurora/... --num_samples 20 --size 500x200",
)


@click.command(cls=CarefulCommand, context_settings=CONTEXT, epilog=examples(*EVALUATION_EXAMPLES))
@evaluation_options
@guarded
def evaluate(model_dir: Path | None, **options: Any) -> None:
    """Make pictures with a trained model, in the folder Evaluation of its run."""
    if model_dir is None:
        raise UserError("--model_dir is missing: name the folder of a run below TrainedModels.")
    from consingan.outputs import film
    from consingan.outputs.samples import write_samples
    from consingan.report.write import evaluation_folder, looks_collapsed, write_basics
    from consingan.runs.folder import EVALUATION
    from consingan.runs.load import load_run

    execution = choose_execution({**options, "engine": None, "checkpointing": None})
    run = load_run(model_dir, execution.device, options["iteration"])
    for note in (*execution.notes, *run.notes):
        click.echo(note)
    # All that can be refused comes before anything is written.
    options = without_idle(options, run.model)
    chosen = _evaluation_options(options, run.model, execution)
    composite = _composite(run, options, chosen)
    judge = _judge(run, options, chosen)
    name = EVALUATION
    if options["iteration"] is not None:
        name = f"{name}/iteration_{options['iteration']}"
    folder = evaluation_folder(run.path, name)
    write_basics(run.model, folder, chosen)
    made = composite(folder) if composite else None
    samples: list[Tensor] = []
    if run.model.mode.report == "animation":
        film.write_animations(run.model, folder, chosen, click.echo)
    elif run.model.mode.report == "samples":
        samples = write_samples(run.model, folder, chosen, click.echo)
    if judge:
        judge(folder, samples, made)
    elif looks_collapsed(run.model, samples):
        click.echo(
            "Note: all samples are nearly the training image; for more variety train with "
            "a smaller --lr_scale or fewer --train_stages.",
            err=True,
        )
    click.echo(f"results: {folder}")


def _evaluation_options(options: Mapping[str, Any], model: Model, execution: Execution) -> Options:
    """What was typed as the evaluation takes it.

    Raises:
        UserError: the model does not have a stage, or cannot make a size.
    """
    from consingan.images.video import require_ffmpeg
    from consingan.outputs.samples import Options, other_sizes

    if options["video_format"] == "mp4":
        require_ffmpeg()
    widths, heights = options["scale_w"], options["scale_h"]
    pairs = max(len(widths), len(heights))
    if len(widths) not in (0, pairs) or len(heights) not in (0, pairs):
        raise UserError("--scale_w and --scale_h go in pairs; give as many of one as of the other.")
    scales = list(zip(heights or (1.0,) * pairs, widths or (1.0,) * pairs, strict=True))
    names = {field.name for field in dataclasses.fields(Options)}
    values = {name: value for name, value in options.items() if name in names}
    values["start_stages"] = _stages(options["start_stages"], model)
    chosen = Options(**values, scales=scales, arithmetic=execution.arithmetic)
    other_sizes(model, chosen)
    return chosen


def _stages(typed: list[Any], model: Model) -> list[int]:
    """Start stages as numbers that the model has, each once."""
    from consingan.methods.consingan.sampling import check_start_stage

    stages = list(range(len(model.anchors))) if "all" in typed else list(dict.fromkeys(typed))
    for stage in stages:
        check_start_stage(model, stage)
    return stages


def _composite(
    run: LoadedRun, options: Mapping[str, Any], chosen: Options
) -> Callable[[Path], Composite] | None:
    """Work on the user's own picture; returns what writes the result."""
    from consingan.images.fit import read_naive
    from consingan.outputs.composite import (
        AUTO,
        MaskOptions,
        compose,
        find_mask,
        write_composite,
        write_mask,
    )

    if not run.model.mode.takes_naive_image:
        return None
    naive_path = options["naive_img"] or run.model.config.naive_img
    if not naive_path:
        click.echo("No --naive_img: only the reconstruction is made.")
        return None
    config = run.model.config.replace(naive_img=naive_path, fit=options["fit"])
    naive = read_naive(config, run.model.sizes[-1])
    assert naive is not None
    mask_options = MaskOptions(
        options["mask"], options["mask_dilation"], options["mask_feather"],
        options["mask_invert"], options["fit"],
    )  # fmt: skip
    mask = find_mask(naive_path, naive, run.model, mask_options)
    if mask is None:
        click.echo("No mask: the whole picture is used. Give one with --mask PATH, or --mask auto.")
        note_missing_mask()
    elif not mask.any():
        click.echo("Note: the mask is empty, so the result is the naive image.", err=True)
    made = compose(
        run.model, naive, mask, chosen.start_stages or (0,), mask_options, chosen.seed,
        chosen.arithmetic,
    )  # fmt: skip

    def write(folder: Path) -> Composite:
        if mask is not None and options["mask"] == AUTO:
            write_mask(mask, folder / "mask_auto.png")
        paths = write_composite(made, run.model, folder, naive_path, chosen.image_format)
        for path in paths:
            click.echo(f"{path}")
        return made

    return write


def _judge(
    run: LoadedRun, options: Mapping[str, Any], chosen: Options
) -> Callable[[Path, list[Tensor], Composite | None], None] | None:
    """Get ready to judge what is made; unusable weights are found before the work begins."""
    if options["no_metrics"]:
        return None
    from consingan.metrics.sifid import load_inception
    from consingan.report.material import Made
    from consingan.report.write import Extras, write_report

    weights = options["inception_weights"]
    command = shlex.join((*started_as("evaluate"), *typed_words()))
    extras = Extras(load_inception(weights) if weights else None, click.echo, command)

    def write(folder: Path, samples: list[Tensor], made: Composite | None) -> None:
        write_report(run, folder, Made(samples, made), chosen, extras)

    return write
