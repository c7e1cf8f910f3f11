"""Train what the documentation shows, and compose its pictures.

    python docs/make_figures.py [--runs FOLDER] [--only NAME]

Trains the runs of `RUNS` that are not yet in FOLDER (hours on a CPU), then writes
docs/images. The command can be given again: finished runs are loaded, cut-short ones trained anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

import consingan
from consingan.images.io import read_image
from consingan.images.mask_files import find_mask, read_mask
from consingan.images.resize import resize_to

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "Images"
FOLDER = ROOT / "docs" / "images"
WIDTH = 1200  # px of the finished pictures
GAP = 6  # px between pictures
AROUND = 25  # px shown around an object
LABEL = 26  # px of a line of text

QUICKER = {"max_size": 160, "preset": "fast"}
SMALLER = {"max_size": 96, "niter": 400}


@dataclass(frozen=True)
class Run:
    """One training: a picture of Images/ or of scikit-image, and settings of `consingan.train`."""

    picture: str
    settings: dict[str, Any]


RUNS = {
    "generation": Run("Generation/ridges_at_sunset.jpg", {"preset": "best"}),
    "retarget": Run("Generation/aurora.jpg", {"train_mode": "retarget", "preset": "best"}),
    "paper": Run("skimage:coffee", {"max_size": 96}),
    "fast": Run("skimage:coffee", {"max_size": 96, "preset": "fast"}),
    "animation": Run("Animation/campfire.jpg", {"train_mode": "animation", **QUICKER}),
    "harmonization": Run("Harmonization/starry_village.jpg", {"train_mode": "harmonization"}),
    "fine_tuning": Run(
        "Harmonization/starry_village.jpg",
        {
            "train_mode": "harmonization",
            "fine_tune": True,
            "naive_img": PICTURES / "Harmonization" / "starry_village_naive.jpg",
            "niter": 150,
        },
    ),
    "editing": Run("Editing/stones_on_sand.jpg", {"train_mode": "editing", **QUICKER}),
    "lr_scale_0.1": Run("Generation/alpine_lake.jpg", SMALLER),
    "lr_scale_0.5": Run("Generation/alpine_lake.jpg", {**SMALLER, "lr_scale": 0.5}),
    "train_stages_4": Run("Generation/alpine_lake.jpg", {**SMALLER, "train_stages": 4}),
    "train_stages_8": Run("Generation/alpine_lake.jpg", {**SMALLER, "train_stages": 8}),
}


FILLED = {
    "figure_before_wall": {"method": "patches"},
    "date_stamp": {"method": "partial_conv", "preset": "draft", "max_size": 160},
}


def model_of(name: str, runs: Path) -> consingan.TrainedModel:
    """The trained model of a row of `RUNS`."""
    for manifest in sorted((runs / name).rglob("manifest.json"), reverse=True):
        if json.loads(manifest.read_text("utf-8"))["status"] == "finished":
            return consingan.load(manifest.parent)
    run, more = RUNS[name], {}
    if run.settings.get("fine_tune"):
        more["base"] = model_of("harmonization", runs).folder
    click.echo(f"Training {name}: {run.picture}, {run.settings}")
    picture = run.picture if ":" in run.picture else PICTURES / run.picture
    return consingan.train(picture, output_dir=runs / name, manual_seed=1, **run.settings, **more)


def pixels(picture: Tensor) -> Image.Image:
    """(1, 3, h, w) in [-1, 1] -> Pillow's picture."""
    array = ((picture[0].clamp(-1, 1) + 1) * 127.5).round().byte()
    return Image.fromarray(np.ascontiguousarray(array.permute(1, 2, 0).numpy()))


def row(pictures: Sequence[Tensor], labels: Sequence[str] = ()) -> Image.Image:
    """Pictures side by side at one height, together WIDTH px wide, a label above each."""
    ratios = [p.shape[-1] / p.shape[-2] for p in pictures]
    height = round((WIDTH - GAP * (len(pictures) - 1)) / sum(ratios))
    top = LABEL if any(labels) else 0
    canvas = Image.new("RGB", (WIDTH, height + top), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(17)
    left = 0
    for k, (picture, ratio) in enumerate(zip(pictures, ratios, strict=True)):
        width = round(height * ratio)
        canvas.paste(pixels(resize_to(picture, (height, width))), (left, top))
        if k < len(labels):
            draw.text((left, 2), labels[k], fill="black", font=font)
        left += width + GAP
    return canvas


def column(rows: Sequence[Image.Image]) -> Image.Image:
    """Rows under each other."""
    canvas = Image.new("RGB", (WIDTH, sum(r.height + GAP for r in rows) - GAP), "white")
    top = 0
    for one in rows:
        canvas.paste(one, (0, top))
        top += one.height + GAP
    return canvas


def samples(model: consingan.TrainedModel, count: int, size: Any = None) -> list[Tensor]:
    """`count` random samples (1, 3, h, w)."""
    return list(model.sample(count, size, seed=5).split(1))


def generation(runs: Path) -> Image.Image:
    """The training image and samples of it; below, one four times as wide."""
    model = model_of("generation", runs)
    height, width = model.size
    wide = row(samples(model, 1, (height, 4 * width)), ["a sample of another size"])
    return column([variations(runs), wide])


def variations(runs: Path) -> Image.Image:
    """The training image and samples of it."""
    model = model_of("generation", runs)
    return row([model.real, *samples(model, 3)], ["training image", "random samples"])


def retarget(runs: Path) -> Image.Image:
    """The training image, a wider and a narrower sample."""
    model = model_of("retarget", runs)
    height, width = model.size
    shapes = [(height, 2 * width), (height, width // 2)]
    wide, narrow = (samples(model, 1, shape)[0] for shape in shapes)
    return row([model.real, wide, narrow], ["training image", "twice as wide", "half as wide"])


def animation(runs: Path) -> Image.Image:
    """The still and frames of a film."""
    model = model_of("animation", runs)
    frames = list(model.animate(frames=31, start_stage=1))
    return row([model.real, *frames[10::10]], ["training image", "frame 11", "21", "31"])


def _composite(name: str, runs: Path, own_size: bool = False) -> tuple[list[Tensor], list[str]]:
    """Pictures and labels; at the training size, where nothing but the model makes the result.

    With `own_size` as `evaluate_model.py` gives them: at the naive image's, as sharp as that is.
    """
    model = model_of(name, runs)
    path = PICTURES / RUNS[name].picture
    naive_path = path.with_stem(f"{path.stem}_naive")
    real, naive = read_image(path), read_image(naive_path)
    if not own_size:
        real, naive = model.real, resize_to(naive, model.size).clamp(-1, 1)
    found = find_mask(naive_path)
    assert found is not None, f"{naive_path} has a mask beside it"
    mask = read_mask(found, (naive.shape[-2], naive.shape[-1]))
    shown = (mask * 2 - 1).expand(-1, 3, -1, -1)
    labels = ["training image", "naive image", "mask", "result"]
    return [real, naive, shown, model.compose(naive, mask)], labels


def harmonization(runs: Path) -> Image.Image:
    """A painting, something pasted into it, the mask, the result."""
    return row(*_composite("harmonization", runs))


def fine_tuning(runs: Path) -> Image.Image:
    """The naive image, the result of the model, that of the model fine-tuned on it; close by."""
    (_, naive, mask, before), _ = _composite("harmonization", runs)
    after = model_of("fine_tuning", runs).compose(naive, (mask[:, :1] + 1) / 2)
    rows, columns = (torch.nonzero((mask[0, 0] > 0).any(dim)) for dim in (1, 0))
    top, left = (max(int(side.min()) - AROUND, 0) for side in (rows, columns))
    bottom, right = (int(side.max()) + AROUND for side in (rows, columns))
    shown = [p[..., top:bottom, left:right] for p in (naive, before, after)]
    return row(shown, ["naive image", "result", "fine-tuned, 150 iterations"])


def editing(runs: Path) -> Image.Image:
    """A photo, moved parts, the mask, the result."""
    return row(*_composite("editing", runs, own_size=True))


def inpainting(runs: Path) -> Image.Image:  # noqa: ARG001 - trained in a minute
    """What should not be there, and the picture without it: by patches, by a network."""
    shown = []
    for name, settings in FILLED.items():
        path = PICTURES / "Inpainting" / f"{name}.jpg"
        mask = path.with_name(f"{name}_mask.png")
        model = consingan.train(path, train_mode="inpainting", mask=mask, **settings)
        shown += [read_image(path), model.fill()]
    return row(shown, ["before", "filled", "before", "filled"])


def translation(runs: Path) -> Image.Image:  # noqa: ARG001 - nothing is trained
    """A layout with its picture, and what is made of another layout."""
    folder = PICTURES / "Translation"
    model = consingan.train(
        folder / "mountain_valley.jpg", method="patches", train_mode="translation",
        condition=folder / "mountain_valley_layout.png", manual_seed=0,
    )  # fmt: skip
    new = read_image(folder / "mountain_valley_new.png")
    shown = [model.model.condition, model.real, new, model.translate(new)[:1]]
    return row(shown, ["A", "B, its picture", "a new A", "made of it, in a second"])


def in_seconds(runs: Path) -> Image.Image:  # noqa: ARG001 - nothing is trained
    """Pictures and variations of them without training; below, one of another shape."""
    model = consingan.train(PICTURES / "Generation" / "alpine_lake.jpg", method="patches")
    wall = consingan.train(PICTURES / "Generation" / "stone_wall.jpg", method="patches")
    height, width = wall.size
    wide = samples(wall, 1, (height, round(2.4 * width)))
    return column(
        [
            row([model.real, *samples(model, 3)], ["picture", "variations, a second each"]),
            row([wall.real, *wide], ["picture", "another shape"]),
        ]
    )


def finish(runs: Path) -> Image.Image:
    """One picture by the published method, by patches alone, a layout, and that finished."""
    paper, fast = model_of("paper", runs), model_of("fast", runs)
    alone = consingan.train(RUNS["fast"].picture, method="patches", max_size=96)
    raw = fast.sample(3, seed=5, finish=0).split(1)
    return column(
        [
            row([paper.real, *samples(paper, 3)], ["training image", "as published"]),
            row([paper.real, *samples(alone, 3)], ["", "patches alone, nothing trained"]),
            row([paper.real, *raw], ["", "what --preset fast trains, the layout"]),
            row([paper.real, *samples(fast, 3)], ["", "--preset fast"]),
        ]
    )


def lr_scale(runs: Path) -> Image.Image:
    """One picture trained with two learning-rate scales."""
    return _effect(runs, {"--lr_scale 0.1": "lr_scale_0.1", "--lr_scale 0.5": "lr_scale_0.5"})


def train_stages(runs: Path) -> Image.Image:
    """One picture trained in 4, 6 and 8 stages."""
    return _effect(
        runs,
        {
            "--train_stages 4": "train_stages_4",
            "--train_stages 6": "lr_scale_0.1",
            "--train_stages 8": "train_stages_8",
        },
    )


def _effect(runs: Path, names: dict[str, str]) -> Image.Image:
    rows = []
    for label, name in names.items():
        model = model_of(name, runs)
        rows.append(row([model.real, *samples(model, 4)], ["training image", label]))
    return column(rows)


def teaser(runs: Path) -> Image.Image:
    """Samples, another shape, frames of a film, a harmonization."""
    harmonized, labels = _composite("harmonization", runs)
    without_mask = [0, 1, 3]
    last = row([harmonized[k] for k in without_mask], [labels[k] for k in without_mask])
    return column([variations(runs), retarget(runs), animation(runs), last])


FIGURES: dict[str, Callable[[Path], Image.Image]] = {
    "mode_generation": generation,
    "mode_retarget": retarget,
    "mode_animation": animation,
    "mode_harmonization": harmonization,
    "mode_editing": editing,
    "mode_inpainting": inpainting,
    "mode_translation": translation,
    "in_seconds": in_seconds,
    "fine_tuning": fine_tuning,
    "finish": finish,
    "effect_lr_scale": lr_scale,
    "effect_train_stages": train_stages,
    "teaser": teaser,
}


@click.command()
@click.option("--runs", type=click.Path(path_type=Path), default=ROOT / "TrainedModels" / "docs")
@click.option("--only", type=click.Choice(tuple(FIGURES)), multiple=True, help="These pictures.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads.")
def main(runs: Path, only: tuple[str, ...], threads: int | None) -> None:
    """Write docs/images."""
    if threads:
        torch.set_num_threads(threads)
    FOLDER.mkdir(exist_ok=True)
    for name in only or FIGURES:
        path = FOLDER / f"{name}.jpg"
        FIGURES[name](runs).save(path, quality=88, optimize=True)
        click.echo(path)


if __name__ == "__main__":
    main()
