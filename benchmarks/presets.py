"""Preset against preset: the same pictures and seeds, trained with each, samples judged.

python -m benchmarks.presets FOLDER --presets paper,fast,draft --seeds 3 --max_size 128
python -m benchmarks.presets --max_size 250     # no trainings, the time of iterations alone

Every setting of main_train.py but --preset and --manualSeed can be given. It is one study, see
`consingan batch`, and goes on where it was stopped. The minutes of its trainings are what the clock
said, whatever else the machine did; the last table times the presets' iterations in turns.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks.quality import records_of, study_of, work_through
from benchmarks.quality_table import COLUMNS, Record, figure
from benchmarks.speed import in_turns
from benchmarks.stages import new_draws, sizes_of, task_of
from benchmarks.tables import machine, write_results
from consingan.batch.kept import orders_in
from consingan.cli.command import CONTEXT, MethodCommand, typed_method
from consingan.cli.messages import guarded
from consingan.errors import UserError
from consingan.machine.execution import Execution, Wanted, choose_execution
from consingan.machine.graphs import WARM_UP
from consingan.methods.consingan import effort
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.engine import Engine, StageTask
from consingan.methods.consingan.engines import choose_engine
from consingan.methods.consingan.presets import PRESETS

Row = dict[str, Any]
Figures = dict[str, float]  # of one picture, by name, means over seeds

TURNS = 3  # timed
TITLE = "Presets"
AVERAGE, BY_PICTURE = "On average", "By picture"
TIMES = "Time of a training, iterations in turns"
SHOWN = ("swd", "diversity", "coherence", "copied", "psnr", "minutes")


def means(records: Sequence[Record]) -> dict[str, Figures]:
    """By picture: the mean over seeds of each figure. What failed is left out."""
    by_picture: dict[str, list[Record]] = {}
    for record in records:
        if "error" not in record:
            by_picture.setdefault(record["image"], []).append(record)
    return {
        picture: {
            name: statistics.mean(values)
            for name in SHOWN
            if (values := [v for r in found if (v := figure(r, name)) is not None])
        }
        for picture, found in by_picture.items()
    }


def comparison(found: Mapping[str, Sequence[Record]]) -> list[Row]:
    """A row for each preset: averages over pictures and seeds, and ratios to the first preset.

    Only pictures that all presets have count; a ratio is the mean over pictures of the ratio of
    their means over seeds, so that no picture weighs more than another.
    """
    by_preset = {preset: means(records) for preset, records in found.items()}
    shared = set.intersection(*(set(pictures) for pictures in by_preset.values()))
    first = next(iter(by_preset.values()))
    rows = []
    for preset, pictures in by_preset.items():
        count = sum(r["image"] in shared and "error" not in r for r in found[preset])
        row: Row = {"preset": preset, "pictures": len(shared), "trainings": count}
        for name in SHOWN:
            values = [pictures[p][name] for p in shared if name in pictures[p]]
            row[COLUMNS[name]] = statistics.mean(values) if values else None
        for name in ("swd", "diversity", "minutes"):
            ratios = [pictures[p][name] / first[p][name] for p in shared if first[p].get(name)]
            row[f"{name}, ratio"] = statistics.mean(ratios) if ratios else None
        rows.append(row)
    return rows


def picture_rows(found: Mapping[str, Sequence[Record]]) -> list[Row]:
    """A row for each picture and preset: the figures by seed."""
    rows = []
    for preset, records in found.items():
        for picture, average in means(records).items():
            seeds = [r for r in records if r["image"] == picture and "error" not in r]
            swd = ", ".join(f"{figure(r, 'swd'):.2f}" for r in seeds)
            row = {"picture": picture, "preset": preset, "SWD by seed": swd}
            rows.append(row | {COLUMNS[name]: average.get(name) for name in SHOWN[1:]})
    return sorted(rows, key=lambda row: row["picture"])


def time_rows(configs: Mapping[str, ConSinGANConfig], execution: Execution) -> list[Row]:
    """A row for each preset: time of its training of a photograph, from iterations in turns.

    A turn is as many iterations as all presets' lazy penalties need to come round.
    """
    engine = choose_engine(execution.engine, execution.arithmetic)
    turn = math.lcm(*(config.penalty_every for config in configs.values()))
    # A GPU's graphs are recorded before anything is timed; each kind of iteration is in every turn.
    untimed = WARM_UP + 1 if execution.device.type == "cuda" else 1
    seconds, used = dict.fromkeys(configs, 0.0), dict.fromkeys(configs, 0.0)
    sizes = {
        name: sizes_of(c.max_size, c.train_stages, c.train_mode, c.min_size)
        for name, c in configs.items()
    }

    def at_stage(name: str, stage: int) -> ConSinGANConfig:
        config, own = configs[name], sizes[name]
        pixels = [h * w for h, w in own]
        return effort.at_stage(config, stage, pixels, effort.layout_stages(config, own))

    for stage in range(max(config.train_stages for config in configs.values())):
        runs = {}
        for name, config in configs.items():
            if stage < config.train_stages:
                shown, own = sizes[name][: stage + 1], at_stage(name, stage)
                task = task_of(shown, config.train_mode, execution.device, own)
                runs[name] = partial(_iterations, engine(task), task, turn)
        for name, (wall, cpu) in in_turns(runs, execution.device, TURNS, untimed).items():
            iterations = at_stage(name, stage).niter
            seconds[name] += wall / turn * iterations
            used[name] += cpu / turn * iterations
    first, first_used = next(iter(seconds.values())), next(iter(used.values()))
    return [
        {"preset": name, "minutes": taken / 60, "ratio": taken / first,
         "CPU minutes": used[name] / 60, "by CPU time": used[name] / first_used}
        for name, taken in seconds.items()
    ]  # fmt: skip


def _iterations(engine: Engine, task: StageTask, count: int, _: int) -> None:
    for iteration in range(count):
        engine.step(new_draws(task, iteration), iteration)


def names_of(presets: str) -> list[str]:
    """ "paper,fast" -> ["paper", "fast"].

    Raises:
        UserError: there is no such preset, or fewer than two.
    """
    names = [name.strip() for name in presets.split(",")]
    for name in names:
        if name not in PRESETS:
            raise UserError(f"There is no preset {name!r}; choose some of {', '.join(PRESETS)}.")
    if len(set(names)) != len(names) or len(names) < 2:
        raise UserError("--presets needs two different presets or more, for example paper,fast.")
    return names


def _of_trainings(names: Sequence[str], records: Sequence[Record]) -> dict[str, list[Row]]:
    found = {name: [r for r in records if r["preset"] == name] for name in names}
    return {AVERAGE: comparison(found), BY_PICTURE: picture_rows(found)}


@click.command(cls=MethodCommand, context_settings=CONTEXT)
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--presets", default="paper,fast,draft", show_default=True, metavar="A,B,...",
              help="The first is what the others are compared with.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True,
              help="Trainings of each picture with each preset.")  # fmt: skip
@click.option("--samples", type=click.IntRange(1), default=50, show_default=True,
              help="Samples of each training.")  # fmt: skip
@click.option("--tables_only", is_flag=True,
              help="Train and time nothing, make the tables of what is there.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), show_default=True,
              default=Path("benchmarks/results/presets"), help="Of all results.")  # fmt: skip
@click.option("--device", default="auto", show_default=True, help="As in training.")
@click.option("--precision", default="auto", show_default=True, help="As in training.")
@guarded
def main(
    folder: Path | None, presets: str, seeds: int, samples: int, tables_only: bool, output: Path,
    device: str, precision: str, **options: Any,
) -> None:  # fmt: skip
    """Train on every picture of FOLDER with each preset, compare the samples, time iterations.

    Without FOLDER only iterations are timed.
    """
    from consingan.images.folder import pictures_in
    from consingan.machine.files import read_json
    from consingan.methods.choose import choose_settings

    execution = choose_execution(Wanted(device=device, precision=precision))
    settings = {f.name: options[f.name] for f in dataclasses.fields(typed_method().config)}
    settings = {name: value for name, value in settings.items() if value is not None}
    for name in ("preset", "manual_seed", "input_name", "naive_img", "fine_tune", "method"):
        if name in settings:
            raise UserError(f"The pictures, presets and seeds are given apart; leave out {name}.")
    if tables_only and folder is None:
        raise UserError("--tables_only needs FOLDER, whose pictures the tables are of.")
    names, images = names_of(presets), pictures_in(folder) if folder else []
    configs = {name: choose_settings({**settings, "preset": name}).config for name in names}
    about = machine(execution.device.type)
    tables: dict[str, list[Row]] = {}
    records: list[Record] = []

    def tell(some: Sequence[Record]) -> None:
        tables.update(_of_trainings(names, some))
        write_results(output / "presets", TITLE, about, tables)

    if images:
        place = {"device": device, "precision": precision}
        study = study_of(images, settings, samples, None, place, names, range(seeds))
        if tables_only:
            records = records_of(orders_in(output, study)[0], output)
            tables |= _of_trainings(names, records)
        else:
            records = records_of(work_through(study, output, tell).orders, output)
    stored = output / "presets.json"
    if not tables_only:
        tables[TIMES] = time_rows(configs, execution)
    elif stored.is_file():  # the machine that it was measured on goes with it
        before = read_json(stored)
        about, tables[TIMES] = before["machine"], before.get(TIMES, [])
    write_results(output / "presets", TITLE, about, tables)
    click.echo((output / "presets.md").read_text(encoding="utf-8"))
    if any("error" in record for record in records):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
