"""`consingan compare`: several runs side by side."""

from __future__ import annotations

from pathlib import Path

import click

from consingan.errors import UserError


class _Mistake(click.ClickException):
    """One sentence, exit code 2."""

    exit_code = 2


@click.command("compare")
@click.argument(
    "runs", metavar="RUN RUN...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--output",
    default="compare.html",
    show_default=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The page.",
)
@click.option(
    "--num_samples",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Samples to judge of a run that was not evaluated; 0 judges nothing.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of samples.")
@click.option("--device", default="auto", show_default=True, metavar="NAME", help="As in training.")
def compare_command(
    runs: tuple[Path, ...], output: Path, num_samples: int, seed: int, device: str
) -> None:
    """Put several run folders side by side: settings that differ, metrics, pictures, time.

    Metrics are those of Evaluation/metrics.json where evaluate_model.py left one.
    """
    try:
        _compare(runs, output, num_samples, seed, device)
    except UserError as error:
        raise _Mistake(str(error)) from error


def _compare(
    paths: tuple[Path, ...], output: Path, num_samples: int, seed: int, device: str
) -> None:
    # Torch takes seconds to load, so that --help must not wait for it.
    from consingan import compare
    from consingan.files import write_text
    from consingan.runs import Execution, load_run

    compare.check_count(paths)
    place = Execution.choose(device).device
    loaded = [load_run(path, place) for path in paths]
    entries = [
        compare.entry(number, run, num_samples, seed, click.echo)
        for number, run in enumerate(loaded)
    ]
    click.echo(compare.text_table(entries))
    try:
        write_text(output, compare.page(entries))
    except OSError as error:
        raise UserError(f"{output} cannot be written ({error.strerror}).") from None
    click.echo(f"page: {output}")
