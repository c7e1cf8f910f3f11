"""Films: frames of a walk through the noise, written as GIF, WebP or MP4."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from consingan.images.channels import eye
from consingan.images.picture import gray_as
from consingan.images.video import require_writer, speed_note, write_animation
from consingan.machine.files import make_own_folder
from consingan.machine.progress import counted, tracked
from consingan.methods.contract import Closes, Latent, Size, Walk
from consingan.outputs import samples
from consingan.outputs.contract import Say
from consingan.outputs.large import reduced
from consingan.outputs.requests import FilmRequest
from consingan.outputs.sizes import ONE_START, other_sizes, refuse_too_large_film, start_stages

AUTHORS_BETAS = (0.8, 0.85, 0.9, 0.95)
AUTHORS_START_STAGES = (0, 1, 2)
SHOWN_FRAMES = 40  # on a page: four seconds


@dataclass(frozen=True)
class Film:
    """The film that a report shows; its frames are (1, 3, h, w) in [-1, 1] on the CPU.

    Large ones are reduced, see `large.reduced`; there are none where there is no report. `start` is
    the stage below which they stand still.
    """

    frames: Sequence[Tensor]
    fps: float
    start: int = 0


@dataclass(frozen=True)
class FilmWork:
    """Films that are to be made: an ending of the name and a walk for each."""

    model: Any
    request: FilmRequest
    walks: Sequence[tuple[str, Walk]]
    of_examination: ClassVar = ()

    def idle(self) -> Iterator[tuple[str, str]]:
        """Every option counts, but for models without points, and those that always go round."""
        how = self.model.config.method
        if len(self.model.starts) == 1:
            yield "start_stages", ONE_START
        if not isinstance(self.model, Latent):
            yield "straight", "for a model that goes through noise, not from point to point"
        if isinstance(self.model, Closes):
            yield "loop", f"for --method {how}, whose films are always closed"

    def write(self, folder: Path, say: Say) -> Film:
        """Write every film."""
        request, target = self.request, make_own_folder(folder / "animations")
        show = eye(self.model.real.cpu(), self.model.config.channels)
        for ending, walk in self.walks:
            name = f"start_stage_{walk.start_stage}_alpha_{walk.alpha:g}_beta_{walk.beta:g}{ending}"
            path = target / f"{name}.{request.video_format}"
            frames = map(show, frames_of(self.model, request.frames, walk))
            write_animation(path, tracked(frames, request.frames, "making frames"), request.fps)
            say(f"animation of {counted(request.frames, 'frame')}: {path}")
        if self.walks and (note := speed_note(f".{request.video_format}", request.fps)):
            say(f"Note: {note}")
        return Film((), request.fps)

    def examine(self, made: Film, folder: Path, say: Say) -> Film:  # noqa: ARG002
        """The beginning of the film that a report shows.

        At the training size, with the first start stage and smoothness that were asked for.
        """
        request = self.request
        stages = start_stages(self.model, request.start_stages)
        walk = Walk(
            alpha=request.alpha,
            beta=request.betas[0] if request.betas else Walk.beta,
            start_stage=stages[0] if stages else 0,
            seed=request.seed,
            loop=request.loop,
            straight=request.straight,
        )
        # The beginning of the film itself: a closed one of less frames would be another.
        frames = itertools.islice(frames_of(self.model, request.frames, walk), SHOWN_FRAMES)
        return replace(made, frames=[reduced(frame) for frame in frames], start=walk.start_stage)


def begin(model: Any, request: FilmRequest) -> FilmWork:
    """Plan films for every combination of output size, start stage and beta.

    Without sizes of the user's own they have the training size; else its name says the size.

    Raises:
        UserError: a start stage is beyond the model's stages, a size cannot be made, or a package
            for the format is missing.
    """
    require_writer(f".{request.video_format}")
    sizes = _sizes(model, request)
    stages = start_stages(model, request.start_stages)
    starts = stages or [k for k in AUTHORS_START_STAGES if k < len(model.sizes)]
    betas = list(dict.fromkeys(request.betas or AUTHORS_BETAS))
    walks = [
        (
            ending,
            Walk(request.alpha, beta, start, size, request.seed, request.loop, request.straight),
        )
        for (ending, size), start, beta in itertools.product(sizes, starts, betas)
    ]
    for _, size in sizes:
        refuse_too_large_film(model, size)
    return FilmWork(model, request, walks)


def frames_of(model: Any, count: int, walk: Walk) -> Iterator[Tensor]:
    """See `contract.Walks.frames`; of a gray image gray ones."""
    real = model.real.cpu()
    return (gray_as(real, frame) for frame in model.frames(count, walk))


def _sizes(model: Any, request: FilmRequest) -> list[tuple[str, Size | None]]:
    """End of the file's name and size (h, w) of each film; None is the training size."""
    others = other_sizes(model, request)
    if not (request.sizes or request.scale_w or request.scale_h):
        return [("", None)]
    return [(f"_{w}x{h}", (h, w)) for h, w in dict.fromkeys(size for _, size in others)]


def preview(model: Any, naive: Tensor | None) -> list[Tensor]:
    """A few random samples of a model in training."""
    return samples.preview(model, naive)
