"""Recipes of training as a front: quality against variety and time, over pictures and seeds.

python -m benchmarks.front train FOLDER --recipes paper,fast,"he sw" --seeds 3 --max_size 128
python -m benchmarks.front collapse FOLDER --recipes fast,draft --seeds 13

A recipe is a row of settings (recipes.py). Each training is an order of a study, see `consingan
batch`, done in this process so that its processor time is known; what is done is not done again,
and the table, the figures (front.json) and the drawing (front.png) are written anew after each.
`--beside` takes figures of presets that were stored before, of the same pictures at the same size.
On a GPU (`--device cuda`) several trainings at a time take less: `consingan batch` does that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.clock import CLOCK, CpuClock, cpu_seconds
from benchmarks.front_table import (
    average_rows,
    collapsed,
    draw,
    picture_rows,
    ratio_rows,
)
from benchmarks.presets import time_rows
from benchmarks.quality import records_of
from benchmarks.quality_table import Record, figure
from benchmarks.recipes import RECIPES
from benchmarks.tables import machine, write_results
from consingan.batch.done import is_done
from consingan.batch.ledger import JUDGING, STOPPED, TRAINING
from consingan.batch.orders import Order, orders_of
from consingan.batch.study import Study
from consingan.batch.work import perform
from consingan.errors import UserError
from consingan.machine.execution import Wanted, choose_execution
from consingan.machine.files import make_folder, write_json
from consingan.methods.choose import choose_settings

Row = dict[str, Any]

UNDER_WAY = (TRAINING, JUDGING, STOPPED)
CLOCKED = "times.json"
AVERAGE, BY_PICTURE, RATIOS = "On average", "By picture", "Ratios to the first recipe"
TIMES = "Time of a training, iterations in turns"


def recipe_named(name: str) -> dict[str, Any]:
    """Its settings.

    Raises:
        UserError: there is none of that name.
    """
    if name not in RECIPES:
        raise UserError(f"There is no recipe {name!r}; choose some of {', '.join(RECIPES)}.")
    return dict(RECIPES[name])


def orders_by_recipe(
    names: Sequence[str],
    pictures: Sequence[Path],
    seeds: int,
    size: int,
    samples: int,
    device: str = "cpu",
    **more: Any,
) -> dict[str, list[Order]]:
    """All trainings, by recipe."""
    found = {}
    for name in names:
        settings = {**recipe_named(name), "max_size": size, **more}
        preset = settings.pop("preset", None)
        study = Study(
            tuple(str(picture.absolute()) for picture in pictures),
            presets=(preset,) if preset else (),
            seeds=tuple(range(seeds)),
            settings={key: (value,) for key, value in settings.items()},
            samples=samples,
            machine={"device": device, "threads": 1},
        )
        study.check()
        found[name] = orders_of(study)
    return found


def in_order(orders: Mapping[str, Sequence[Order]]) -> Iterator[Order]:
    """Seed by seed and picture by picture: what is there at any time can be compared."""
    every = [order for some in orders.values() for order in some]
    pictures = list(dict.fromkeys(order.picture for order in every))
    yield from sorted(every, key=lambda order: (order.seed, pictures.index(order.picture)))


def trainings(orders: Mapping[str, Sequence[Order]], folder: Path) -> dict[str, list[Record]]:
    """A record for each training that is done or failed."""
    found: dict[str, list[Record]] = {}
    for name, some in orders.items():
        for record in records_of(some, folder):
            if record.get("error") in UNDER_WAY:
                continue
            if "run" in record:
                own = folder / Path(record["run"]).parts[0]
                record = {**record, "cpu": cpu_seconds(own / CLOCK)}
            found.setdefault(name, []).append({**record, "preset": name})
    return found


def stored(kept: Path, pictures: Sequence[Path]) -> dict[str, list[Record]]:
    """Figures that are kept as preset/seed_0/images/picture.json, by preset.

    Those of a file that `benchmarks.quality` wrote are of `paper` and its one seed.
    """
    names = {picture.name for picture in pictures}
    found: dict[str, list[Record]] = {}
    for preset, seed, record in _of_quality(kept) if kept.is_file() else _of_presets(kept):
        if record["image"] in names:
            found.setdefault(preset, []).append({**record, "preset": preset, "seed": seed})
    return found


def _of_presets(folder: Path) -> Iterator[tuple[str, int, Record]]:
    for path in sorted(folder.glob("*/seed_*/images/*.json")):
        record = json.loads(path.read_text("utf-8"))
        yield path.parts[-4], int(path.parts[-3].removeprefix("seed_")), record


def _of_quality(file: Path) -> Iterator[tuple[str, int, Record]]:
    kept = json.loads(file.read_text("utf-8"))
    for record in kept["images"]:
        yield "paper", kept["settings"].get("manual_seed", 0), record


def seconds_of(names: Sequence[str], size: int, device: str = "cpu") -> dict[str, float]:
    """Time of a training on a photograph by recipe, from iterations in turns.

    On a CPU the processor's, on a GPU the clock's.
    """
    execution = choose_execution(Wanted(device=device, threads=1))
    column = "CPU minutes" if execution.device.type == "cpu" else "minutes"
    configs = {
        name: choose_settings({**recipe_named(name), "max_size": size}).config for name in names
    }
    return {row["preset"]: 60 * row[column] for row in time_rows(configs, execution)}


def unit_on(device: str) -> str:
    """What a time is given in."""
    return "CPU s" if device == "cpu" else "s"


def write(
    output: Path, found: dict[str, list[Record]], seconds: Mapping[str, float], device: str
) -> None:
    """The tables, the figures that they are made of, and the drawing."""
    there = {name: records for name, records in found.items() if records}
    times = [{"recipe": name, unit_on(device): taken} for name, taken in seconds.items()]
    write_results(
        output / "front", "Recipes", machine(device.partition(":")[0]),
        {AVERAGE: average_rows(there), RATIOS: ratio_rows(there) if there else [],
         BY_PICTURE: picture_rows(there), TIMES: times},
    )  # fmt: skip
    kept = [{k: v for k, v in r.items() if k != "values"} for some in there.values() for r in some]
    write_json(output / "trainings.json", {"trainings": kept})
    draw(there, seconds, output / "front.png")


def collapse_rows(found: Mapping[str, Sequence[Record]]) -> list[Row]:
    """A row for each preset: how many trainings, how many of them collapsed, and which."""
    rows = []
    for name, records in found.items():
        bad = [r for r in records if collapsed(r)]
        which = ", ".join(f"{r['image']} seed {r['seed']}" for r in bad)
        psnr = [v for r in records if (v := figure(r, "psnr")) is not None]
        rows.append({"preset": name, "trainings": len(records), "collapsed": len(bad),
                     "lowest PSNR": min(psnr, default=None), "which": which})  # fmt: skip
    return rows


def work_on(
    orders: Mapping[str, Sequence[Order]], folder: Path, hours: float, tell: Callable[[], None]
) -> None:
    """Do what is not done yet, and begin nothing after so many hours; `tell` is called each time.

    Raises:
        SystemExit: it was interrupted; the same call goes on from there.
    """
    end = time.monotonic() + 3600 * hours
    tell()
    for order in in_order(orders):
        if is_done(order, folder):
            continue
        if time.monotonic() > end:
            return
        ended = perform(order, folder, observers=[CpuClock(folder / order.name / CLOCK)])
        click.echo(f"{order.words} {ended.status} {ended.words}")
        tell()
        if ended.status == STOPPED:
            raise SystemExit(130)


@click.group()
def main() -> None:
    """Recipes of training compared, and how often presets collapse."""


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--recipes", default="paper,fast,draft", show_default=True, metavar="A,B,...",
              help="Of recipes.py; the first is what the others are held against.")  # fmt: skip
@click.option("--pictures", help="Names of some of the folder's pictures, A,B,...")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True)
@click.option("--samples", type=click.IntRange(2), default=50, show_default=True)
@click.option("--max_size", type=click.IntRange(25), default=128, show_default=True)
@click.option("--beside", type=click.Path(path_type=Path, exists=True), multiple=True,
              help="Stored figures of presets: preset/seed_0/images/picture.json; or of paper: the "
              "quality.json of benchmarks.quality. May be repeated.")  # fmt: skip
@click.option("--device", default="cpu", show_default=True, help="As in training.")
@click.option("--hours", type=float, default=1000.0, help="Begin no training after so long.")
@click.option("--output", type=click.Path(path_type=Path),
              default=Path("benchmarks/results/front"), show_default=True)  # fmt: skip
def train(
    folder: Path, recipes: str, pictures: str | None, seeds: int, samples: int, max_size: int,
    beside: tuple[Path, ...], device: str, hours: float, output: Path,
) -> None:  # fmt: skip
    """Train on pictures of FOLDER with each recipe and write the front."""
    from consingan.images.folder import pictures_in

    there = {picture.name: picture for picture in pictures_in(folder)}
    some = _named(pictures.split(",") if pictures else list(there), there)
    names = recipes.split(",")
    before: dict[str, list[Record]] = {}
    for kept in beside:
        for name, records in stored(kept, some).items():
            before.setdefault(name, []).extend(records)
    missing = [name for name in names if name not in before]
    orders = orders_by_recipe(missing, some, seeds, max_size, samples, device)
    make_folder(output)
    unit = unit_on(device)
    seconds = {row["recipe"]: row[unit] for row in _stored_times(output) if unit in row}

    def tell() -> None:
        made = before | trainings(orders, output)
        write(output, {name: made.get(name, []) for name in names}, seconds, device)

    work_on(orders, output, hours, tell)
    click.echo((output / "front.md").read_text("utf-8"))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--recipes", default="paper,fast,draft", show_default=True, metavar="A,B,...")
@click.option("--seeds", type=click.IntRange(1), default=13, show_default=True,
              help="Trainings of each picture with each recipe.")  # fmt: skip
@click.option("--max_size", type=click.IntRange(25), default=48, show_default=True)
@click.option("--train_stages", type=click.IntRange(1), default=2, show_default=True,
              help="The first two are where trainings collapse, if they do.")  # fmt: skip
@click.option("--device", default="cpu", show_default=True, help="As in training.")
@click.option("--hours", type=float, default=1000.0, help="Begin no training after so long.")
@click.option("--output", type=click.Path(path_type=Path),
              default=Path("benchmarks/results/collapse"), show_default=True)  # fmt: skip
def collapse(
    folder: Path, recipes: str, seeds: int, max_size: int, train_stages: int, device: str,
    hours: float, output: Path,
) -> None:  # fmt: skip
    """Count the trainings of small pictures of FOLDER that collapse."""
    from consingan.images.folder import pictures_in

    names = recipes.split(",")
    orders = orders_by_recipe(names, pictures_in(folder), seeds, max_size, 5, device,
                              train_stages=train_stages)  # fmt: skip
    make_folder(output)

    def tell() -> None:
        rows = collapse_rows(trainings(orders, output))
        about = machine(device.partition(":")[0])
        write_results(output / "collapse", "Collapse", about, {"": rows})

    work_on(orders, output, hours, tell)
    click.echo((output / "collapse.md").read_text("utf-8"))


@main.command()
@click.option("--recipes", default="paper,fast,draft", show_default=True, metavar="A,B,...")
@click.option("--max_size", type=click.IntRange(25), default=128, show_default=True)
@click.option("--device", default="cpu", show_default=True, help="As in training.")
@click.option("--output", type=click.Path(path_type=Path),
              default=Path("benchmarks/results/front"), show_default=True)  # fmt: skip
def times(recipes: str, max_size: int, device: str, output: Path) -> None:
    """Time the iterations of recipes in turns, for the drawing and the table of times."""
    taken = seconds_of(recipes.split(","), max_size, device)
    rows = [{"recipe": name, unit_on(device): seconds} for name, seconds in taken.items()]
    about = machine(device.partition(":")[0])
    write_json(make_folder(output) / CLOCKED, {"times": rows, "machine": about})


def _named(names: Sequence[str], there: Mapping[str, Path]) -> list[Path]:
    """Pictures in the order in which they were named."""
    if missing := [name for name in names if name not in there]:
        raise UserError(f"There is no picture {missing[0]} in the folder.")
    return [there[name] for name in names]


def _stored_times(output: Path) -> list[Row]:
    path = output / CLOCKED
    return json.loads(path.read_text("utf-8"))["times"] if path.is_file() else []


if __name__ == "__main__":
    main()
