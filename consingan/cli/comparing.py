"""`consingan compare`: several runs side by side."""

from __future__ import annotations

from pathlib import Path

import click

from consingan.cli.messages import guarded
from consingan.cli.options import CONTEXT, CarefulCommand, output_file


@click.command("compare", cls=CarefulCommand, context_settings=CONTEXT)
@click.argument(
    "runs", metavar="RUN RUN...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--output",
    default="compare.html",
    show_default=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    callback=output_file,
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
@guarded
def compare_command(
    runs: tuple[Path, ...], output: Path, num_samples: int, seed: int, device: str
) -> None:
    """Put several run folders side by side: settings that differ, metrics, pictures, time.

    Metrics are those of Evaluation/metrics.json where evaluate_model.py left one.
    """
    # Torch takes seconds to load, so that --help must not wait for it.
    from consingan.machine.execution import Execution
    from consingan.machine.files import write_text
    from consingan.report import compare
    from consingan.runs.load import load_run

    compare.check_count(runs)
    place = Execution.choose(device).device
    loaded = [load_run(path, place) for path in runs]
    entries = [
        compare.entry(number, run, num_samples, seed, click.echo)
        for number, run in enumerate(loaded)
    ]
    click.echo(compare.text_table(entries))
    write_text(output, compare.page(entries))
    click.echo(f"page: {output}")
