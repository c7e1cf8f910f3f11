"""The commands. The only file that prints, asks or aborts; heavy imports wait until needed."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from consingan._version import __version__
from consingan.config import Config, flag_name
from consingan.errors import UserError
from consingan.metrics.cli import metrics_command
from consingan.report.cli import compare_command

if TYPE_CHECKING:
    from torch import Tensor

    from consingan.checkpoint import RunFolder
    from consingan.compositing import Composite
    from consingan.model import Model
    from consingan.runs import Execution, LoadedRun
    from consingan.session import Observer

Command = TypeVar("Command", bound=Callable[..., Any])
USER_ERROR, FAILURE = 2, 1


def config_options(command: Command) -> Command:
    """Add an option for every field of Config; None means that it was not typed."""
    for field in reversed(dataclasses.fields(Config)):
        flag, meta, kind = flag_name(field), field.metadata, type(field.default)
        settings: dict[str, Any] = {"default": None, "help": _help(field)}
        name = f"--{flag}"
        if kind is bool:
            name = f"--{flag}/--no_{flag}"
        elif meta["choices"]:
            settings["type"] = click.Choice(meta["choices"])
        else:
            settings["type"] = kind
            settings["metavar"] = "PATH" if kind is str else "N" if kind is int else "X"
        # The function's argument is the field's name, whatever the flag is called.
        command = click.option(field.name, name, **settings)(command)
    return command


def _help(field: dataclasses.Field[Any]) -> str:
    text: str = field.metadata["help"]
    if isinstance(field.default, bool) or field.default == "" or field.name == "manual_seed":
        return text
    return f"{text}  [default: {field.default}]"


def execution_options(command: Command) -> Command:
    """Add the options that say where and how to compute."""
    for decorate in reversed(
        (
            click.option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:N or mps."),
            click.option("--gpu", type=int, metavar="N", help="CUDA device N, else the CPU."),
            click.option("--not_cuda", is_flag=True, help="Compute on the CPU."),
            click.option("--threads", type=click.IntRange(1), metavar="N",
                   help="CPU threads; fewer than cores where others compute too."),
            click.option("--precision", type=click.Choice(("auto", "float32", "tf32", "bf16")),
                   help="Arithmetic; auto is the fastest the device does well."),
        )
    ):  # fmt: skip
        command = decorate(command)
    return command


class FiniteRange(click.FloatRange):
    """A number in a range, which a NaN or an infinity is not."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Parse `value` or fail with a sentence."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} must be a finite number.", param, ctx)
        return number


@contextlib.contextmanager
def friendly() -> Iterator[None]:
    """Turn what a user can mend into a sentence and exit code 2, warnings into lines."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        click.echo(f"Note: {message}", err=True)

    with warnings.catch_warnings():
        warnings.filterwarnings("default", category=UserWarning, module="consingan")
        warnings.showwarning = show
        try:
            yield
        except UserError as error:
            click.echo(f"Error: {error}", err=True)
            raise SystemExit(USER_ERROR) from None
        except (MemoryError, RuntimeError, OSError) as error:
            advice = _machine_advice(error)
            if advice is None:
                raise
            click.echo(f"Error: {advice}", err=True)
            raise SystemExit(FAILURE) from None


def _machine_advice(error: Exception) -> str | None:
    """What to do about a full disk or too little memory outside of a training; None for a bug."""
    if _out_of_memory(error):
        return "There is not enough memory; make smaller pictures, or fewer at a time."
    if isinstance(error, OSError) and error.errno is not None and error.errno != errno.EPIPE:
        place = f"{error.filename} " if error.filename else "A file "
        return f"{place}cannot be read or written ({error.strerror}); mend that and try again."
    return None


def _out_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "allocate" in text


def guarded(function: Callable[..., None]) -> Callable[..., None]:
    """Run a command under `friendly`."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        with friendly():
            function(*args, **kwargs)

    return wrapper


CONTEXT: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    # Every flag is accepted with hyphens as well as with underscores.
    "token_normalize_func": lambda token: token.replace("-", "_"),
}
TRAINING_EXAMPLES = (
    "python main_train.py --input_name Images/Generation/aurora.jpg",
    "python main_train.py --train_mode animation --input_name Images/Animation/campfire.jpg",
)
EVALUATION_EXAMPLES = (
    "python evaluate_model.py --model_dir TrainedModels/aurora/... --num_samples 20 --size 500x200",
)


def _examples(*lines: str) -> str:
    """Command lines for the end of a help text, kept on lines of their own."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


@click.command(context_settings=CONTEXT, epilog=_examples(*TRAINING_EXAMPLES))
@config_options
@execution_options
@click.option(
    "--engine",
    type=click.Choice(("auto", "plain", "fast")),
    help="plain is the textbook loop, fast computes the same in less time.",
)
@click.option(
    "--checkpointing", is_flag=True, default=None, help="Less memory, more time, the same result."
)
@click.option(
    "--model_dir", type=click.Path(path_type=Path), help="The run to resume or fine-tune."
)
@click.option("--resume", is_flag=True, help="Go on with the run in --model_dir.")
@click.option(
    "--output_dir",
    type=click.Path(path_type=Path),
    default=Path("TrainedModels"),
    show_default=True,
    help="Where run folders are made.",
)
@click.option(
    "--save_every",
    type=click.IntRange(1),
    metavar="N",
    help="Iterations between saves; by default as often as costs 1 % of the time.",
)
@click.option("--dry_run", is_flag=True, help="Print the plan, memory and time; train nothing.")
@click.option("--tensorboard/--no_tensorboard", default=True, help="Write TensorBoard files.")
@guarded
def train(model_dir: Path | None, resume: bool, **options: Any) -> None:  # fmt: skip
    """Train a generative model on ONE image."""
    typed = {f.name: options.pop(f.name) for f in dataclasses.fields(Config)}
    if resume:
        _resume(model_dir, typed, options)
    else:
        _train_anew(model_dir, typed, options)


def _train_anew(base: Path | None, typed: dict[str, Any], options: Mapping[str, Any]) -> None:
    if not typed["input_name"] and not typed["fine_tune"]:
        raise UserError("--input_name is missing: name the training image, or skimage:coffee.")
    if typed["manual_seed"] is None:
        import secrets

        seed = secrets.randbelow(2**31)
    else:
        seed = typed["manual_seed"]

    from consingan import plan, runs
    from consingan.checkpoint import RunFolder

    execution = _execution(options)
    job = runs.prepare({**typed, "manual_seed": seed}, execution, base=base)
    for line in plan.introduction(job):
        click.echo(line)
    if options["dry_run"]:
        for line in plan.estimate(job):
            click.echo(line)
        return
    about = runs.about_this_run(execution, job.chosen.origin)
    folder = RunFolder.create(options["output_dir"], job.trainer, about, job.naive)
    _run(folder, job.trainer, job.naive, execution, options, 0.0)


def _resume(path: Path | None, typed: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    if path is None:
        raise UserError("--resume needs --model_dir, the folder of the run to go on with.")
    flags = {field.name: flag_name(field) for field in dataclasses.fields(Config)}
    given = [flags[name] for name, value in typed.items() if value is not None]
    if options["dry_run"]:
        given.append("dry_run")
    if given:
        raise UserError(f"--resume goes on with the run's own settings; leave out --{given[0]}.")

    from consingan import plan, runs
    from consingan.checkpoint import RunFolder

    folder = RunFolder.open(path)
    execution = _execution(options, folder.manifest.get("execution", {}))
    with explained(path):
        trainer, seconds = runs.resumed(folder, execution)
    config, naive = folder.config, folder.naive()
    for line in (plan.execution_line(execution), *execution.notes):
        click.echo(line)
    click.echo(
        f"going on with {path} at stage {trainer.stage + 1}/{config.train_stages}, "
        f"iteration {trainer.iteration}/{trainer.iterations}"
    )
    _run(folder, trainer, naive, execution, options, seconds)


def _execution(options: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Execution:
    """How to compute: what was typed, else as a resumed run did before, else automatic."""
    from consingan.runs import Execution

    before = before or {}
    placed = options["device"] or options["gpu"] is not None or options["not_cuda"]
    device = options["device"] or (before.get("device", "auto") if not placed else "auto")
    if not placed and before:
        device = _still_there(device)
    return Execution.choose(
        device=device,
        precision=options["precision"] or before.get("precision", "auto"),
        engine=options["engine"] or before.get("engine", "auto"),
        gpu=options["gpu"],
        not_cuda=options["not_cuda"],
        checkpointing=bool(options["checkpointing"] or before.get("checkpointing", False)),
        threads=options["threads"] or before.get("threads"),
    )


def _still_there(device: str) -> str:
    """The device that a run was begun on, or auto where this machine lacks it."""
    from consingan.device import choose_device

    try:
        choose_device(device)
    except UserError:
        click.echo(f"Note: the run was begun on {device}, which is not here.", err=True)
        return "auto"
    return device


def _run(
    folder: RunFolder,
    trainer: Any,
    naive: Any,
    execution: Execution,
    options: Mapping[str, Any],
    seconds: float,
) -> None:
    """Train, with everything that watches, and say how it ended."""
    from consingan import plan
    from consingan.session import Session

    click.echo(f"run folder: {folder.path}")
    observers, close = _observers(folder, trainer, naive, execution, options)
    session = Session(trainer, folder, observers, options["save_every"], seconds)
    with contextlib.ExitStack() as stack:
        stack.callback(close)
        stack.enter_context(explained(folder.path))
        session.run()
    seconds = sum(folder.manifest["seconds_per_stage"])
    click.echo(f"finished in {plan.in_words(seconds)}: {folder.path}")
    click.echo(f"next: python evaluate_model.py --model_dir {_quoted(folder.path)}")


def _observers(
    folder: RunFolder, trainer: Any, naive: Any, execution: Execution, options: Mapping[str, Any]
) -> tuple[list[Observer], Callable[[], None]]:
    from consingan.fine_tuning import Snapshots
    from consingan.monitor import Pictures, ProgressBar, TensorBoard

    pictures = Pictures(folder.path, naive, execution.arithmetic)
    bar = ProgressBar(trainer, click.echo)
    observers: list[Observer] = [bar, pictures]
    closing: list[Callable[[], None]] = [bar.close]
    if trainer.config.fine_tune:
        observers.insert(0, Snapshots(folder.path, naive, execution.arithmetic))
    if options["tensorboard"]:
        board = TensorBoard(folder.path, pictures)
        observers.append(board)
        closing.append(board.close)

    def close() -> None:
        for one in closing:
            one()

    return observers, close


@contextlib.contextmanager
def explained(run: Path) -> Iterator[None]:
    """Say how a training ended early and how to go on; exit with a code that is not zero."""
    from consingan.session import InterruptedRunError
    from consingan.trainer import DivergedError

    resume = f"python main_train.py --resume --model_dir {_quoted(run)}"
    try:
        yield
    except InterruptedRunError as stop:
        click.echo(f"\nStopped; the state is saved. Go on with: {resume}", err=True)
        raise SystemExit(128 + stop.number) from None
    except KeyboardInterrupt:
        click.echo(f"\nStopped at once. Go on from the last save: {resume}", err=True)
        raise SystemExit(130) from None
    except DivergedError as error:
        click.echo(
            f"Error: {error}. The last good state is kept in {run}. Try --batch_norm, a smaller "
            "--lr_scale, or smaller --lr_g and --lr_d.",
            err=True,
        )
        raise SystemExit(FAILURE) from None
    except (MemoryError, RuntimeError, OSError) as error:
        advice = _advice(error)
        if advice is None:
            raise
        click.echo(f"Error: {advice} Then go on with: {resume}", err=True)
        raise SystemExit(FAILURE) from None


def _advice(error: Exception) -> str | None:
    """What to do about a machine that is too small; None for what is a bug."""
    if _out_of_memory(error):
        return (
            "there is not enough memory; close other programs, use --checkpointing, or train "
            "anew with a smaller --max_size or --nfc."
        )
    if isinstance(error, OSError) and error.errno is not None:
        return f"the run folder cannot be written ({error.strerror}); make room there."
    return None


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))


def size_option(_context: click.Context, _parameter: Any, values: tuple[str, ...]) -> list[Any]:
    """Parse repeated --size WxH into (height, width) pairs."""
    sizes = []
    for value in values:
        match = re.fullmatch(r"(\d+)[xX](\d+)", value)
        if not match:
            raise click.BadParameter(f"{value!r} is not of the form WxH, for example 400x250.")
        sizes.append((int(match.group(2)), int(match.group(1))))
    return sizes


def stage_option(_context: click.Context, _parameter: Any, values: tuple[str, ...]) -> list[Any]:
    """Parse repeated --start_stage K, or all."""
    if not all(v == "all" or v.isdecimal() for v in values):
        raise click.BadParameter("give a stage number, or all.")
    return [v if v == "all" else int(v) for v in values]


@click.command(context_settings=CONTEXT, epilog=_examples(*EVALUATION_EXAMPLES))
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

    execution = _execution({**options, "engine": None, "checkpointing": None})
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


@click.group(context_settings=CONTEXT)
@click.version_option(__version__)
def main() -> None:
    """ConSinGAN: learn a generative model from one image."""


main.add_command(train)
main.add_command(evaluate)
main.add_command(metrics_command)
main.add_command(compare_command)
