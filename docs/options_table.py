"""Write docs/options.md, the tables of all options, from the code.

python docs/options_table.py
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from consingan.cli import main
from consingan.methods.consingan.presets import PRESETS
from consingan.methods.consingan.tasks import TASKS
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.settings.option import flag_name

PAGE = Path(__file__).parent / "options.md"

INTRODUCTION = """\
# Options

<!-- Written by docs/options_table.py from the code; change the code, then run it again. -->

Every flag can be written with hyphens as well as with underscores, and `--help` shows the same
texts. What is typed wins over a preset, a preset over what the mode recommends, and that over the
default; a training begins by printing which value came from where. [What to turn](effects.md)
shows what the options do to the picture.
"""

GROUPS = {
    "training": "How long and how large",
    "network": "The networks",
    "optimization": "The optimization",
    "own picture": "A picture of your own",
}

NONE = "–"


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, *_training(), *_modes(), *_presets()]
    parts += ["## Evaluation\n", "`evaluate_model.py`, also `consingan evaluate`.\n"]
    parts += [_command_table(main.commands["evaluate"])]
    parts += ["## Judging pictures from any program\n", "`consingan metrics REAL SAMPLE...`\n"]
    parts += [_command_table(main.commands["metrics"])]
    parts += ["## Comparing runs\n", "`consingan compare RUN RUN...`\n"]
    parts += [_command_table(main.commands["compare"])]
    return "\n".join(parts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _training() -> Iterator[str]:
    yield "## Training\n"
    yield "`main_train.py`, also `consingan train`.\n"
    head = ("option", "default", "values", "what it does", "recommended by modes")
    for group, title in GROUPS.items():
        yield f"### {title}\n"
        fields = [f for f in dataclasses.fields(ConSinGANConfig) if f.metadata["group"] == group]
        yield table(head, map(_field_row, fields))
    yield "### Where and how it is computed\n"
    own = {field.name for field in dataclasses.fields(ConSinGANConfig)}
    yield _command_table(main.commands["train"], leave_out=own)


def _field_row(field: dataclasses.Field[Any]) -> tuple[str, ...]:
    flag = f"`--{flag_name(field)}`"
    if isinstance(field.default, bool):
        flag += f", `--no_{flag_name(field)}`"
    default = _value(field.default)
    if field.name == "manual_seed":
        default = "drawn"
    return flag, default, _range(field), field.metadata["help"], _recommended(field.name)


def _value(value: object) -> str:
    """A value as it is typed."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"`{value}`" if value not in ("", None) else NONE


def _range(field: dataclasses.Field[Any]) -> str:
    """The values that are taken, in words."""
    meta = field.metadata
    if meta["choices"]:
        return ", ".join(f"`{choice}`" for choice in meta["choices"])
    if isinstance(field.default, (bool, str)):
        return NONE
    if meta["maximum"] is not None and meta["maximum"] == meta["minimum"]:
        return f"{meta['maximum']}"
    if meta["maximum"] is not None:
        return f"{meta['minimum']} to {meta['maximum']}"
    return f"above {meta['above']}" if meta["above"] is not None else f"{meta['minimum']} or more"


def _recommended(name: str) -> str:
    """What the modes set it to."""
    found = [
        f"{mode} {_value(row.overrides[name])}"
        for mode, row in TASKS.items()
        if name in row.overrides
    ]
    return ", ".join(found) or NONE


def _modes() -> Iterator[str]:
    yield "## Modes\n"
    yield (
        "What a row of the mode table sets; see [how to add one](extending.md). *Border* says "
        "whether noise or zeros frame the image at each stage, *spacing* how the stages are "
        "spread over the sizes.\n"
    )
    head = ("mode", "makes", "border", "spacing", "mask widened by", "recommended settings")
    yield table(head, (_mode_row(name) for name in TASKS))


def _mode_row(name: str) -> tuple[str, ...]:
    mode = TASKS[name]
    settings = (f"{setting} {_value(value)}" for setting, value in mode.overrides.items())
    widened = f"{mode.mask_dilation} px" if mode.takes_naive else NONE
    makes = {"samples": "random samples", "animation": "films", "composite": "your own picture"}
    return (
        f"`{name}`", makes[mode.report], mode.border, mode.spacing, widened,
        ", ".join(settings) or NONE,
    )  # fmt: skip


def _presets() -> Iterator[str]:
    yield "## Presets\n"
    yield "`--preset NAME` sets:\n"
    flags = {field.name: flag_name(field) for field in dataclasses.fields(ConSinGANConfig)}
    rows = (
        (
            f"`{name}`",
            ", ".join(f"`--{flags[k]} {v}`" for k, v in settings.items()) or "nothing",
        )
        for name, settings in PRESETS.items()
    )
    yield table(("preset", "sets"), rows)


def _command_table(command: click.Command, leave_out: Iterable[str] = ()) -> str:
    """The options of a command, from click's own description of them."""
    rows = [
        _option_row(parameter)
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.name not in leave_out
    ]
    return table(("option", "default", "values", "what it does"), rows)


def _option_row(option: click.Option) -> tuple[str, ...]:
    flags = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    text, bracket, inside = (option.help or "").partition("  [default: ")
    default = f"{inside.rstrip(']')}" if bracket else _default(option)
    return flags, default, _values(option), text


def _default(option: click.Option) -> str:
    # What click calls the absence of a default changed with its versions; this did not.
    default = option.to_info_dict()["default"] if not option.multiple else None
    if option.is_flag:
        return _value(bool(default))
    return _value(str(default)) if isinstance(default, (str, int, float, Path)) else NONE


def _values(option: click.Option) -> str:
    kind = option.type
    if isinstance(kind, click.Choice):
        return ", ".join(f"`{choice}`" for choice in kind.choices)
    if option.is_flag:
        return NONE
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        if kind.min is not None and kind.max is not None:
            return f"{kind.min:g} to {kind.max:g}"
        if kind.min is not None:
            return f"above {kind.min:g}" if kind.min_open else f"{kind.min:g} or more"
    return f"`{option.metavar}`" if option.metavar else NONE


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
