"""What `evaluate_model.py` leaves in a run's `Evaluation/` folder."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from consingan.errors import UserError
from consingan.images.io import PIXEL_LIMIT, write_image
from consingan.images.sheets import grid
from consingan.machine.files import make_folder
from consingan.machine.precision import Arithmetic
from consingan.machine.progress import tracked
from consingan.methods.consingan import sampling
from consingan.methods.consingan.model import Model

FORMATS = ("png", "jpg")
GRID_SAMPLES = 16
AUTHORS_SCALES = ((1.0, 2.0), (2.0, 1.0), (2.0, 2.0))  # (height, width)
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
