"""Films: frames of a walk through the noise, written as GIF, WebP or MP4."""

from __future__ import annotations

import itertools
from pathlib import Path

from consingan.images.video import write_animation
from consingan.machine.files import make_folder
from consingan.machine.progress import tracked
from consingan.methods.consingan import sampling
from consingan.methods.consingan.model import Model
from consingan.outputs.samples import Options, Say, _counted, other_sizes

AUTHORS_BETAS = (0.8, 0.85, 0.9, 0.95)
AUTHORS_START_STAGES = (0, 1, 2)


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
