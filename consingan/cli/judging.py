"""`consingan metrics`: judge any pictures, from whatever program."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from consingan.cli.command import CONTEXT, CarefulCommand
from consingan.cli.messages import guarded
from consingan.cli.options import output_file, say
from consingan.errors import UserError
from consingan.images.names import shown
from consingan.settings.config import LARGEST_SEED
from consingan.settings.reading import AUTO, BY_FLAG, FULL, Reading, of_deep, parse_range

if TYPE_CHECKING:  # at run time only when there is work: torch takes seconds to load
    from torch import Tensor

    from consingan.images.picture import Picture
    from consingan.images.raster import Pixels
    from consingan.metrics.judge import Judgement

OURS = 0.005  # of a picture's numbers; more of them beyond a range are no outliers of it


class Scale(NamedTuple):
    """What the real picture's numbers are.

    Attributes:
        kept: those that are black and white.
        floats: whether they are floating-point ones, which seldom share a unit with whole ones.
        bands: whether `kept` is of all bands, not of those that are taken as colors.
    """

    kept: str
    floats: bool
    bands: bool = False


@click.command("metrics", cls=CarefulCommand, context_settings=CONTEXT)
@click.argument("real", metavar="REAL")
@click.argument("samples", metavar="SAMPLE...", nargs=-1, required=True)
@click.option("--reconstruction", metavar="PICTURE", help="Also give its PSNR and SSIM.")
@click.option(
    "--inception_weights",
    metavar="PATH|URL",
    help="Also give SIFID, with these weights of Inception-v3 (torchvision's or pytorch-fid's).",
)
@click.option(
    "--range",
    "value_range",
    metavar="MIN,MAX|full|auto",
    default=AUTO,
    show_default=True,
    help="Values of REAL that are black and white, where it is deeper than 8 bit; as in training.",
)
@click.option(
    "--json",
    "json_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    callback=output_file,
    help="Also write all figures to this file.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, LARGEST_SEED),
    default=0,
    show_default=True,
    help="Of the random directions and draws.",
)
@guarded
def metrics_command(
    real: str,
    samples: tuple[str, ...],
    reconstruction: str | None,
    inception_weights: str | None,
    value_range: str,
    json_file: Path | None,
    seed: int,
) -> None:
    """Judge pictures against the one REAL picture.

    SAMPLE is a picture or a folder of pictures, from whatever program; sizes may differ. Numbers
    deeper than 8 bit mean what they do in REAL; in 16-bit files of this program 0 and 65535 are
    black and white. Opacity is a fourth channel where REAL has it and another picture, too; else
    all are laid over what REAL is laid over. All bands of TIFFs are judged where each picture has
    as many, else those that are taken as colors. Each metric is given with its mean, standard
    deviation and median over the samples and a bootstrap 95 % interval.
    """
    from consingan.machine.files import write_json

    picture = _read(real, Reading(of_deep(value_range), otherwise=BY_FLAG))
    scale = Scale(picture.value_range, _has_floats(real))
    found = _read_all(real, samples, scale)
    returned = (
        {} if reconstruction is None else {reconstruction: _read_beside(reconstruction, scale)}
    )
    every = [picture, *found.values(), *returned.values()]
    judged, *pictures = _alike(_with_bands(every, [*found, *returned], scale))
    back = pictures.pop() if returned else None
    judgement = _judge(judged, pictures, back, inception_weights, seed)
    click.echo(format_table(judgement))
    if json_file is not None:
        record = {"real": real, "samples": list(found), **judgement.to_dict()}
        write_json(json_file, record)


def _read_all(real: str, names: Sequence[str], scale: Scale) -> dict[str, Picture]:
    """All pictures by their names; of a folder those that can be read, the others are named.

    Args:
        real: name of the real picture.
        names: of pictures and folders.
        scale: of the real picture.
    """
    from consingan.images.folder import is_folder, look_into

    found: dict[str, Picture] = {}
    for name in names:
        if not is_folder(name):
            found[name] = _read_beside(name, scale)
            continue
        contents = look_into(Path(name))
        for note in contents.notes:
            say(f"Note: {note}")
        failed = 0
        for path in contents.pictures:
            try:
                found[str(path)] = _read_beside(str(path), scale)
            except UserError as error:
                failed += 1
                say(f"Note: left out: {error}")
        if failed:
            say(f"Note: {failed} of {len(contents.pictures)} pictures in {shown(name)} left out.")
    if not found:
        raise UserError(
            f"None of the pictures can be read; {shown(real)} has nothing to be judged."
        )
    return found


def _judge(
    real: Tensor,
    pictures: Sequence[Tensor],
    reconstruction: Tensor | None,
    inception_weights: str | None,
    seed: int,
) -> Judgement:
    from consingan.metrics.judge import judge
    from consingan.metrics.sifid import load_inception

    # First what can be wrong, then what takes a minute.
    inception = None if inception_weights is None else load_inception(inception_weights)
    return judge(real, pictures, reconstruction, inception, seed=seed, progress=_bar)


def _read_beside(name: str, scale: Scale) -> Picture:
    """Read a picture that is compared with the real one, which has `scale`."""
    from consingan.images.io import read_raster

    raster = read_raster(name)
    floats = raster.colors.dtype.kind == "f"
    if (raster.bits <= 8 and not floats) or floats != scale.floats:
        return _read(name, Reading())
    numbers = raster.bands if scale.bands and raster.bands is not None else raster.colors
    ours = raster.bits == 16 and _is_ours(name, numbers, scale.kept)
    return _read(name, Reading(FULL if ours else scale.kept))


def _has_floats(name: str) -> bool:
    from consingan.images.io import read_raster

    return read_raster(name).colors.dtype.kind == "f"


def _is_ours(name: str, numbers: Pixels, kept: str) -> bool:
    """Whether this program wrote a picture of 16 bit, in which 0 and 65535 are the range's ends.

    It lies in a run's folder; or numbers of it are too far out to be of the real picture's kind.
    """
    from consingan.runs.files import CONFIG
    from consingan.runs.manifest import MANIFEST

    if numbers.dtype.kind != "u":
        return False
    above = Path(name).absolute().parents
    if any((folder / MANIFEST).is_file() and (folder / CONFIG).is_file() for folder in above):
        return True
    if (ends := parse_range(kept)) is None:
        return False
    beyond = (ends[1] - ends[0]) / 2
    low, high = ends[0] - beyond, ends[1] + beyond
    return bool(((numbers < low) | (numbers > high)).mean() > OURS)


def _with_bands(
    pictures: Sequence[Picture], names: Sequence[str], scale: Scale
) -> Sequence[Picture]:
    """Pictures with all their bands where each has as many as the real one, else as they are.

    What there is to say of the pictures that are judged are warnings.

    Args:
        pictures: the real one first.
        names: of the others.
        scale: of the real one's colors, in which they were read.
    """
    counts = {0 if p.bands is None else p.bands.image.shape[1] for p in pictures}
    real = pictures[0].bands
    if real is not None and len(counts) == 1:
        scale = Scale(real.value_range, scale.floats, bands=True)
        others = (_read_beside(name, scale).bands for name in names)
        pictures = [real, *(other for other in others if other is not None)]
        say(f"Note: all {counts.pop()} bands are judged.")
    for note in (note for picture in pictures for note in picture.notes):
        if "transparent parts" not in note:  # what they are taken as, all pictures decide together
            warnings.warn(note.removesuffix("."), stacklevel=2)
    return pictures


def _alike(pictures: Sequence[Picture]) -> list[Tensor]:
    """(1, C, H, W) in [0, 1] of each, the real one first: with opacity, or over what it lies over.

    With it as a run is judged that learned it; opaque pictures are so from edge to edge.
    """
    from consingan.images.channels import trained
    from consingan.images.picture import over, with_alpha
    from consingan.settings.reading import RGBA

    real, *others = pictures
    if real.alpha is not None and any(other.alpha is not None for other in others):
        found = [trained(with_alpha(picture), RGBA) for picture in pictures]
    else:
        if any(picture.alpha is not None for picture in pictures):
            color = "white" if real.background > 0 else "black"
            say(f"Note: what is transparent is taken as {color}, in all pictures.")
        found = [over(picture, real.background).image for picture in pictures]
    return [(image + 1) / 2 for image in found]


def _read(name: str, reading: Reading) -> Picture:
    """Read a picture with a patch at least."""
    from consingan.images.io import read_picture
    from consingan.metrics.common import PATCH

    picture = read_picture(name, reading)
    height, width = picture.size
    if min(height, width) < PATCH:
        raise UserError(
            f"{shown(name)} is {width}x{height} px; metrics compare patches of {PATCH}x{PATCH} px, "
            "take a larger one."
        )
    return picture


def _bar(numbers: Sequence[int]) -> Iterable[int]:
    if not sys.stderr.isatty():
        yield from numbers
        return
    with click.progressbar(numbers, label="Judging samples", file=sys.stderr) as bar:
        yield from bar


def format_table(judgement: Judgement) -> str:
    """Lay out a judgement as lines of text."""
    from consingan.metrics.judge import METRICS

    head = ("metric", "mean", "std", "median", "95 % interval", "better", "")
    rows: list[tuple[str, ...]] = [head]
    for name, summary in judgement.metrics.items():
        metric = METRICS[name]
        interval = "-"
        if summary.low is not None and summary.high is not None:
            interval = f"{_number(summary.low)} .. {_number(summary.high)}"
        figures = (_number(x) for x in (summary.mean, summary.std, summary.median))
        rows.append((metric.title, *figures, interval, metric.better, metric.meaning))
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    lines.append(f"{judgement.count} sample" + "s" * (judgement.count != 1))
    if judgement.reconstruction is not None:
        quality = judgement.reconstruction
        lines.append(f"Reconstruction: PSNR {quality.psnr:.2f} dB, SSIM {quality.ssim:.4f}")
    return "\n".join([*lines, *judgement.notes])


def _number(value: float) -> str:
    """Four significant digits, in no more places than that needs."""
    return f"{value:.4g}"
