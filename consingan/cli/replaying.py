"""`consingan replay`: a run trained again from its folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consingan.cli.command import CONTEXT, CarefulCommand
from consingan.cli.messages import FAILURE, explained, guarded
from consingan.cli.options import run_named, say
from consingan.cli.watching import watching
from consingan.settings.config import RUNS

if TYPE_CHECKING:
    from consingan.api.train import Run
    from consingan.machine.execution import Execution
    from consingan.methods.contract import Method
    from consingan.training.session import Observer


@contextlib.contextmanager
def _watch(run: Run) -> Iterator[Sequence[Observer]]:
    """As a training is watched; what ends it early is said of the new run, not of the old one."""
    assert run.path is not None
    with explained(run.path), watching({"tensorboard": False})(run) as observers:
        yield observers


@click.command("replay", cls=CarefulCommand, context_settings=CONTEXT)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--output_dir",
    type=click.Path(path_type=Path),
    default=RUNS / "replayed",
    show_default=True,
    help="Where the new run is made.",
)
@guarded
def replay_command(run: Path, output_dir: Path) -> None:
    """Train a finished run again and say whether the same comes out.

    All is taken from its folder. Same versions on the same CPU: the same weights, bit for bit.
    Otherwise it says what differs. The exit code is 0 where the weights are the same, else 1.
    """
    from consingan.api.replay import replay
    from consingan.training.plan import execution_line

    def told(others: tuple[str, ...], execution: Execution, method: Method) -> None:
        say(execution_line(execution, method))
        for line in (*execution.notes, *(f"Note: {other}" for other in others)):
            say(line)

    done = replay(run_named(run), output_dir, _watch, told)
    if done.equal:
        click.echo("The same weights, bit for bit.")
        return
    click.echo(f"Other weights, first in {done.apart}.")
    if not done.others:
        click.echo(
            "Nothing that was noted differs: if config.json was not edited by hand since, please "
            "report this."
        )
    raise SystemExit(FAILURE)
