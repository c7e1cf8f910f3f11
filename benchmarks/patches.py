"""What `--method patches` takes and gives, as one page: benchmarks/results/patches.md.

python -m benchmarks.patches speed
python -m benchmarks.patches gpu                  # by the clock; needs CUDA
python -m benchmarks.patches fidelity FOLDER      # fast against exact at equal seeds
python -m benchmarks.patches quality FOLDER PAPER # beside other methods' samples
python -m benchmarks.patches balance FOLDER
python -m benchmarks.patches retarget FOLDER      # twice as wide, the layout loosened or not
python -m benchmarks.patches tiles
python -m benchmarks.patches holes

FOLDER holds pictures; PAPER holds <picture>_<method>.jpg, one sample each. Every part is kept in
patches.json and leaves the others as they are. Times are CPU seconds of this process.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor

from benchmarks.tables import RESULTS, machine, markdown_table
from consingan.images.io import read_image, unit
from consingan.images.resize import resize, resize_to, training_scale
from consingan.machine.files import make_folder, read_json, write_json, write_text
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.model import PatchDiffusion
from consingan.metrics.bidirectional import bidirectional_from
from consingan.metrics.diversity import diversity
from consingan.metrics.novelty import neighbor_field, novelty_from
from consingan.metrics.patches import match_scales
from consingan.metrics.reconstruction import reconstruction_quality
from consingan.metrics.swd import sliced_wasserstein

Row = dict[str, Any]
OUTPUT = RESULTS / "patches"
TITLES = {
    "speed": "Speed and memory",
    "gpu": "Speed and memory on a GPU, by the clock",
    "fidelity": "fast against exact, at equal seeds (ratios)",
    "quality": "Quality beside other methods",
    "balance": "As published, with 10 steps of balance, with 2 of transport, too, and with rows",
    "retarget": "Twice as wide, the layout loosened or not: means over the pictures",
    "tiles": "Tiles: seam error",
    "holes": "Holes: inside them, against the truth",
}
SHARES: dict[str, dict[str, Any]] = {
    "published": {"balance": 0, "sw_steps": 0, "rows": 0.0},
    "balance": {"balance": 10, "sw_steps": 0, "rows": 0.0},
    "transport": {"balance": 10, "sw_steps": 2, "rows": 0.0},
    "rows": {"balance": 10, "sw_steps": 2, "rows": 1.0},
}
"""What gives the contents of a picture their shares of a sample; the last is the default."""
TEXTURES = ("skimage:brick", "skimage:grass", "skimage:gravel", "skimage:hubble_deep_field")
SPOTS = {
    "skimage:coffee": ((0.5, 0.8), (0.2, 0.15)),
    "skimage:chelsea": ((0.8, 0.15), (0.25, 0.8)),
    "skimage:astronaut": ((0.8, 0.8), (0.3, 0.85)),
}
"""Middle of the smaller and of the larger hole, (down, right) as shares of the picture."""
SIDES = (30, 50)


def picture(name: str | Path, px: int) -> Tensor:
    """A picture with its longer side at most `px`, (1, 3, H, W) in [-1, 1]."""
    image = read_image(name)
    scale = training_scale((image.shape[-2], image.shape[-1]), px)
    return resize(image, scale).clamp(-1, 1) if scale < 1 else image


def model_of(image: Tensor, engine: str = "auto", **settings: Any) -> PatchDiffusion:
    return PatchDiffusion(PatchesConfig(**settings), image, engine)


def samples(model: PatchDiffusion, count: int, seed: int = 0) -> Tensor:
    return torch.cat([model.sample([i], None, seed) for i in range(count)])


def figures(real: Tensor, made: Tensor) -> dict[str, float]:
    """Means over the samples, all of one size."""
    real, made = unit(real), unit(made)
    matches = [match_scales(real, one) for one in made.split(1)]  # shared: they take the longest
    both = bidirectional_from(matches)
    seen = novelty_from([neighbor_field(scales[0]) for scales in matches])
    found = {
        "SWD": sliced_wasserstein(real, made).mean(),
        "coherence": both.coherence.mean(),
        "completeness": both.completeness.mean(),
        "copied": seen.copied.mean(),
    }
    if len(made) > 1:
        found["diversity"] = diversity(real, made)
    return {name: float(value) for name, value in found.items()}


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def keep(part: str, rows: Sequence[Row], device: str = "cpu") -> None:
    """Put one part into patches.json and write the page anew."""
    make_folder(RESULTS)
    path = OUTPUT.with_suffix(".json")
    kept = read_json(path) if path.is_file() else {}
    kept[part] = {"machine": machine(device), "rows": list(rows)}
    write_json(path, kept)
    lines = ["# Training-free patch diffusion (`--method patches`)", ""]
    for name, title in TITLES.items():
        if name in kept:
            described = ", ".join(f"{k} {v}" for k, v in kept[name]["machine"].items())
            lines += [f"## {title}", "", described, "", markdown_table(kept[name]["rows"]), ""]
    write_text(OUTPUT.with_suffix(".md"), "\n".join(lines))
    click.echo(markdown_table(rows))


@click.group()
def main() -> None:
    """Measure training-free patch diffusion."""
    torch.set_grad_enabled(False)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@main.command("one", hidden=True)
@click.argument("width", type=int)
@click.argument("height", type=int)
@click.argument("engine")
def one(width: int, height: int, engine: str) -> None:
    """One size in a process of its own, so that its peak is its own."""
    image = resize_to(read_image("skimage:coffee"), (height, width)).clamp(-1, 1)
    before = _peak_mib()
    model = model_of(image, engine)
    first, _ = seconds(lambda: model.sample([0], None, 0))
    count = 3 if width * height < 10**6 else 0
    each = [seconds(lambda i=i: model.sample([i], None, 0))[0] for i in range(1, count + 1)]  # type: ignore[misc]
    a_sample = statistics.median(each) if each else first
    print(a_sample, first - a_sample if each else 0.0, _peak_mib() - before)


@main.command()
def speed() -> None:
    """CPU seconds and peak memory of one sample, for several sizes."""
    rows = []
    for width, height in ((250, 188), (500, 375), (1000, 667), (2400, 1700)):
        command = [sys.executable, "-m", "benchmarks.patches", "one", str(width), str(height)]
        found = subprocess.run([*command, "fast"], capture_output=True, text=True, check=True)
        each, setup, peak = (float(word) for word in found.stdout.split())
        row: Row = {"size": f"{width}x{height}", "engine": "fast", "CPU s a sample": each}
        rows.append(
            row | {"set-up, CPU s": setup or "in it", "peak MiB beside the program": round(peak)}
        )
        keep("speed", rows)


@main.command()
def gpu() -> None:
    """Seconds of set-up with the first sample, and of later ones; peak memory on the card."""
    if not torch.cuda.is_available():
        raise click.ClickException("There is no CUDA here; `speed` measures the processor.")
    rows: list[Row] = []
    for width, height in ((250, 188), (500, 375), (1000, 667), (1224, 816), (2400, 1700)):
        image = resize_to(read_image("skimage:coffee"), (height, width)).clamp(-1, 1)
        model = model_of(image.cuda())
        torch.cuda.reset_peak_memory_stats()
        first, *each = (_by_the_clock(partial(model.sample, [i], None, 0)) for i in range(4))
        row: Row = {"size": f"{width}x{height}", "engine": model.chosen_engine((height, width))}
        row |= {"s a sample": statistics.median(each), "s with set-up": first}
        rows.append(row | {"peak MiB": round(torch.cuda.max_memory_allocated() / 2**20)})
        keep("gpu", rows, "cuda")


def _by_the_clock(work: Callable[[], Any]) -> float:
    torch.cuda.synchronize()
    begun = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - begun


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--px", default=128, show_default=True)
@click.option("--count", default=4, show_default=True)
@click.option("--pictures", default=4, show_default=True)
def fidelity(folder: Path, px: int, count: int, pictures: int) -> None:
    """Ratios of fast to exact."""
    rows: list[Row] = []
    for path in sorted(folder.iterdir())[:pictures]:
        real = picture(path, px)
        took: Row = {"picture": path.stem}
        found = {}
        for engine in ("exact", "fast"):
            model = model_of(real, engine)
            spent, made = seconds(partial(samples, model, count))
            took[f"{engine}, CPU s a sample"] = spent / count
            found[engine] = figures(real, made)
        ratios = {name: found["fast"][name] / found["exact"][name]
                  for name in ("SWD", "coherence", "completeness", "diversity")}  # fmt: skip
        rows.append(took | ratios)
        keep("fidelity", [*rows, _mean(rows)])


def _mean(rows: Sequence[Row]) -> Row:
    """The row of means over all rows' numbers."""
    first = next(iter(rows[0]))
    means = {name: statistics.mean(row[name] for row in rows)
             for name, value in rows[0].items() if isinstance(value, float)}  # fmt: skip
    return {name: "**mean**" if name == first else means.get(name, "") for name in rows[0]}


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("paper", type=click.Path(path_type=Path))
@click.option("--count", default=5, show_default=True)
def quality(folder: Path, paper: Path, count: int) -> None:
    """One line for each picture and method, means below."""
    by_method: dict[str, list[Row]] = {}
    for path in sorted(folder.iterdir()):
        real = read_image(path)
        sets = {"patches": samples(model_of(real, "fast", max_size=4096), count)}
        for sample in sorted(paper.glob(f"{path.stem}_*")):
            sets[f"{sample.stem.removeprefix(path.stem + '_')}, paper"] = read_image(sample)
        for method, made in sets.items():
            row = {"method": method, "picture": path.stem, **figures(real, made)}
            row.setdefault("diversity", None)
            by_method.setdefault(method, []).append(row)
        rows = [row for rows in by_method.values() for row in rows]
        keep("quality", rows + [_mean_of_method(name, r) for name, r in by_method.items()])


def _mean_of_method(method: str, rows: Sequence[Row]) -> Row:
    return _mean(rows) | {"method": f"**{method}**", "picture": "**mean**"}


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--px", default=250, show_default=True)
@click.option("--count", default=4, show_default=True)
@click.option("--seeds", default=3, show_default=True)
def balance(folder: Path, px: int, count: int, seeds: int) -> None:
    """The same pictures and seeds with and without balance, transport, rows: means over seeds."""
    rows: list[Row] = []
    for path in sorted(folder.iterdir()):
        real = picture(path, px)
        line: Row = {"picture": path.stem}
        for name, shares in SHARES.items():
            model = model_of(real, "fast", **shares)
            spent, made = seconds(lambda m=model: [samples(m, count, s) for s in range(seeds)])  # type: ignore[misc]
            each = [figures(real, some) for some in made]
            for metric in ("SWD", "coherence", "completeness", "diversity"):
                line[f"{metric}, {name}"] = statistics.mean(f[metric] for f in each)
            line[f"CPU s, {name}"] = spent / count / seeds
        rows.append({"picture": path.stem} | {k: line[k] for k in sorted(line) if k != "picture"})
        keep("balance", [*rows, _mean(rows)])


LOOSENED = (
    (0.0, "published"),
    *((loosen, name) for loosen in (0.3, 0.5, 0.7) for name in tuple(SHARES)[:3]),
)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--px", default=160, show_default=True)
@click.option("--count", default=2, show_default=True)
def retarget(folder: Path, px: int, count: int) -> None:
    """Twice as wide: what loosening the layout costs and gives, with and without shares."""
    pictures = [picture(path, px) for path in sorted(folder.iterdir())]
    rows: list[Row] = []
    for loosen, name in LOOSENED:
        found: list[Row] = []
        for real in pictures:
            model = model_of(real, "fast", train_mode="retarget", loosen=loosen, **SHARES[name])
            wide = real.shape[-2], 2 * real.shape[-1]
            made = torch.cat([model.sample([i], wide) for i in range(count)])
            found.append(figures(real, made) | {"layout": likeness(made, real)})
        row: Row = {"--loosen": loosen, "shares": name}
        names = ("layout", "SWD", "coherence", "completeness", "copied")
        rows.append(row | {name: statistics.mean(f[name] for f in found) for name in names})
        keep("retarget", rows)


def likeness(made: Tensor, real: Tensor) -> float:
    """Correlation with the stretched picture, both at 24 x 12 px: whether all is where it was."""
    small = [resize_to(some, (12, 24)).mean(0).flatten() for some in (made, real)]
    return float(torch.corrcoef(torch.stack(small))[0, 1])


@main.command()
@click.option("--px", default=200, show_default=True)
@click.option("--count", default=4, show_default=True)
def tiles(px: int, count: int) -> None:
    """Difference across the wrap over the mean difference of neighbors inside."""
    from consingan.outputs.tiles import seam_error

    rows = []
    for name in TEXTURES:
        real = picture(name, px)
        made = samples(model_of(real, "fast", tile="both"), count)
        errors = [seam_error(x) for x in made]
        rows.append({
            "texture": name.removeprefix("skimage:"),
            "the picture itself": statistics.mean(seam_error(real[0])),
            "tile, mean": statistics.mean(e for pair in errors for e in pair),
            "tile, top and bottom": statistics.mean(e[0] for e in errors),
            "tile, left and right": statistics.mean(e[1] for e in errors),
        })  # fmt: skip
        keep("tiles", rows)


@main.command()
@click.option("--px", default=250, show_default=True)
@click.option("--seeds", default=3, show_default=True)
@click.option("--shown", type=click.Path(path_type=Path), help="Folder for pictures to look at.")
def holes(px: int, seeds: int, shown: Path | None) -> None:
    """Six held holes against scikit-image's biharmonic fill."""
    from skimage.restoration import inpaint_biharmonic

    from consingan.images.io import write_image

    rows: list[Row] = []
    for name, spots in SPOTS.items():
        real = picture(name, px)
        model = model_of(real, train_mode="inpainting", patch=9)
        for side, spot in zip(SIDES, spots, strict=True):
            mask = _square(real, side, spot)
            known = torch.where(mask > 0, torch.zeros(()), real)
            flat = unit(known)[0].permute(1, 2, 0).numpy()
            smooth = inpaint_biharmonic(flat, mask[0, 0].numpy() > 0, channel_axis=-1)
            ways = {"biharmonic": [torch.from_numpy(smooth).permute(2, 0, 1)[None].float() * 2 - 1],
                    "patches": [model.fill(known, mask, s) for s in range(seeds)]}  # fmt: skip
            row: Row = {"picture": name.removeprefix("skimage:"), "hole": f"{side}x{side}"}
            for way, fills in ways.items():
                scores = [_inside(real, fill, mask) for fill in fills]
                row[f"SWD, {way}"], row[f"PSNR, {way}"] = (
                    statistics.mean(s[i] for s in scores) for i in (0, 1)
                )
                for n, fill in enumerate(fills if shown else []):
                    file = f"{row['picture']}_{side}_{way}_{n}.png"
                    write_image(make_folder(Path(str(shown))) / file, fill)
            rows.append(row)
            keep("holes", [*rows, _mean(rows)])


def _square(real: Tensor, side: int, spot: tuple[float, float]) -> Tensor:
    """A mask (1, 1, H, W) with a square hole around a spot."""
    mask = torch.zeros_like(real[:, :1])
    top, left = (
        min(max(0, round(share * n - side / 2)), n - side)
        for share, n in zip(spot, real.shape[-2:], strict=True)
    )
    mask[..., top : top + side, left : left + side] = 1
    return mask


def _inside(real: Tensor, fill: Tensor, mask: Tensor) -> tuple[float, float]:
    """SWD and PSNR of the hole's rectangle, dB."""
    rows, columns = torch.where(mask[0, 0] > 0)
    box = (..., slice(int(rows.min()), int(rows.max()) + 1),
           slice(int(columns.min()), int(columns.max()) + 1))  # fmt: skip
    truth, made = unit(real)[box], unit(fill)[box]
    return float(sliced_wasserstein(truth, made)), reconstruction_quality(truth, made).psnr


if __name__ == "__main__":
    main()
