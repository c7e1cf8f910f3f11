"""Options that commands share, and the parsing of their values."""

from __future__ import annotations

import dataclasses
import math
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from consingan.errors import UserError
from consingan.methods.consingan.presets import PRESETS
from consingan.settings.config import Config
from consingan.settings.option import flag_name

if TYPE_CHECKING:
    from consingan.machine.execution import Execution

Command = TypeVar("Command", bound=Callable[..., Any])

_TYPED = "consingan.__init__.typed"
MOST_THREADS = 1024  # many more than that crash the library that starts them

CONTEXT: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    # Every flag is accepted with hyphens as well as with underscores.
    "token_normalize_func": lambda token: token.replace("-", "_"),
}


class CarefulCommand(click.Command):
    """A command that notices what else would go wrong in silence.

    A value that is empty is refused: it is what a shell makes of a variable that is not set. An
    option that is given twice is heeded once, and a note says so.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Check the words themselves, then parse them."""
        values, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in self.params:
            value = values.get(parameter.name or "")
            if value == "" or (isinstance(value, (tuple, list)) and "" in value):
                text = "it is empty; give a value or leave it out."
                raise click.BadParameter(text, ctx, parameter)
        single = [p for p in order if isinstance(p, click.Option) and not p.multiple]
        for parameter in dict.fromkeys(single):
            if single.count(parameter) > 1:
                flag = parameter.opts[0]
                click.echo(f"Note: {flag} is given more than once; the last one counts.", err=True)
        ctx.meta[_TYPED] = tuple(args)
        return super().parse_args(ctx, args)


def typed_words() -> tuple[str, ...]:
    """What was typed after the present command's name."""
    words: tuple[str, ...] = click.get_current_context().meta[_TYPED]
    return words


def was_typed(name: str) -> bool:
    """Whether the user gave the option whose value is called `name`."""
    context = click.get_current_context()
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def examples(*lines: str) -> str:
    """Command lines for the end of a help text, kept on lines of their own."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def config_options(command: Command) -> Command:
    """Add an option for every field of Config; None means that it was not typed."""
    for field in reversed(dataclasses.fields(Config)):
        flag, meta, kind = flag_name(field), field.metadata, type(field.default)
        settings: dict[str, Any] = {"default": None, "help": _help(field)}
        name = f"--{flag}"
        if kind is bool:
            name = f"--{flag}/--no_{flag}"
        elif meta["choices"]:
            settings["type"] = click.Choice(tuple(meta["choices"]))
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
            click.option("--gpu", type=click.IntRange(0), metavar="N",
                   help="CUDA device N, else the CPU."),
            click.option("--not_cuda", is_flag=True, help="Compute on the CPU."),
            click.option("--threads", type=click.IntRange(1, MOST_THREADS), metavar="N",
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


def output_file(_context: click.Context, _parameter: Any, path: Path | None) -> Path | None:
    """Refuse a file that cannot be written, before the work that it is for."""
    if path is not None and path.is_dir():
        raise click.BadParameter(f"{path} is a folder; name a file.")
    if path is not None and not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}; make it first.")
    return path


def choose_execution(
    options: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> Execution:
    """How to compute: what was typed, else as a resumed run did before, else automatic."""
    from consingan.machine.execution import Execution

    before = before or {}
    places = {
        "--device": options["device"],
        "--gpu": options["gpu"] is not None,
        "--not_cuda": options["not_cuda"],
    }
    placed = [flag for flag, given in places.items() if given]
    if len(placed) > 1:
        raise UserError(f"{' and '.join(placed)} both say where to compute; give one of them.")
    device = options["device"] or (before.get("device", "auto") if not placed else "auto")
    if not placed and before:
        device = _still_there(device)

    def chosen(precision: str) -> Execution:
        return Execution.choose(
            device=device,
            precision=precision,
            engine=options["engine"] or before.get("engine", "auto"),
            gpu=options["gpu"],
            not_cuda=options["not_cuda"],
            checkpointing=bool(options["checkpointing"] or before.get("checkpointing", False)),
            threads=options["threads"] or before.get("threads"),
        )

    if options["precision"] or "precision" not in before:
        return chosen(options["precision"] or "auto")
    return _as_exact_as_before(chosen, before)


def _as_exact_as_before(choose: Callable[[str], Execution], before: Mapping[str, Any]) -> Execution:
    """With the precision that the run was begun in, unless that was another device's best."""
    precision = str(before["precision"])
    best = choose("auto")
    elsewhere = str(best.device) != before.get("device")
    if precision != "float32" and elsewhere and best.arithmetic.name != precision:
        click.echo(
            f"Note: the run was begun in {precision} on {before.get('device')}; it goes on in "
            f"{best.arithmetic.name} on {best.device}.",
            err=True,
        )
        return best
    try:
        return choose(precision)
    except UserError:  # another card of the same name
        click.echo(
            f"Note: the run was begun in {precision}, which {best.device} lacks; it goes on in "
            f"{best.arithmetic.name}.",
            err=True,
        )
        return best


def _still_there(device: str) -> str:
    """The device that a run was begun on, or auto where this machine lacks it."""
    from consingan.machine.device import choose_device

    try:
        choose_device(device)
    except UserError:
        click.echo(f"Note: the run was begun on {device}, which is not here.", err=True)
        return "auto"
    return device


def seed_of(typed: Mapping[str, Any]) -> int:
    """The seed that was typed, else a new one."""
    seed: int | None = typed["manual_seed"]
    return secrets.randbelow(2**31) if seed is None else seed


def note_idle_settings(typed: Mapping[str, Any], config: Config) -> None:
    """Say which settings were typed that change nothing beside the others."""
    flags = {field.name: flag_name(field) for field in dataclasses.fields(Config)}
    for name, why in _idle_settings(config):
        if typed[name] is not None:
            click.echo(f"Note: --{flags[name]} does nothing {why}.", err=True)


def _idle_settings(config: Config) -> Iterator[tuple[str, str]]:
    if not config.naive_img:
        yield "fit", "without --naive_img"
    if config.activation != "lrelu":
        yield "lrelu_alpha", f"with --activation {config.activation}"
    if config.train_stages == 1:
        idle = ("noise_amp", "train_depth", "lr_scale", "fine_niter", "fine_d_steps")
        preset = PRESETS[config.preset].keys()
        for name in (*idle, *(["preset"] if preset and preset <= set(idle) else [])):
            yield name, "with one stage"
    elif config.train_depth == 1:
        yield "lr_scale", "with --train_depth 1"
    if config.train_stages > 1 and config.fine_niter > config.niter:
        yield "fine_niter", f"above --niter {config.niter}"
