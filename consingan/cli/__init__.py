"""The commands. Only this package prints, asks or aborts; heavy imports wait until needed."""

from __future__ import annotations

import click

from consingan._version import __version__
from consingan.cli.authors import authors_groups
from consingan.cli.batching import batch_command
from consingan.cli.command import CONTEXT
from consingan.cli.comparing import compare_command
from consingan.cli.doctor import doctor_command
from consingan.cli.evaluating import evaluate
from consingan.cli.group import Commands
from consingan.cli.judging import metrics_command
from consingan.cli.listing import methods_command
from consingan.cli.replaying import replay_command
from consingan.cli.sampling import sample_command
from consingan.cli.serving import web_command
from consingan.cli.training import train

__all__ = ["evaluate", "main", "train"]


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(__version__)
def main() -> None:
    """Learn from ONE picture and make new ones like it: ConSinGAN and its neighbors.

    Quickest is `consingan sample PICTURE`: variations in seconds, without training. All of it in
    the browser: `consingan web`. A training begins with `consingan train --input_name PICTURE`.
    """


main.add_command(train)
main.add_command(evaluate)
main.add_command(batch_command)
main.add_command(metrics_command)
main.add_command(compare_command)
main.add_command(replay_command)
main.add_command(methods_command)
main.add_command(sample_command)
main.add_command(doctor_command)
main.add_command(web_command)
for group in authors_groups():
    main.add_command(group)
