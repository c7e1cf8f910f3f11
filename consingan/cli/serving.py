"""`consingan web`: the page."""

from __future__ import annotations

from pathlib import Path

import click

from consingan.cli.command import CONTEXT, CarefulCommand
from consingan.cli.messages import guarded
from consingan.machine.extras import GRADIO, installing
from consingan.settings.config import RUNS


@click.command("web", cls=CarefulCommand, context_settings=CONTEXT,
               epilog=f"It needs gradio: {installing(GRADIO)}")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), metavar="N",
              help="Where it listens; by default the first free one from 7860 on.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS",
              help="Another lets other machines in; with --password.")  # fmt: skip
@click.option("--password", default=None, metavar="WORD", help="Must be typed to see the page.",
              envvar="CONSINGAN_WEB_PASSWORD", show_envvar=True)  # fmt: skip
@click.option("--output_dir", type=click.Path(path_type=Path), default=RUNS, show_default=True,
              help="Where run folders are, and are made.")  # fmt: skip
@click.option("--no_browser", is_flag=True, help="Do not open a browser.")
@guarded
def web_command(
    port: int | None, host: str, password: str | None, output_dir: Path, no_browser: bool
) -> None:
    """Open a page in the browser: drop a picture, train, paint.

    Nothing leaves this machine.
    """
    from consingan.web.serve import Place, serve

    serve(Place(host, port, password or "", output_dir), click.echo, not no_browser)
