"""`consingan doctor`: what a bug report needs to say about the machine, and whether all works."""

from __future__ import annotations

import importlib
import json
import platform
from pathlib import Path

import click

from consingan._version import __version__
from consingan.cli.command import CONTEXT
from consingan.cli.messages import FAILURE, guarded
from consingan.cli.options import DEVICES
from consingan.settings.config import RUNS


@click.command("doctor", context_settings=CONTEXT)
@click.option(
    "--output_dir",
    type=click.Path(path_type=Path),
    default=RUNS,
    show_default=True,
    help="The folder for runs, to see if it can be written.",
)
@click.option("--device", default="auto", metavar="NAME", help=DEVICES)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@guarded
def doctor_command(output_dir: Path, device: str, as_json: bool) -> None:
    """Check that ConSinGAN works here; print what a bug report needs.

    Versions, devices, precision, memory, folders and the result of a tiny training, as text to be
    pasted. The exit code is 0 if all is well and 1 if not.
    """
    try:
        facts = importlib.import_module("consingan.doctor.examine")
    except Exception as error:  # broken libraries raise anything: OSError, AttributeError
        click.echo(f"consingan {__version__}, Python {platform.python_version()}, ", nl=False)
        click.echo(f"{platform.system()} {platform.release()} {platform.machine()}")
        click.echo(
            f"Error: a library cannot be imported ({error}); install PyTorch and the packages of "
            "requirements.txt anew, best in a new virtual environment.",
            err=True,
        )
        raise SystemExit(FAILURE) from None
    report = facts.examine(output_dir, device)
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for line in report.lines():
            click.echo(line)
    if not report.ok:
        raise SystemExit(FAILURE)
