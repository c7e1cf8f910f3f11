"""`consingan methods`: what each method can do."""

from __future__ import annotations

from collections.abc import Iterator

import click

from consingan.cli.command import CONTEXT
from consingan.cli.messages import guarded
from consingan.machine.program import command_line, started_as
from consingan.methods.contract import Method
from consingan.methods.registry import METHODS
from consingan.outputs.registry import OUTPUTS

NOTHING = "–"


@click.command("methods", context_settings=CONTEXT)
@guarded
def methods_command() -> None:
    """Print which method can do what, its presets and its paper."""
    for line in table():
        click.echo(line)
    for method in METHODS.values():
        click.echo()
        for line in about(method):
            click.echo(line)


def table() -> Iterator[str]:
    """A row for each task, a column for each method."""
    tasks = list(dict.fromkeys(name for method in METHODS.values() for name in method.tasks))
    rows = [["--train_mode", *(f"--method {name}" for name in METHODS), "makes"]]
    for task in tasks:
        having = [method.tasks.get(task) for method in METHODS.values()]
        output = next(row.output for row in having if row is not None)
        marks = ["yes" if row is not None else NOTHING for row in having]
        rows.append([task, *marks, OUTPUTS[output].plural])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def about(method: Method) -> Iterator[str]:
    """What a method is, in a few lines."""
    yield f"{method.name}: {method.title}, {method.summary}"
    yield f"  {method.paper}"
    for name, task in method.tasks.items():
        yield f"  {name}: {task.summary}"
    yield f"  presets: {', '.join(method.presets)}; engines: {', '.join(method.engines)}"
    words = (*started_as("train"), "--method", method.name, "--help")
    yield f"  its settings: {command_line(words)}"
