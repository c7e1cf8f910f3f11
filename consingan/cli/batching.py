"""`consingan batch`: many pictures, with many settings, on one machine or many."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.command import CONTEXT, EvaluatingCommand, was_typed
from consingan.cli.messages import FAILURE, guarded
from consingan.cli.options import MOST_THREADS, say
from consingan.errors import UserError
from consingan.machine.program import command_line, started_as

if TYPE_CHECKING:
    from consingan.batch.ledger import Ended
    from consingan.batch.places import Work
    from consingan.batch.plan import Plan
    from consingan.batch.study import Study

EXAMPLES = (
    "Images/Generation --seeds 3 --set lr_scale=0.1,0.3 --output_dir steps",
    "--output_dir steps  # goes on",
    "Images/Animation/waves.jpg --method consingan,singan --dry_run",
)
DESCRIBES = ("pictures", "method", "preset", "seeds", "train_mode", "settings")


def _names(_context: click.Context, _parameter: Any, text: str | None) -> tuple[str, ...]:
    """What a list with commas names."""
    return tuple(part.strip() for part in text.split(",")) if text else ()


class _StudyCommand(EvaluatingCommand):
    def where_it_belongs(self, setting: str) -> str:
        from consingan.batch.study import APART

        if setting in APART:
            return f"; of a study: {APART[setting]}."
        return f"; a study takes it as --set {setting}=VALUE."


@click.command("batch", cls=_StudyCommand, context_settings=CONTEXT, examples=EXAMPLES)
@click.argument("pictures", nargs=-1, metavar="[PICTURE|FOLDER]...")
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The study as TOML, in place of all that describes it here.",
)
@click.option("--method", metavar="A,B", callback=_names, help="One method or several.")
@click.option("--train_mode", metavar="NAME", help="What the models are for.")
@click.option("--preset", metavar="A,B", callback=_names, help="One preset or several.")
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Trainings of each picture with each setting.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=A,B",
    help="Any setting of a training, with one value or several; may be repeated.",
)
@click.option(
    "--num_samples",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Samples to judge of each training; 0 judges nothing.",
)
@click.option("--inception_weights", default="", metavar="PATH|URL", help="To give SIFID, too.")
@click.option(
    "--output_dir",
    type=click.Path(path_type=Path),
    default=Path("study"),
    show_default=True,
    help="The study's folder, for runs and results.",
)
@click.option(
    "--on",
    default="here",
    show_default=True,
    metavar="here|ray[://ADDRESS]",
    help="Where: processes of this machine, or a cluster of Ray.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Trainings at a time at most; by default as cores and memory allow.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, MOST_THREADS),
    metavar="N",
    help="CPU threads of each training.  [default: 1]",
)
@click.option("--device", metavar="NAME", help="As in training.")
@click.option(
    "--precision", type=click.Choice(("auto", "float32", "tf32", "bf16")), help="As in training."
)
@click.option("--engine", metavar="NAME", help="As in training.")
@click.option("--save_every", type=click.IntRange(1), metavar="N", help="As in training.")
@click.option("--dry_run", is_flag=True, help="Print the plan and stop.")
@guarded
def batch_command(
    output_dir: Path, on: str, workers: int | None, save_every: int | None, dry_run: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Train on pictures with many settings and seeds, and compare.

    All are judged. The same command goes on where it was stopped: what is finished is skipped, what
    was begun is resumed, what failed is tried again. Each training is a run like any other.
    """
    from consingan.batch.places import work_on
    from consingan.batch.plan import planned, with_machine
    from consingan.machine.files import make_folder
    from consingan.machine.locking import alone_in

    study, folder = _described(options, output_dir)
    machine = ("device", "precision", "engine", "threads")
    study = with_machine(study, {name: options[name] for name in machine})
    plan = planned(study, folder, save_every, elsewhere=not on.startswith("here"))
    for line in plan.introduction():
        say(line)
    if dry_run and (on != "here" or not plan.left):
        return  # a cluster is not asked for a plan
    if not plan.left:
        raise SystemExit(say_results(plan.folder, plan))
    work = work_on(plan, on, workers)
    click.echo(work.summary)
    if not dry_run:
        with alone_in(make_folder(plan.folder), "working on the study"):
            plan.begin()
            raise SystemExit(say_results(plan.folder, plan, ended=_work(plan, work)))


def _described(options: dict[str, Any], output_dir: Path) -> tuple[Study, Path]:
    """The study that is meant, and its folder: typed, in a file, or kept in the folder."""
    from consingan.batch.named import placed
    from consingan.batch.plan import kept_study
    from consingan.batch.study import Study, parse_settings
    from consingan.batch.toml import read_study
    from consingan.images.names import SCIKIT_IMAGE
    from consingan.settings.config import DEFAULT_METHOD

    typed = [name for name in DESCRIBES if was_typed(name)]
    if options["file"] is not None:
        if typed:
            raise UserError("--file describes the whole study; leave out what else describes it.")
        folder = output_dir if was_typed("output_dir") else options["file"].parent
        return _judged_as_typed(read_study(options["file"]), options), folder
    if not options["pictures"]:
        if typed:
            raise UserError("Name the pictures, or folders of pictures.")
        return _judged_as_typed(kept_study(output_dir), options), output_dir
    methods = options["method"] or (DEFAULT_METHOD,)
    study = Study(
        tuple(
            name if name.startswith(SCIKIT_IMAGE) else str(Path(name).absolute())
            for name in options["pictures"]
        ),
        methods,
        options["preset"],
        tuple(range(options["seeds"])),
        options["train_mode"],
        placed(parse_settings(options["settings"], methods), Path()),
    )
    return _judged_as_typed(study, options), output_dir


def _judged_as_typed(study: Study, options: Mapping[str, Any]) -> Study:
    """The study with what was typed of judging: that may change when all is trained."""
    from consingan.batch.named import placed_file

    if was_typed("num_samples"):
        study = replace(study, samples=options["num_samples"])
    if was_typed("inception_weights"):
        named = placed_file(options["inception_weights"], Path())
        study = replace(study, inception=named)
    return study


def _work(plan: Plan, work: Work) -> dict[str, Ended]:
    """Work on all that is left, and show it; a wish to stop ends the program."""
    from consingan.batch.watching import Board

    board = Board(plan, work.several)
    screen = _Screen(sys.stderr.isatty())
    with _stoppable(), contextlib.closing(work.begin()) as ending:
        try:
            for ended in ending:
                lines = [board.take(one) for one in ended]
                if lines and not screen.live:
                    lines.append(next(board.lines()))
                screen.show(lines, board.lines() if screen.live else ())
        except KeyboardInterrupt as stop:
            number = stop.args[0] if stop.args else signal.SIGINT
            again = command_line((*started_as("batch"), "--output_dir", str(plan.folder)))
            click.echo(f"Stopped; what was done is kept. Go on with: {again}", err=True)
            raise SystemExit(128 + number) from None
    screen.show([], ())
    return board.ended


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Let Ctrl+C and SIGTERM, which ends a job of a cluster, stop all; a second one at once."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        click.echo("\nStopping; trainings save their state.", err=True)
        raise KeyboardInterrupt(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Screen:
    """A table that is drawn over itself where errors go to a terminal; lines elsewhere."""

    def __init__(self, live: bool) -> None:
        self.live, self.drawn = live, 0

    def show(self, lines: Sequence[str], table: Iterator[str] | Sequence[str]) -> None:
        """Print `lines` for good, and `table` until the next call."""
        if self.live and self.drawn:
            click.echo(f"\x1b[{self.drawn}A\x1b[J", nl=False, err=True, color=True)
        for line in lines:
            click.echo(line)
        width = shutil.get_terminal_size().columns
        drawn = [line[: width - 1] for line in table]
        for line in drawn:
            click.echo(line, err=True)
        self.drawn = len(drawn)


def say_results(
    folder: Path,
    plan: Plan | None = None,
    to: Path | None = None,
    ended: Mapping[str, Ended] | None = None,
) -> int:
    """Write a study's page and tables, print the table; returns a command's exit code for it.

    Args:
        folder: of the study.
        plan: that was worked on; by default all that the folder keeps.
        to: the page, if not in the folder.
        ended: what just ended, by name.
    """
    from consingan.batch.kept import orders_in
    from consingan.batch.ledger import FINISHED
    from consingan.batch.plan import kept_study
    from consingan.batch.results import notes_on, results_of, write_results
    from consingan.images.folder import listed
    from consingan.images.names import shown
    from consingan.report.study import figures_in, words_of
    from consingan.report.study_page import state_of
    from consingan.report.study_tables import markdown

    study = plan.study if plan else kept_study(folder)
    asked, gone = orders_in(folder, study)
    trained = results_of(folder, plan.orders if plan else asked, gone, ended)
    if gone:
        names = listed([Path(name).name for name in dict.fromkeys(o.picture for o in gone)])
        say(f"Note: not there any more, but among the results as far as trained: {names}.")
    for note in notes_on(asked, folder):
        say(f"Note: {note}")
    place = write_results(folder, trained, to)
    if figures_in(trained):
        click.echo("\n" + markdown(trained))
    for one in trained:
        if one.words:
            what = (shown(one.picture), *((words_of(one.variant),) if one.variant else ()))
            click.echo(f"failed: {', '.join(what)}, seed {one.seed}: {one.words}", err=True)
    click.echo(state_of(trained))
    click.echo(f"page: {place}")
    return 0 if all(one.status == FINISHED for one in trained) else FAILURE
