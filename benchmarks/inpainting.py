"""Ways of filling holes, held to the truth on eight photographs.

python -m benchmarks.inpainting FOLDER --output benchmarks/results/inpainting_128px

FOLDER has places_3.jpg and lsun_12.jpg, one photograph of Places and one of LSUN; the other six are
scikit-image's. Each is the centre square, brought to 128 px by Pillow's bicubic. Holes: `rectA`,
one square of A % of the area, its top at 0.55 n - side / 2, its left at 0.45 n - side / 2;
`strokesA`, discs of radius 4 n / 128 along random walks of RandomState(7), 25 steps each, wrapping
at the border, until A % is covered. Scores are those of `metrics.inside`. Seconds are CPU seconds
of one thread. What is there already is not made again. `sheet_<hole>.png` shows all pictures with
the hole, every way below, and the truth at last.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from PIL import Image
from skimage import data
from torch import Tensor

import consingan
from consingan.images.hole import emptied
from consingan.images.io import read_image, unit, write_image
from consingan.images.sheets import grid
from consingan.metrics.inside import inside, seam
from consingan.outputs.hidden_copies import UNTRAINED_WAYS

CARRIED = ("astronaut", "chelsea", "coffee", "rocket", "grass", "brick")
PICTURES = ("astronaut", "chelsea", "coffee", "rocket", "places_3", "lsun_12", "grass", "brick")
HOLES = ("rect10", "rect25", "strokes20")
SCORES = ("psnr", "ssim", "swd", "seam")
DIGITS = (2, 3, 1, 2, 1)  # of the scores and the seconds

Way = Callable[[Tensor, Tensor], Tensor]


def picture_of(name: str, folder: Path, side: int) -> Tensor:
    """(1, 3, side, side) in [-1, 1]."""
    pixels = getattr(data, name)() if name in CARRIED else None
    image = Image.open(folder / f"{name}.jpg") if pixels is None else Image.fromarray(pixels)
    image = image.convert("RGB")
    short = min(image.size)
    left, top = ((length - short) // 2 for length in image.size)
    cut = image.crop((left, top, left + short, top + short))
    small = np.asarray(cut.resize((side, side), Image.Resampling.BICUBIC))
    return torch.from_numpy(small.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


def hole_of(kind: str, n: int) -> Tensor:
    """(1, 1, n, n), 1 inside."""
    hole = np.zeros((n, n), np.float32)
    if kind.startswith("rect"):
        side = round(n * (int(kind[4:]) / 100) ** 0.5)
        top, left = int(0.55 * n - side / 2), int(0.45 * n - side / 2)
        hole[top : top + side, left : left + side] = 1
    else:
        hole = _strokes(int(kind[7:]) / 100, n)
    return torch.from_numpy(hole)[None, None]


def _strokes(share: float, n: int) -> Any:
    rng, hole, radius = np.random.RandomState(7), np.zeros((n, n), np.float32), 4 * n / 128
    rows, columns = np.mgrid[:n, :n]
    while hole.mean() < share:
        place, angle = rng.rand(2) * n, rng.rand() * 2 * np.pi
        for _ in range(25):
            angle += rng.randn() * 0.5
            place = (place + radius * np.array([np.sin(angle), np.cos(angle)])) % n
            apart = [np.minimum(d, n - d) for d in (abs(rows - place[0]), abs(columns - place[1]))]
            hole[apart[0] ** 2 + apart[1] ** 2 <= radius**2] = 1
            if hole.mean() >= share:
                break
    return hole


def trained(method: str, **settings: Any) -> Way:
    """A method's fill, trained around the hole."""

    def fill(image: Tensor, hole: Tensor) -> Tensor:
        with_mask = Path(settings["folder"]) / "mask.png"
        write_image(with_mask, (hole * 2 - 1).expand(-1, 3, -1, -1))
        own = {k: v for k, v in settings.items() if k != "folder"}
        model = consingan.train(
            image, method=method, train_mode="inpainting", mask=str(with_mask), device="cpu",
            precision="float32", max_size=image.shape[-1], **own,
        )  # fmt: skip
        made: Tensor = model.model.fill(image, hole, 0)
        return made

    return fill


def ways_of(folder: Path) -> Mapping[str, Way]:
    """Every way of the table."""
    presets = {f"partial_conv {p}": trained("partial_conv", preset=p, folder=folder)
               for p in ("draft", "small", "best")}  # fmt: skip
    adversarial = trained("consingan", preset="draft", folder=folder)
    return {**UNTRAINED_WAYS, **presets, "consingan": adversarial}


def measured(way: Way, image: Tensor, hole: Tensor) -> tuple[dict[str, float], Tensor]:
    """One fill and its scores."""
    begun = time.process_time()
    made = torch.where(hole > 0, way(emptied(image, hole), hole), image)
    seconds = time.process_time() - begun
    score = inside(unit(image), unit(made), hole)
    found = {**vars(score), "seam": seam(unit(made), hole), "seconds": seconds}
    return found, made


def table(output: Path) -> str:
    """Means over the pictures that are there, a row for each way."""
    head = "| way | hole | pictures | PSNR | SSIM | SWD | seam | CPU s |\n"
    head += "|---|---|---|---|---|---|---|---|\n"
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for file in sorted(output.glob("*.json")):
        record = json.loads(file.read_text("utf-8"))
        rows.setdefault((record["way"], record["hole"]), []).append(record)
    for (way, hole), found in sorted(rows.items(), key=lambda row: (row[0][1], row[0][0])):
        means = [np.mean([r[name] for r in found]) for name in (*SCORES, "seconds")]
        cells = [way, hole, len(found), *(f"{m:.{d}f}" for m, d in zip(means, DIGITS, strict=True))]
        head += "| " + " | ".join(map(str, cells)) + " |\n"
    return head


def by_picture(output: Path) -> str:
    """PSNR / SWD of every picture, a row for each way and hole."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for file in sorted(output.glob("*.json")):
        r = json.loads(file.read_text("utf-8"))
        row = found.setdefault((r["hole"], r["way"]), {})
        row[r["picture"]] = f"{r['psnr']:.2f} / {r['swd']:.1f}"
    lines = ["| way | hole | " + " | ".join(PICTURES) + " |", "|---" * (2 + len(PICTURES)) + "|"]
    for (hole, way), row in sorted(found.items()):
        lines.append("| " + " | ".join([way, hole, *(row.get(n, "") for n in PICTURES)]) + " |")
    return "\n".join(lines) + "\n"


def sheet(output: Path, folder: Path, hole: str, side: int) -> Tensor | None:
    """All pictures with the hole, filled by every way that has filled them all, and the truth."""
    truths = [picture_of(name, folder, side) for name in PICTURES]
    rows = [torch.where(hole_of(hole, side) > 0, 1.0, truth) for truth in truths]
    first = f"_{hole}_{PICTURES[0]}"
    ways = sorted(file.stem.removesuffix(first) for file in output.glob(f"*{first}.png"))
    for way in ways:
        files = [output / f"{way}_{hole}_{name}.png" for name in PICTURES]
        rows += [read_image(file) for file in files] if all(f.is_file() for f in files) else []
    return grid([*rows, *truths], len(PICTURES)) if len(rows) > len(truths) else None


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), required=True)
@click.option("--way", "wanted", multiple=True)
@click.option("--hole", "holes", multiple=True, default=HOLES)
@click.option("--picture", "pictures", multiple=True, default=PICTURES)
@click.option("--side", default=128)
def main(
    folder: Path, output: Path, wanted: tuple[str, ...], holes: tuple[str, ...],
    pictures: tuple[str, ...], side: int,
) -> None:  # fmt: skip
    """Fill what is missing in the table and write it."""
    torch.set_num_threads(1)
    output.mkdir(parents=True, exist_ok=True)
    ways = ways_of(output)
    if unknown := sorted(set(wanted) - set(ways)):
        raise click.BadParameter(f"{unknown[0]} is none of {', '.join(ways)}.")
    for name in wanted or ways:
        for hole in holes:
            for picture in pictures:
                stem = f"{name.replace(' ', '_')}_{hole}_{picture}"
                if (output / f"{stem}.json").is_file():
                    continue
                found, made = measured(
                    ways[name], picture_of(picture, folder, side), hole_of(hole, side)
                )
                write_image(output / f"{stem}.png", made)
                record = {"way": name, "hole": hole, "picture": picture, **found}
                (output / f"{stem}.json").write_text(json.dumps(record) + "\n", "utf-8")
                click.echo(f"{stem} {found}")
        page = f"{table(output)}\nPSNR / SWD:\n\n{by_picture(output)}"
        (output / "inpainting.md").write_text(page, "utf-8")
    for hole in holes:
        shown = sheet(output, folder, hole, side)
        if shown is not None:
            write_image(output / f"sheet_{hole}.png", shown)
    click.echo(table(output))


if __name__ == "__main__":
    main()
