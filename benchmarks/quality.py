"""Train on every picture of a folder, judge the samples, and write a table of figures of merit.

python -m benchmarks.quality FOLDER --samples 50 --niter 2000

Every setting of main_train.py can be given. It is a study, see `consingan batch`, with a table
beside the paper's figures (quality.md, quality.json), written anew after each picture. The same
command goes on where it was stopped: finished pictures are skipped, a training that was cut short
is resumed, and a picture that failed is tried again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmarks.quality_table import Record, averages, markdown
from benchmarks.tables import machine
from consingan.batch import ledger
from consingan.batch.orders import Order
from consingan.batch.places import work_on
from consingan.batch.plan import Plan, planned
from consingan.batch.study import APART, Study
from consingan.batch.watching import Board
from consingan.cli.command import CONTEXT, MethodCommand, typed_method
from consingan.cli.messages import guarded
from consingan.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

# Weights are large and made again by the same command: no version control wants them.
IGNORED = "*\n!quality.*\n!presets.*\n!study.*\n!.gitignore\n"


def study_of(
    images: Sequence[Path],
    settings: Mapping[str, Any],
    samples: int,
    weights: str | None = None,
    machine: Mapping[str, Any] | None = None,
    presets: Sequence[str] = (),
    seeds: Sequence[int] = (0,),
) -> Study:
    """A study of every picture with the same settings, and with each preset and seed."""
    preset = (settings["preset"],) if "preset" in settings else tuple(presets)
    return Study(
        tuple(str(image.absolute()) for image in images),
        (typed_method().name,),
        preset,
        tuple(seeds),
        settings.get("train_mode"),
        {name: (value,) for name, value in settings.items() if name not in APART},
        samples,
        machine or {},
        weights or "",
    )


def work_through(study: Study, output: Path, tell: Callable[[Sequence[Record]], None]) -> Plan:
    """Do what is left of a study here; `tell` is called at first and whenever something ended.

    Raises:
        UserError: a setting, the device or the folder cannot be used.
    """
    plan = planned(study, output)
    plan.begin()
    (output / ".gitignore").write_text(IGNORED, encoding="utf-8")
    tell(records_of(plan.orders, plan.folder))
    if plan.left:
        work = work_on(plan, "here")
        click.echo(work.summary)
        board = Board(plan, work.several)
        for ended in work.begin():
            for one in ended:
                click.echo(board.take(one))
                tell(records_of(plan.orders, plan.folder))
    return plan


def records_of(orders: Sequence[Order], folder: Path) -> list[Record]:
    """A record for each training of a study in `folder` that was begun."""
    found = ((order, ledger.read(folder / order.name)) for order in orders)
    return [_record(order, entry) for order, entry in found if entry]


def _record(order: Order, entry: ledger.Json) -> Record:
    about = {"image": order.label, "preset": order.typed.get("preset"), "seed": order.seed}
    if entry["status"] != ledger.FINISHED:
        return {**about, "error": entry.get("error", entry["status"])}
    return {
        **about,
        "run": f"{order.name}/{entry['run']}",
        "size": entry["size"],
        "minutes": entry["seconds"] / 60,
        "execution": entry["execution"],
        **entry["judgement"],
    }


def write_tables(
    output: Path, study: Study, settings: Mapping[str, Any], records: Sequence[Record]
) -> None:
    """Write quality.json and quality.md."""
    from consingan.machine.device import choose_device
    from consingan.machine.files import write_json, write_text
    from consingan.runs.about import versions

    device = choose_device(str(study.machine.get("device", "auto"))).device.type
    about = {
        "machine": machine(device),
        "versions": versions(),
        "settings": dict(settings),
        "samples": study.samples,
    }
    table = {**about, "average": averages(records), "images": list(records)}
    write_json(output / "quality.json", table)
    write_text(output / "quality.md", markdown(records, study.samples, settings))


@click.command(cls=MethodCommand, context_settings=CONTEXT)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--samples",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Samples of each picture.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("benchmarks/results/quality"),
    show_default=True,
    help="Folder of the table and the runs.",
)
@click.option("--inception_weights", "weights", metavar="PATH|URL", help="For SIFID.")
@click.option("--device", default="auto", show_default=True, help="As in training.")
@click.option("--precision", default="auto", show_default=True, help="As in training.")
@guarded
def main(
    folder: Path, samples: int, output: Path, weights: str | None, device: str, precision: str,
    **options: Any,
) -> None:  # fmt: skip
    """Train on every picture of FOLDER and make a table of figures of merit."""
    from consingan.images.folder import pictures_in
    from consingan.machine.execution import Wanted, choose_execution

    settings = {f.name: options.pop(f.name) for f in dataclasses.fields(typed_method().config)}
    settings = {name: value for name, value in settings.items() if value is not None}
    for name in ("input_name", "naive_img", "fine_tune"):
        if name in settings:
            raise UserError(f"The pictures are those of FOLDER; leave out --{name}.")
    settings.setdefault("manual_seed", 0)
    place = {"device": device, "precision": precision}
    choose_execution(Wanted(**place))
    seeds = (settings["manual_seed"],)
    study = study_of(pictures_in(folder), settings, samples, weights, place, seeds=seeds)

    def tell(records: Sequence[Record]) -> None:
        write_tables(output, study, settings, records)

    try:
        plan = work_through(study, output, tell)
    except KeyboardInterrupt:
        click.echo("\nStopped; the same command goes on from here.", err=True)
        raise SystemExit(130) from None
    click.echo((output / "quality.md").read_text(encoding="utf-8"))
    if any("error" in record for record in records_of(plan.orders, plan.folder)):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
