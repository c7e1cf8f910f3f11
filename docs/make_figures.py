"""Compose the README's pictures from trained runs.

The runs are made with the commands in the README; then, for example:

    python docs/make_figures.py --generation TrainedModels/ridges_at_sunset/... \
        --harmonization TrainedModels/starry_village/... \
        --naive_img Images/Harmonization/starry_village_naive.jpg
"""

from __future__ import annotations

from pathlib import Path

import click
import torch
from torch import Tensor

import consingan
from consingan.images import read_image, write_image
from consingan.masks import find_mask, read_mask
from consingan.pyramid import resize_to

FOLDER = Path(__file__).parent / "images"
WIDTH = 1200  # px of the finished pictures
GAP = 6  # px between pictures


def row(pictures: list[Tensor]) -> Tensor:
    """Pictures (1, 3, h, w) side by side at one height, together WIDTH px wide."""
    ratios = [p.shape[-1] / p.shape[-2] for p in pictures]
    height = round((WIDTH - GAP * (len(pictures) - 1)) / sum(ratios))
    scaled = [
        resize_to(p, (height, round(height * ratio))).clamp(-1, 1)
        for p, ratio in zip(pictures, ratios, strict=True)
    ]
    gap = torch.ones(1, 3, height, GAP)
    parts = [part for picture in scaled for part in (picture, gap)][:-1]
    joined = torch.cat(parts, 3)
    canvas = torch.ones(1, 3, height, WIDTH)
    width = min(WIDTH, joined.shape[-1])
    canvas[..., :width] = joined[..., :width]
    return canvas


def column(rows: list[Tensor]) -> Tensor:
    """Rows of one width under each other."""
    gap = torch.ones(1, 3, GAP, WIDTH)
    return torch.cat([part for r in rows for part in (r, gap)][:-1], 2)


@click.command()
@click.option("--generation", "generation_run", type=click.Path(path_type=Path), required=True)
@click.option("--harmonization", "harmonization_run", type=click.Path(path_type=Path))
@click.option("--naive_img", type=click.Path(path_type=Path))
@click.option("--seeds", default="1,2,5", help="Samples to show, by index of seed 0.")
def main(
    generation_run: Path, harmonization_run: Path | None, naive_img: Path | None, seeds: str
) -> None:
    """Write docs/images/teaser.jpg and, with a harmonization run, harmonization.jpg."""
    FOLDER.mkdir(exist_ok=True)
    model = consingan.load(generation_run)
    height, width = model.size
    samples = model.sample(16)
    chosen = [samples[int(i) : int(i) + 1] for i in seeds.split(",")]
    rows = [row([model.real, *chosen]), row([model.sample(1, (height, 4 * width), seed=3)])]
    if harmonization_run and naive_img:
        painter = consingan.load(harmonization_run)
        naive = read_image(naive_img)
        path = find_mask(naive_img)
        mask = read_mask(path, (naive.shape[-2], naive.shape[-1])) if path else None
        result = painter.compose(naive, mask)
        rows.append(row([read_image(_without_naive(naive_img)), naive, result]))
        shown = [read_image(_without_naive(naive_img)), naive]
        if mask is not None:
            shown.append((mask * 2 - 1).expand(-1, 3, -1, -1))
        write_image(FOLDER / "harmonization.jpg", row([*shown, result]))
    write_image(FOLDER / "teaser.jpg", column(rows))


def _without_naive(path: Path) -> Path:
    """The training image beside a naive one."""
    return path.with_name(path.name.replace("_naive", ""))


if __name__ == "__main__":
    main()
