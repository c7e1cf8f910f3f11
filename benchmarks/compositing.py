"""Harmonization and editing of the example sets: how sharp, how true to edges, how alike.

python -m benchmarks.compositing --output DIR --recipes "consingan draft,patches" --max_size 100

A recipe is a method and one of its presets, or one of `recipes.RECIPES`. Every set of
`Images/Harmonization` and `Images/Editing` is trained with each (what is finished is not trained
again), and its naive image is worked on at its own size with every kind of `--detail`. Figures of
the part that was changed:

- *sharpness*: mean length of the gradient of its gray values, over that of the naive image there
  ("of naive") and of the whole training image ("of image");
- *edges*: correlation of its gradients with the naive image's;
- *SWD*: of the smallest rectangle around it and 7 px, to the training image, at full size;
- *CPU s*: of enlarging and detail;
- *training*: CPU seconds of the training, where it was made for this.

`sheet_<set>_<recipe>.png` in the output folder shows the naive image and all details.
"""

from __future__ import annotations

import itertools
import json
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

import consingan
from benchmarks.clock import CLOCK, CpuClock, cpu_seconds
from benchmarks.recipes import RECIPES
from benchmarks.tables import machine, write_results
from consingan.api.trained import TrainedModel
from consingan.images import masks
from consingan.images.difference import mask_from_difference
from consingan.images.io import read_image, unit, write_image
from consingan.images.mask_files import find_mask, fit_mask, read_mask_file
from consingan.images.sheets import labelled
from consingan.metrics.common import PATCH
from consingan.metrics.inside import box
from consingan.metrics.swd import sliced_wasserstein
from consingan.outputs.composite import compose
from consingan.outputs.requests import DETAILS, CompositeRequest

Row = dict[str, Any]

IMAGES = Path(__file__).parent.parent / "Images"
TASKS = {"harmonization": "Harmonization", "editing": "Editing"}
IGNORED = "*\n!compositing.*\n!.gitignore\n"
KINDS = DETAILS[1:]
FIGURES = ("of naive", "of image", "edges", "SWD", "CPU s")
TITLE = "Harmonization and editing at full size"


@dataclass(frozen=True)
class ExampleSet:
    """A training image, what somebody made of it, (1, C, H, W), and where, (1, 1, H, W)."""

    task: str
    name: str
    file: Path
    image: Tensor
    naive: Tensor
    mask: Tensor


def example_sets() -> Iterator[ExampleSet]:
    """All sets of both tasks."""
    for task, kind in TASKS.items():
        for file in sorted((IMAGES / kind).glob("*_naive.jpg")):
            own = file.with_name(f"{file.stem.removesuffix('_naive')}.jpg")
            image, naive = read_image(own), read_image(file)
            found = find_mask(file)
            if found is None:
                mask = mask_from_difference(naive, image)
            else:
                size = (naive.shape[-2], naive.shape[-1])
                mask = fit_mask(read_mask_file(found, (naive, image)), size).values
            yield ExampleSet(task, own.stem, own, image, naive, mask)


def gradients(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Differences of gray values of (1, C, H, W) to the next row and column, (H-1, W-1) each."""
    gray = picture.mean(1)[0]
    here = gray[:-1, :-1]
    return gray[1:, :-1] - here, gray[:-1, 1:] - here


def sharpness(picture: Tensor, inside: Tensor) -> float:
    """Mean length of the gradients of (1, C, H, W) inside (H, W), bool."""
    return float(torch.hypot(*gradients(picture))[inside[:-1, :-1]].mean())


def edges_kept(picture: Tensor, naive: Tensor, inside: Tensor) -> float:
    """Correlation of the gradients of two pictures inside (H, W), bool: 1 is the same edges."""
    one, other = (
        torch.cat([part[inside[:-1, :-1]] for part in gradients(x)]) for x in (picture, naive)
    )
    return float((one * other).sum() / (one.norm() * other.norm()).clamp_min(1e-9))


def figures(example: ExampleSet, made: Tensor) -> dict[str, float]:
    """Of a result (1, C, H, W) at full size, see the first lines of this file."""
    inside = example.mask[0, 0] > 0.5
    rows, columns = box((example.mask > 0.5).float(), PATCH)
    sharp, all_ = sharpness(made, inside), torch.ones_like(inside)
    return {
        "of naive": sharp / sharpness(example.naive, inside),
        "of image": sharp / sharpness(example.image, all_),
        "edges": edges_kept(made, example.naive, inside),
        "SWD": float(sliced_wasserstein(unit(example.image), unit(made)[..., rows, columns])),
    }


def trained(
    example: ExampleSet, recipe: str, settings: Mapping[str, Any], runs: Path
) -> TrainedModel:
    """The finished run of a set and recipe, made if it is not there."""
    method, preset = method_of(recipe)
    folder = folder_of(example, recipe, runs)
    for manifest in sorted(folder.glob("*/*/manifest.json")):
        if json.loads(manifest.read_text("utf-8"))["status"] == "finished":
            return consingan.load(manifest.parent, device="cpu")
    own = {"niter"} if method == "patches" else set()
    rest = {name: value for name, value in settings.items() if name not in own}
    clock = CpuClock(folder / CLOCK)
    return consingan.train(
        example.file, output_dir=folder, device="cpu", method=method, train_mode=example.task,
        callback=lambda record: clock.observe(record, None), **{**preset, **rest},
    )  # fmt: skip


def method_of(recipe: str) -> tuple[str, dict[str, Any]]:
    """A recipe's method, and its preset or settings."""
    if recipe in RECIPES:
        return "consingan", dict(RECIPES[recipe])
    method, _, preset = recipe.partition(" ")
    return method, {"preset": preset} if preset else {}


def folder_of(example: ExampleSet, recipe: str, runs: Path) -> Path:
    """Of the trainings of a set and recipe."""
    return runs / f"{example.name}-{recipe.replace(' ', '_')}"


def measured(
    example: ExampleSet, model: TrainedModel
) -> Iterator[tuple[str, dict[str, float], Tensor]]:
    """Every kind of detail with its figures and the result."""
    for kind in KINDS:
        begun = time.process_time()
        made = compose(model.model, example.naive, example.mask, CompositeRequest(detail=kind))
        seconds = time.process_time() - begun
        picture = made.full_blended
        yield kind, {**figures(example, picture), "CPU s": seconds}, picture


def averages(records: Sequence[Row]) -> list[Row]:
    """A row for each task, recipe and kind of detail: means over the sets."""

    def key(record: Row) -> tuple[str, str, str]:
        return record["task"], record["recipe"], record["detail"]

    rows = []
    first = sorted(
        records, key=lambda r: (r["task"], r["recipe"], (*KINDS, "naive").index(r["detail"]))
    )
    for (task, recipe, kind), found in itertools.groupby(first, key):
        some = list(found)
        means: Row = {name: statistics.mean(r[name] for r in some) for name in FIGURES}
        spent = [r["training"] for r in some if r.get("training")]
        means["training"] = statistics.mean(spent) if spent else None
        rows.append({"task": task, "recipe": recipe, "detail": kind, "sets": len(some), **means})
    return rows


def naive_record(example: ExampleSet) -> Row:
    """The same figures of what went in."""
    about = {"task": example.task, "set": example.name, "recipe": "-", "detail": "naive"}
    return {**about, **figures(example, example.naive), "CPU s": 0.0, "training": None}


def stored(path: Path) -> list[Row]:
    """What was found before, by set."""
    kept = json.loads(path.read_text("utf-8"))["By set"] if path.is_file() else []
    return [record | {"training": record.get("training")} for record in kept]


def put(records: list[Row], record: Row) -> None:
    """Add a record in place of an earlier one of the same."""
    names = ("set", "recipe", "detail")
    records[:] = [r for r in records if any(r[n] != record[n] for n in names)]
    records.append(record)


def sheet(example: ExampleSet, made: Mapping[str, Tensor]) -> Any:
    """The changed part of the naive image and of all results, labelled."""
    soft = masks.soften(example.mask, 20)
    rows, columns = box(soft, PATCH)
    pictures = {"naive": example.naive, **made}
    return labelled([p[..., rows, columns] for p in pictures.values()], list(pictures), 3)


@click.command()
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Of all results.")
@click.option("--recipes", default="consingan draft,patches", show_default=True, metavar="A,B,...")
@click.option("--max_size", type=click.IntRange(16), default=100, show_default=True)
@click.option("--niter", type=click.IntRange(1), help="Iterations of a stage; else the preset's.")
@click.option("--set", "wanted", multiple=True, help="Only these sets; repeatable.")
def main(
    output: Path, recipes: str, max_size: int, niter: int | None, wanted: tuple[str, ...]
) -> None:
    """Train what is missing, work on every naive image, and write the tables."""
    torch.set_num_threads(1)
    output.mkdir(parents=True, exist_ok=True)
    (output / ".gitignore").write_text(IGNORED, "utf-8")
    settings: dict[str, Any] = {"max_size": max_size}
    if niter is not None:
        settings["niter"] = niter
    about = machine("cpu") | settings
    records = stored(output / "compositing.json")
    for example in example_sets():
        if wanted and example.name not in wanted:
            continue
        put(records, naive_record(example))
        for recipe in (name.strip() for name in recipes.split(",")):
            model = trained(example, recipe, settings, output / "runs")
            made: dict[str, Tensor] = {}
            spent = cpu_seconds(folder_of(example, recipe, output / "runs") / CLOCK) or None
            for kind, found, picture in measured(example, model):
                about_it = {"task": example.task, "set": example.name, "recipe": recipe}
                found["training"] = spent
                put(records, {**about_it, "detail": kind, **found})
                made[kind] = picture
            name = f"sheet_{example.name}_{recipe.replace(' ', '_')}.png"
            write_image(output / name, sheet(example, made))
            tables = {"On average": averages(records), "By set": records}
            write_results(output / "compositing", TITLE, about, tables)
            click.echo(f"{example.name}, {recipe}: done")
    click.echo((output / "compositing.md").read_text("utf-8"))


if __name__ == "__main__":
    main()
