"""`consingan sample PICTURE`: variations of any picture at once, without a run's folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.command import CONTEXT, CarefulCommand
from consingan.cli.messages import guarded
from consingan.cli.options import wanted_of
from consingan.settings.config import LARGEST_SEED

if TYPE_CHECKING:
    from consingan.api.samples import Made

SIDES = ("both", "horizontal", "vertical")


def _size(
    context: click.Context,  # noqa: ARG001
    parameter: click.Parameter,  # noqa: ARG001
    value: str | None,
) -> tuple[int, int] | None:
    """WxH as (h, w)."""
    if value is None:
        return None
    width, _, height = value.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise click.BadParameter(f"{value} is no size; write it as 400x300.")
    return int(height), int(width)


@click.command("sample", cls=CarefulCommand, context_settings=CONTEXT)
@click.argument("picture")
@click.option(
    "--size",
    metavar="WxH",
    callback=_size,
    help="Of the results, else the picture's: smaller shows less; --max_size makes all smaller.",
)
@click.option("--retarget", is_flag=True, help="Keep the layout in another --size.")
@click.option("--loosen", type=click.FloatRange(0, 1), default=0.0, show_default=True,
              help="With --retarget: more whole things, less of the layout; try 0.3.")  # fmt: skip
@click.option("--rows", type=click.FloatRange(0, 1),
              help="How far rows keep their height (sky above); 0 mixes layouts.  "
              "[default: 1]")  # fmt: skip
@click.option("--tile", type=click.Choice(SIDES), help="Seamless tiles.")
@click.option(
    "--symmetric",
    type=click.Choice(("left", "right", "top", "bottom")),
    help="Mirror this half onto the other.",
)
@click.option("-n", "--num_samples", type=click.IntRange(1), default=4, show_default=True,
              help="How many.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), default=0, show_default=True,
              help="Of all samples; another one gives others.")  # fmt: skip
@click.option("--max_size", type=click.IntRange(3),
              help="Longer side (px) to which the picture is reduced.  [default: 500]")  # fmt: skip
@click.option("--range", "value_range", default="auto", show_default=True, metavar="MIN,MAX",
              help="Of a picture deeper than 8 bit: black and white; or full.")  # fmt: skip
@click.option("--engine", default="auto", show_default=True, metavar="NAME",
              help="auto, exact, fused or fast.")  # fmt: skip
@click.option("--device", default="auto", show_default=True, metavar="NAME", help="As in training.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("samples"),
              show_default=True, help="Folder for sample_<i>.png.")  # fmt: skip
@guarded
def sample_command(picture: str, output: Path, **options: Any) -> None:
    """Make variations of PICTURE in seconds, without any training.

    They are made of the picture's own patches.
    """
    # Torch takes seconds to load, so that --help must not wait for it.
    from consingan.api.samples import Wish, make
    from consingan.machine.execution import choose_execution

    where = {"device": options.pop("device"), "engine": options["engine"]}
    execution = choose_execution(wanted_of(where))
    wish = Wish(picture, count=options.pop("num_samples"), **options)
    for made in make(wish, execution, output, click.echo):
        click.echo(_said(made))


def _said(made: Made) -> str:
    words = f"{made.path}"
    if made.seam is not None:
        words += f", seam {made.seam:.2f} (1 cannot be seen)"
    return words
