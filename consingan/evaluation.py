"""What `evaluate_model.py` leaves in a run's `Evaluation/` folder."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from consingan import sampling
from consingan.errors import UserError
from consingan.files import make_folder
from consingan.images import PIXEL_LIMIT, write_image
from consingan.model import Model
from consingan.pictures import grid, write_animation
from consingan.precision import Arithmetic
from consingan.progress import tracked

FOLDER = "Evaluation"
FORMATS = ("png", "jpg")
GRID_SAMPLES = 16
AUTHORS_SCALES = ((1.0, 2.0), (2.0, 1.0), (2.0, 2.0))  # (height, width)
AUTHORS_BETAS = (0.8, 0.85, 0.9, 0.95)
AUTHORS_START_STAGES = (0, 1, 2)
MIN_SIDE = 8  # px; below it a picture has no content
MIN_COARSEST = 3  # px that must be left at the coarsest stage

Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What to make; None and empty mean the authors' set.

    Attributes:
        num_samples: random samples at the training size.
        sizes: further output sizes (h, w) in px; of films the only ones.
        scales: the same as factors (height, width).
        seed: chooses the samples.
        batch_size: pictures made at a time.
        image_format: png or jpg.
        video_format: gif, webp or mp4.
        frames, fps, alpha, betas, start_stages: of animations, see `sampling.animation_walk`.
    """

    num_samples: int = 50
    sizes: Sequence[tuple[int, int]] = ()
    scales: Sequence[tuple[float, float]] = ()
    seed: int = 0
    batch_size: int | None = None
    image_format: str = "png"
    video_format: str = "gif"
    frames: int = 100
    fps: float = 10.0
    alpha: float = 0.1
    betas: Sequence[float] = ()
    start_stages: Sequence[int] = ()
    arithmetic: Arithmetic = field(default_factory=Arithmetic)


def evaluation_folder(run: Path, name: str = FOLDER) -> Path:
    """The folder for results inside a run's folder."""
    return make_folder(run / name)


def write_basics(model: Model, folder: Path, options: Options) -> None:
    """The training image and what the fixed noise makes of it."""
    write_image(folder / f"real_image.{options.image_format}", model.real)
    write_image(folder / f"reconstruction.{options.image_format}", model.reconstruction())


def write_samples(model: Model, folder: Path, options: Options, say: Say) -> list[Tensor]:
    """Random samples at the training size and at the other sizes; returns the former."""
    samples = list(_written(model, folder, "random_samples", None, options))
    say(f"{_counted(len(samples), 'random sample')}: {folder / 'random_samples'}")
    if not samples:
        return samples
    sheet = grid([model.real, *samples[: GRID_SAMPLES - 1]])
    write_image(folder / "samples_grid.png", sheet)
    for name, size in other_sizes(model, options):
        deque(_written(model, folder, name, size, options), maxlen=0)  # many large ones fill memory
        say(f"the same at {size[1]}x{size[0]}: {folder / name}")
    return samples


def _counted(number: int, what: str) -> str:
    """As "1 frame" and "2 frames"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def other_sizes(model: Model, options: Options) -> list[tuple[str, tuple[int, int]]]:
    """Folder name and size (h, w) of each further output size, no two of one name.

    Raises:
        UserError: a size is too small or too large.
    """
    height, width = model.sizes[-1]
    scales = options.scales or (() if options.sizes else AUTHORS_SCALES)
    named = [
        (
            f"random_samples_scale_h_{_number(h)}_scale_w_{_number(w)}",
            (round(height * h), round(width * w)),
        )
        for h, w in scales
    ]
    named += [(f"random_samples_{w}x{h}", (h, w)) for h, w in options.sizes]
    least_h, least_w = (
        max(MIN_SIDE, math.ceil(MIN_COARSEST * finest / coarsest))
        for finest, coarsest in zip(model.sizes[-1], model.sizes[0], strict=True)
    )
    for _, (h, w) in named:
        if h < least_h or w < least_w:
            raise UserError(
                f"The output size {w}x{h} (WxH) is too small for this model; "
                f"use {least_w}x{least_h} or more."
            )
        if h * w > PIXEL_LIMIT:
            raise UserError(
                f"The output size {w}x{h} (WxH) is too large; "
                f"stay below {PIXEL_LIMIT // 1_000_000} million pixels."
            )
    return list(dict(named).items())


def _number(value: float) -> str:
    """2.0 as "2", 1.5 as "1.5": the authors' names have whole numbers."""
    return f"{value:g}"


def _written(
    model: Model, folder: Path, name: str, size: tuple[int, int] | None, options: Options
) -> Iterator[Tensor]:
    """Random samples, each written before it is passed on."""
    target = make_folder(folder / name)
    for stale in target.glob("gen_sample_*"):
        if stale.is_file():
            stale.unlink()
    made = sampling.random_samples(
        model, options.num_samples, size, options.seed, options.batch_size, options.arithmetic
    )
    for index, sample in enumerate(tracked(made, options.num_samples, "making samples")):
        write_image(target / f"gen_sample_{index}.{options.image_format}", sample)
        yield sample


def write_animations(model: Model, folder: Path, options: Options, say: Say) -> list[Path]:
    """Films for every combination of output size, start stage and beta.

    Without sizes of the user's own they have the training size; else its name says the size.

    Raises:
        UserError: a start stage is beyond the model's stages.
    """
    stages = len(model.anchors)
    starts = options.start_stages or [k for k in AUTHORS_START_STAGES if k < stages]
    betas = list(dict.fromkeys(options.betas or AUTHORS_BETAS))
    target = make_folder(folder / "animations")
    written = []
    for (ending, size), start, beta in itertools.product(
        _film_sizes(model, options), starts, betas
    ):
        name = f"start_stage_{start}_alpha_{options.alpha:g}_beta_{beta:g}{ending}"
        path = target / f"{name}.{options.video_format}"
        frames = sampling.animation_frames(
            model, options.frames, options.alpha, beta, start, size, options.seed,
            options.arithmetic,
        )  # fmt: skip
        write_animation(path, tracked(frames, options.frames, "making frames"), options.fps)
        say(f"animation of {_counted(options.frames, 'frame')}: {path}")
        written.append(path)
    return written


def _film_sizes(model: Model, options: Options) -> list[tuple[str, tuple[int, int] | None]]:
    """End of the file's name and size (h, w) of each film; None is the training size."""
    if not (options.sizes or options.scales):
        return [("", None)]
    sizes = dict.fromkeys(size for _, size in other_sizes(model, options))
    return [(f"_{w}x{h}", (h, w)) for h, w in sizes]


def looks_collapsed(model: Model, samples: Sequence[Tensor]) -> bool:
    """Whether random samples all but equal the training image: the model learned one image.

    Their mean difference from the reconstruction is compared with a fiftieth of the image's own
    spread. A model that does not yet give back the image has not learned it, collapsed or not.
    """
    if len(samples) < 2:
        return False
    base = model.reconstruction().cpu()
    spread = float(model.real.std())
    if float((base - model.real.cpu()).abs().mean()) > 0.25 * spread:
        return False
    differences = [float((s - base).abs().mean()) for s in samples[:8]]
    return max(differences) < 0.02 * spread
