"""Options that commands share, and the parsing of their values."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from consingan.cli.setting_options import GroupedOption
from consingan.settings.config import RUNS
from consingan.settings.option import flag_name

if TYPE_CHECKING:
    from consingan.machine.execution import Wanted
    from consingan.methods.contract import Method, Training
    from consingan.settings.config import Config

Command = TypeVar("Command", bound=Callable[..., Any])

DEVICES = "Where to compute: auto (a GPU where there is one), cpu, cuda, cuda:N or mps (Apple)."
MOST_THREADS = 1024  # many more than that crash the library that starts them


def decorated(command: Command, options: Mapping[str, Any] | Any) -> Command:
    """Add `options`, decorators made by click, in their order."""
    for decorate in reversed(tuple(options)):
        command = decorate(command)
    return command


def execution_options(command: Command) -> Command:
    """Add the options that say where and how to compute."""
    how: dict[str, Any] = {"cls": GroupedOption, "group": "machine"}
    return decorated(
        command,
        (
            click.option("--device", metavar="NAME", help=DEVICES, **how),
            click.option("--gpu", type=GPURange(-1), metavar="N",
                   help="CUDA device N, else the CPU; -1 is the CPU.", **how),
            click.option("--not_cuda", is_flag=True, help="Compute on the CPU.", **how),
            click.option("--threads", type=click.IntRange(1, MOST_THREADS), metavar="N",
                   help="CPU threads; fewer than cores where others compute too.", **how),
            click.option("--precision", type=click.Choice(("auto", "float32", "tf32", "bf16")),
                   help="Arithmetic; auto is the fastest the device does well.", **how),
        ),
    )  # fmt: skip


class GPURange(click.IntRange):
    """Numbers of GPUs; what is none is refused with the flag that takes names."""

    name = "number of a GPU; --device takes names, as cuda or cuda:1"


class FiniteRange(click.FloatRange):
    """A number in a range, which a NaN or an infinity is not."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Parse `value` or fail with a sentence."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} must be a finite number.", param, ctx)
        return number


def _sizes(_context: click.Context, _parameter: Any, values: tuple[str, ...]) -> tuple[Any, ...]:
    """Parse repeated --size WxH into (height, width) pairs."""
    sizes = []
    for value in values:
        match = re.fullmatch(r"(\d+)[xX](\d+)", value)
        if not match:
            raise click.BadParameter(f"{value!r} is not of the form WxH, for example 400x250.")
        sizes.append((int(match.group(2)), int(match.group(1))))
    return tuple(sizes)


def _stages(_context: click.Context, _parameter: Any, values: tuple[str, ...]) -> tuple[Any, ...]:
    """Parse repeated --start_stage K, or all."""
    if not all(v == "all" or v.isdecimal() for v in values):
        raise click.BadParameter("give a stage number, or all.")
    return tuple(v if v == "all" else int(v) for v in values)


KINDS: dict[str, dict[str, Any]] = {
    "path": {"type": str, "metavar": "PATH", "default": ""},
    "terms": {"type": str, "metavar": "TERMS", "default": ""},
    "count": {"type": int, "metavar": "N"},
    "size": {"multiple": True, "metavar": "WxH", "callback": _sizes},
    "stage": {"multiple": True, "metavar": "K", "callback": _stages},
    "factor": {"multiple": True, "metavar": "X", "type": FiniteRange(min=0, min_open=True)},
    "truth": {"type": bool, "metavar": "True|False"},
    "share": {"multiple": True, "type": FiniteRange(0, 1)},
    "level": {"type": FiniteRange(0, 1), "metavar": "X"},
}
"""How values of an option's `kind` are read, see `settings.option.option`."""


def request_options(*tables: type) -> list[click.Option]:
    """An option for every field of tables of requests, each once, in their order."""
    fields = {f.name: f for table in tables for f in dataclasses.fields(table)}
    return [_request_option(field) for field in fields.values()]


def _request_option(field: dataclasses.Field[Any]) -> click.Option:
    meta, kind = field.metadata, type(field.default)
    settings: dict[str, Any] = {"help": meta["help"], "group": "results"}
    if meta["kind"]:
        settings |= {"default": field.default} | KINDS[meta["kind"]]
        if meta["kind"] == "count":
            settings["type"] = click.IntRange(meta["minimum"])
    elif kind is bool:
        settings |= {"is_flag": True, "default": False}
    else:
        settings |= {"default": field.default, "show_default": True, "type": _type_of(field)}
    if meta["shown"]:
        settings["help"] += f"  [default: {meta['shown']}]"
    return GroupedOption([field.name, f"--{flag_name(field)}"], **settings)


def _type_of(field: dataclasses.Field[Any]) -> Any:
    meta = field.metadata
    if meta["choices"]:
        return click.Choice(tuple(meta["choices"]))
    if isinstance(field.default, int):
        return click.IntRange(meta["minimum"], meta["maximum"])
    return FiniteRange(meta["minimum"], meta["maximum"])


def output_file(context: click.Context, parameter: Any, path: Path | None) -> Path | None:
    """Refuse a file that cannot be written, before the work that it is for."""
    typed = context.get_parameter_source(parameter.name)
    if path is not None and typed is click.core.ParameterSource.COMMANDLINE:
        refuse_unwritable(path)
    return path


def refuse_unwritable(path: Path) -> None:
    """Refuse a file that cannot be written.

    Raises:
        BadParameter: it is a folder, or its own folder is not there or cannot be written to.
    """
    if path.is_dir():
        raise click.BadParameter(f"{path} is a folder; name a file.")
    if not path.parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.parent}; make it first.")
    if not os.access(path.parent, os.W_OK):
        raise click.BadParameter(
            f"{path.name} cannot be written into the folder {path.parent.absolute()}; choose "
            "another place."
        )


def wanted_of(options: Mapping[str, Any]) -> Wanted:
    """What was typed about where and how to compute."""
    from consingan.machine.execution import Wanted

    names = Wanted.__dataclass_fields__
    return Wanted(**{name: options[name] for name in names if name in options})


def run_named(path: Path, root: Path = RUNS) -> Path:
    """The run that is meant by `--model_dir`; says which where that was left open."""
    from consingan.runs.newest import find_run

    found = find_run(path, root)
    if found != path:
        click.echo(f"the newest run: {found}")
    return found


def seed_of(typed: Mapping[str, Any]) -> int:
    """The seed that was typed, else a new one."""
    seed: int | None = typed["manual_seed"]
    return secrets.randbelow(2**31) if seed is None else seed


def say(line: str) -> None:
    """Print a line; a note goes where it does not mix with results."""
    click.echo(line, err=line.startswith("Note:"))


def note_idle_settings(method: Method, typed: Mapping[str, Any], config: Config) -> None:
    """Say which settings were typed that change nothing beside the others."""
    flags = {field.name: flag_name(field) for field in dataclasses.fields(config)}
    for name, why in method.idle(config):
        if typed.get(name) is not None:  # of a run's method, which was not typed, some are not
            say(f"Note: --{flags[name]} does nothing {why}.")


def note_idle_execution(training: Training, options: Mapping[str, Any]) -> None:
    """Say which options of the machine were typed that change nothing for a training."""
    nothing = "where nothing is trained"
    if options["checkpointing"] and training.peak_memory(checkpointing=True) is None:
        why = f"with --method {training.config.method}" if training.stages else nothing
        say(f"Note: --checkpointing does nothing {why}.")
    for name in ("precision", "save_every"):
        if options[name] and not training.stages:
            say(f"Note: --{name} does nothing {nothing}.")
