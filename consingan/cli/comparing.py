"""`consingan compare`: several runs side by side, or all of a study."""

from __future__ import annotations

from pathlib import Path

import click

from consingan.batch.toml import STUDY
from consingan.cli.batching import say_results
from consingan.cli.command import CONTEXT, CarefulCommand, was_typed
from consingan.cli.messages import guarded
from consingan.cli.options import output_file, refuse_unwritable, run_named, say, wanted_of


@click.command("compare", cls=CarefulCommand, context_settings=CONTEXT)
@click.argument(
    "runs", metavar="RUN RUN...|STUDY", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--output",
    default="compare.html",
    show_default=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    callback=output_file,
    help="The page; of a study by default study.html in its folder.",
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
    """Put runs side by side: settings that differ, metrics, pictures.

    Metrics are those of Evaluation/metrics.json where an evaluation left one. Of a study's folder,
    see `consingan batch`, all is shown that is there by now.
    """
    if len(runs) == 1 and (runs[0] / STUDY).is_file():
        for name in ("num_samples", "seed", "device"):
            if was_typed(name):
                say(f"Note: --{name} does nothing for a study, whose trainings are judged.")
        say_results(runs[0], to=output if was_typed("output") else None)
        return
    refuse_unwritable(output)
    # Torch takes seconds to load, so that --help must not wait for it.
    from consingan.api.evaluate import compare
    from consingan.machine.execution import choose_execution
    from consingan.machine.files import write_text

    execution = choose_execution(wanted_of({"device": device, "precision": "float32"}))
    comparison = compare(tuple(map(run_named, runs)), execution, num_samples, seed, click.echo)
    click.echo(comparison.text)
    write_text(output, comparison.html)
    click.echo(f"page: {output}")
