"""Whether pairs are learned or known by heart: the test with bent pairs, by method and kind of A.

python -m benchmarks.translation pairs --output benchmarks/results/translation_128px
python -m benchmarks.translation crops --output benchmarks/results/crops_64px

Of `pairs` each row is one training at 128 px on the centre square of a photograph, A made of it;
the test is that of every evaluation (`consingan.outputs.held_out`). Seconds are CPU seconds of the
process on one thread. Rows that are there already are not trained again. `crops` holds DCGAN's
samples to crops of the image.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import torch

import consingan
from benchmarks.tables import machine, write_results
from consingan.images.io import read_image, unit, write_image
from consingan.images.resize import resize, resize_to, training_scale
from consingan.methods.dcgan.crops import cut
from consingan.metrics.swd import pooled_distance
from consingan.outputs.held_out import held_out
from consingan.outputs.translation import bent_sheet

CROP, COUNT, SAMPLES = 64, 64, 8
PICTURES = ("chelsea", "coffee", "astronaut", "rocket")
HEAD = (
    "| method | picture | A | warps | iterations | L1 | SSIM | SWD | own L1 | own SSIM | weights "
    "| CPU s |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|\n"
)


@dataclass(frozen=True)
class Row:
    """One training."""

    method: str
    picture: str
    condition: str
    warps: bool
    niter: int

    @property
    def name(self) -> str:
        """Of its file."""
        warps = "warps" if self.warps else "no_warps"
        return f"{self.method}_{self.picture}_{self.condition.replace(':', '')}_{warps}"


def rows(pictures: tuple[str, ...]) -> Iterator[Row]:
    """Every training of the table."""
    for picture in pictures:
        for condition, niter in (("edges", 1000), ("colors:8", 800)):
            yield Row("pix2pix", picture, condition, True, niter)
            yield Row("pix2pix", picture, condition, False, niter)
            yield Row("patches", picture, condition, False, 0)
        yield Row("crn", picture, "colors:8", True, 400)


def square(picture: str, side: int) -> torch.Tensor:
    """The centre square of a photograph of scikit-image, (1, 3, side, side) in [-1, 1]."""
    image = read_image(f"skimage:{picture}")
    height, width = image.shape[-2:]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    cut = image[..., top : top + short, left : left + short]
    return resize_to(cut, (side, side)).clamp(-1, 1)


def trained(row: Row, side: int, folder: Path) -> dict[str, Any]:
    """Train one row and put it to the test."""
    begun = time.process_time()
    training = {"warps": row.warps, "niter": row.niter} if row.niter else {}
    made = consingan.train(
        square(row.picture, side), method=row.method, condition=row.condition, max_size=side,
        train_mode="translation", manual_seed=0, precision="float32", device="cpu", **training,
    )  # fmt: skip
    if not row.niter:  # nothing is trained: what a translation takes
        made.model.translate(made.model.condition)
    seconds = time.process_time() - begun
    test = held_out(made.model, made.real)
    write_image(folder / f"{row.name}.png", bent_sheet(test))
    weights = sum(p.numel() for p in made.model.network.parameters())
    return {**vars(row), "seconds": round(seconds, 1), "weights": weights, **test.to_json()}


def line(found: dict[str, Any]) -> str:
    """A row of the table."""
    bent, own = found["held_out"], found["training_pair"]
    cells = (
        found["method"], found["picture"], found["condition"], "yes" if found["warps"] else "no",
        found["niter"], f"{bent['l1']:.4f}", f"{bent['ssim']:.3f}", f"{bent['swd']:.2f}",
        f"{own['l1']:.4f}", f"{own['ssim']:.3f}", f"{found['weights']:,}",
        f"{found['seconds']:.0f}",
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |\n"


@click.group()
def main() -> None:
    """Measure translations, and DCGAN beside other methods."""
    torch.set_num_threads(1)


@main.command()
@click.option("--output", type=click.Path(path_type=Path), required=True)
@click.option("--picture", "pictures", multiple=True, default=PICTURES)
@click.option("--side", default=128, show_default=True)
def pairs(output: Path, pictures: tuple[str, ...], side: int) -> None:
    """Train what is missing and write the table."""
    output.mkdir(parents=True, exist_ok=True)
    for row in rows(pictures):
        file = output / f"{row.name}.json"
        if not file.is_file():
            found = trained(row, side, output)
            file.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
            click.echo(line(found), nl=False)
        done = [json.loads(path.read_text("utf-8")) for path in sorted(output.glob("*.json"))]
        (output / "translation.md").write_text(HEAD + "".join(map(line, done)), "utf-8")


@main.command()
@click.option("--output", type=click.Path(path_type=Path), required=True)
@click.option("--picture", default="skimage:brick", show_default=True)
@click.option("--niter", default=500, show_default=True, help="Iterations of DCGAN.")
@click.option("--stage_niter", default=100, show_default=True, help="Of a stage of ConSinGAN.")
@click.option("--side", default=128, show_default=True, help="Longer side of the image (px).")
def crops(output: Path, picture: str, niter: int, stage_niter: int, side: int) -> None:
    """DCGAN's samples, and crops of ConSinGAN's and of patches' samples, against real crops."""
    settings: dict[str, dict[str, Any]] = {
        "patches": {},
        "dcgan": {"niter": niter},
        "consingan": {"niter": stage_niter},
    }
    real, again = (cut_from(read(picture, side), COUNT, seed) for seed in (0, 1))
    found = [{"method": "two sets of crops", "SWD": pooled_distance(unit(real), unit(again))}]
    for method, own in settings.items():
        begun = time.process_time()
        trained_ = consingan.train(
            read(picture, side), method=method, max_size=side, precision="float32", device="cpu",
            **own,
        )  # fmt: skip
        seconds = time.process_time() - begun
        made = cut_from(trained_.sample(SAMPLES if method != "dcgan" else COUNT), COUNT, 2)
        distance = pooled_distance(unit(real), unit(made))
        spoken = ", ".join(f"{name} {value}" for name, value in own.items())
        found.append({"method": method, "SWD": distance, "settings": spoken, "CPU s": seconds})
        click.echo(found[-1])
    described = {**machine("cpu"), "picture": picture, "longer side": side}
    columns = ("method", "SWD", "settings", "CPU s")
    table = [{name: row.get(name) for name in columns} for row in found]
    write_results(output, "64 px crops: patches against those of real crops", described,
                  {f"{COUNT} crops of each": table})  # fmt: skip


def read(picture: str, side: int) -> torch.Tensor:
    """A picture with its longer side at `side` px, (1, 3, h, w) in [-1, 1]."""
    image = read_image(picture)
    scale = training_scale((image.shape[-2], image.shape[-1]), side)
    return resize(image, scale).clamp(-1, 1)


def cut_from(pictures: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """Random crops of 64 px of pictures, as many of each, (count, 3, 64, 64)."""
    rng = torch.Generator().manual_seed(seed)
    share = count // len(pictures)
    return torch.cat([cut(one, CROP, share, rng, flips=True) for one in pictures.split(1)])


if __name__ == "__main__":
    main()
