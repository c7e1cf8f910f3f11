"""Enlarging photographs whose larger version is known: SinGAN's super-resolution beside bicubic.

python -m benchmarks.super_resolution [PICTURE...] --niter 2000

Each picture is reduced to `--size` px (the truth) and that to 1 / `--factor` of it, which is all
that a training sees. PSNR rewards a blur. What punishes it, at full size: completeness (how far
the truth's patches are from the result's) and sharpness (gradients beside the truth's, 1 is right).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

import consingan
from benchmarks.tables import RESULTS, machine, write_results
from consingan.images.io import read_image, unit, write_image
from consingan.images.resize import resize, resize_to, training_scale
from consingan.machine.files import make_folder
from consingan.metrics.patches import match
from consingan.metrics.reconstruction import reconstruction_quality

PICTURES = ("skimage:chelsea", "skimage:coffee")


@click.command()
@click.argument("pictures", nargs=-1)
@click.option("--size", default=256, show_default=True, help="Longer side of the truth in px.")
@click.option("--factor", default=4, show_default=True, help="How many times as large.")
@click.option("--niter", default=2000, show_default=True, help="Iterations of a scale.")
@click.option("--seed", default=0, show_default=True)
@click.option("--pictures_to", type=click.Path(path_type=Path), help="Folder of the pictures.")
@click.option("--output", type=click.Path(path_type=Path), default=RESULTS / "super_resolution",
              show_default=False, help="Path of the tables, no ending.")  # fmt: skip
def main(
    pictures: tuple[str, ...], size: int, factor: int, niter: int, seed: int,
    pictures_to: Path | None, output: Path,
) -> None:  # fmt: skip
    """Train on each picture, print its rows and write the table."""
    rows: list[dict[str, Any]] = []
    for name in pictures or PICTURES:
        truth = cut_to_multiple(read_at(name, size), factor)
        small = resize_to(truth, (truth.shape[-2] // factor, truth.shape[-1] // factor))
        made, seconds = enlarged(small, truth, factor, niter, seed)
        for way, picture in made.items():
            rows.append({"picture": name, "way": way, **figures(truth, picture)})
            rows[-1]["CPU minutes"] = round(seconds / 60, 1) if way == "SinGAN" else None
            click.echo(rows[-1])
        if pictures_to:
            sheet = torch.cat([truth, *made.values()], dim=-1)
            write_image(make_folder(pictures_to) / f"{name.split(':')[-1]}.png", sheet)
    described = machine("cpu") | {"iterations of a scale": niter, "seed": seed}
    write_results(output, f"Super-resolution, {factor} times", described, {"": rows})


def read_at(name: str, size: int) -> Tensor:
    """The picture with `size` px as its longer side, (1, 3, h, w) in [-1, 1]."""
    image = read_image(name)
    return resize(image, training_scale((image.shape[-2], image.shape[-1]), size)).clamp(-1, 1)


def cut_to_multiple(image: Tensor, factor: int) -> Tensor:
    """Without the last rows and columns that do not fill a pixel of the small picture."""
    height, width = (n - n % factor for n in image.shape[-2:])
    return image[..., :height, :width]


def enlarged(
    small: Tensor, truth: Tensor, factor: int, niter: int, seed: int
) -> tuple[dict[str, Tensor], float]:
    """Both ways' results at the truth's size, and the CPU seconds of the training."""
    begun = time.process_time()
    model = consingan.train(
        small.clamp(-1, 1), method="singan", train_mode="super_resolution", niter=niter,
        sr_factor=factor, max_size=max(small.shape[-2:]), manual_seed=seed,
    )  # fmt: skip
    seconds = time.process_time() - begun
    size = (truth.shape[-2], truth.shape[-1])
    bicubic = resize_to(small, size).clamp(-1, 1)
    return {"bicubic": bicubic, "SinGAN": resize_to(model.enlarge(seed), size)}, seconds


def figures(truth: Tensor, picture: Tensor) -> dict[str, float]:
    """PSNR in dB and SSIM to the truth; patches and gradients compared with the truth's."""
    quality = reconstruction_quality(unit(truth), unit(picture))
    found = match(unit(truth), unit(picture))
    return {
        "PSNR": round(quality.psnr, 2),
        "SSIM": round(quality.ssim, 3),
        "coherence": round(1000 * float(found.to_real.mean()), 1),
        "completeness": round(1000 * float(found.to_sample.mean()), 1),
        "sharpness": round(steepness(picture) / steepness(truth), 3),
    }


def steepness(picture: Tensor) -> float:
    """Mean absolute difference of neighboring pixels."""
    return float(picture.diff(dim=-1).abs().mean() + picture.diff(dim=-2).abs().mean())


if __name__ == "__main__":
    main()
