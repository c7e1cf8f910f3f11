"""Write docs/options.md, the tables of all options, from the code.

python docs/options_table.py
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from consingan.cli import main
from consingan.methods.contract import Method
from consingan.methods.registry import METHODS
from consingan.outputs.registry import OUTPUTS
from consingan.settings.config import Config
from consingan.settings.option import flag_name, flag_names, typed_as

PAGE = Path(__file__).parent / "options.md"

INTRODUCTION = """\
# Options

<!-- Written by docs/options_table.py from the code; change the code, then run it again. -->

Every flag can be written with hyphens as well as with underscores, and `--help` shows the same
texts. The shared options are listed with ConSinGAN's defaults; a method that has others lists them
again below. What is typed wins over a preset, a preset over what the task recommends, and that over
the default; a training begins by printing which value came from where. [What to turn](effects.md)
shows what the options do to the picture.
"""

GROUPS = {
    "training": "How long and how large",
    "network": "The networks",
    "optimization": "The optimization",
    "own picture": "A picture of your own",
    "pair": "The pair",
}

NONE = "–"
HEAD = ("option", "default", "values", "what it does", "recommended by tasks")


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, *_training()]
    for method in METHODS.values():
        parts += [*_method(method), *_tasks(method), *_presets(method)]
    parts += ["## Evaluation\n", "`evaluate_model.py`, also `consingan evaluate`.\n"]
    parts += [_command_table(main.commands["evaluate"])]
    parts += ["## Judging pictures from any program\n", "`consingan metrics REAL SAMPLE...`\n"]
    parts += [_command_table(main.commands["metrics"])]
    parts += [
        "## Comparing runs\n",
        "`consingan compare RUN RUN...`, or of a study `consingan compare STUDY`\n",
    ]
    parts += [_command_table(main.commands["compare"])]
    parts += [
        "## Studies\n",
        "`consingan batch PICTURE...`, see [many pictures](many_pictures.md).\n",
    ]
    parts += [_command_table(main.commands["batch"])]
    parts += ["## Training a run again\n", "`consingan replay RUN`\n"]
    parts += [_command_table(main.commands["replay"])]
    return "\n".join(parts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def _training() -> Iterator[str]:
    yield "## Training\n"
    yield (
        "`main_train.py`, also `consingan train`. These options are shared by all methods; "
        "`--method NAME --help` shows those of one, which follow below.\n"
    )
    yield table(HEAD, (_field_row(field, None) for field in dataclasses.fields(Config)))
    yield "### Where and how it is computed\n"
    yield _command_table(main.commands["train"])


def _method(method: Method) -> Iterator[str]:
    yield f"## {method.title}\n"
    yield f"`--method {method.name}`: {method.summary} ({method.paper}).\n"
    own = [field for field in dataclasses.fields(method.config) if _differs(field)]
    for group in dict.fromkeys(field.metadata["group"] for field in own):
        yield f"### {method.title}: {GROUPS.get(group, group).lower()}\n"
        fields = (field for field in own if field.metadata["group"] == group)
        yield table(HEAD, (_field_row(field, method) for field in fields))


def _differs(field: dataclasses.Field[Any]) -> bool:
    """Whether a method's field is not as the one that all methods share."""
    shared = Config.__dataclass_fields__.get(field.name)
    if shared is None:
        return True
    same = field.default == shared.default and field.metadata == shared.metadata
    return not same and field.name != "method"  # whose default is the method's name


def _field_row(field: dataclasses.Field[Any], method: Method | None) -> tuple[str, ...]:
    flag = ", ".join(f"`--{name}`" for name in flag_names(field))
    if isinstance(field.default, bool):
        flag += f", `--no_{flag_name(field)}`"
    default = field.metadata["shown"] or _value(field.default)
    recommended = _recommended(field.name, [method] if method else list(METHODS.values()))
    return flag, default, _range(field), field.metadata["help"], recommended


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
        return f"`{meta['metavar']}`" if meta["metavar"] else NONE
    least, above, most = meta["minimum"], meta["above"], meta["maximum"]
    if most is not None and most == least:
        return f"{most}"
    if above is not None:
        return f"above {above}" + (f", up to {most}" if most is not None else "")
    return f"{least} to {most}" if most is not None else f"{least} or more"


def _recommended(name: str, methods: Sequence[Method]) -> str:
    """What the tasks set it to."""
    found = [
        f"{task} {_value(row.overrides[name])}"
        for method in methods
        for task, row in method.tasks.items()
        if name in row.overrides
    ]
    return ", ".join(dict.fromkeys(found)) or NONE


def _tasks(method: Method) -> Iterator[str]:
    yield f"### {method.title}: tasks\n"
    yield "`--train_mode NAME`; see [how to add one](extending.md).\n"
    head = ("task", "what it is good for", "makes", "mask widened by", "recommended settings")
    yield table(head, (_task_row(method, name) for name in method.tasks))


def _task_row(method: Method, name: str) -> tuple[str, ...]:
    task = method.tasks[name]
    settings = (f"{setting} {_value(value)}" for setting, value in task.overrides.items())
    widened = f"{task.mask_dilation} px" if task.takes_naive else NONE
    makes = OUTPUTS[task.output].plural
    return f"`{name}`", task.summary, makes, widened, ", ".join(settings) or NONE


def _presets(method: Method) -> Iterator[str]:
    yield f"### {method.title}: presets\n"
    yield "`--preset NAME` sets:\n"
    rows = [(f"`{name}`", _typed(method, sets)) for name, sets in method.presets.items()]
    for name in method.presets:
        tasks = [task for task, row in method.tasks.items() if name in row.presets]
        for sets in _each([method.tasks[task].presets[name] for task in tasks]):
            some = (f"`{t}`" for t in tasks if method.tasks[t].presets[name] == sets)
            rows.append((f"`{name}` for {', '.join(some)}", _typed(method, sets)))
    yield table(("preset", "sets"), rows)


def _typed(method: Method, settings: Mapping[str, Any]) -> str:
    """Settings as they would be typed."""
    fields = method.config.__dataclass_fields__
    words = (typed_as(fields[name], value) for name, value in settings.items())
    return ", ".join(f"`{' '.join(some)}`" for some in words) or "nothing"


def _each(several: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each that differs from those before it."""
    return [one for k, one in enumerate(several) if one not in several[:k]]


def _command_table(command: click.Command) -> str:
    """The options of a command, from click's own description of them."""
    rows = [
        _option_row(parameter)
        for parameter in command.params
        if isinstance(parameter, click.Option)
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
