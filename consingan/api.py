"""The Python API: the code under the commands, with tensors in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan import compositing, runs, sampling
from consingan.checkpoint import RunFolder
from consingan.config import Config
from consingan.errors import UserError
from consingan.model import Model
from consingan.precision import Arithmetic
from consingan.runs import Execution
from consingan.session import Session
from consingan.trainer import Record, Trainer

Size = tuple[int, int]
ARRAY_NAME = "image"  # stands for the file name where a tensor was trained on


@dataclass(frozen=True)
class TrainedModel:
    """A trained model, ready to make pictures.

    All pictures are float32 tensors in [-1, 1] on the CPU; sizes are (height, width) in px.

    Attributes:
        model: networks, fixed noise, settings.
        arithmetic: precision of sampling.
        folder: the run's folder, if it was saved.
    """

    model: Model
    arithmetic: Arithmetic
    folder: Path | None = None

    @property
    def config(self) -> Config:
        """The settings it was trained with."""
        return self.model.config

    @property
    def size(self) -> Size:
        """Training size (h, w)."""
        return self.model.sizes[-1]

    @property
    def real(self) -> Tensor:
        """The training image, (1, 3, h, w)."""
        return self.model.real.cpu()

    def sample(self, n: int = 1, size: Size | None = None, seed: int = 0) -> Tensor:
        """Random pictures, (n, 3, h, w), of any `size`; picture i depends on (seed, i) alone.

        Raises:
            UserError: `n` or a side is not positive.
        """
        if n < 1:
            raise UserError(f"sample(n={n}) makes no picture; n must be 1 or more.")
        if size is not None and (len(size) != 2 or min(size) < 1):
            raise UserError(f"size={size} must be (height, width) in px, both positive.")
        made = sampling.random_samples(self.model, n, size, seed, arithmetic=self.arithmetic)
        return torch.cat(list(made))

    def reconstruction(self) -> Tensor:
        """What the fixed noise gives, (1, 3, h, w); close to `real` in a trained model."""
        return self.model.reconstruction().cpu()

    def animate(
        self, frames: int = 100, alpha: float = 0.1, beta: float = 0.9, start_stage: int = 0,
        size: Size | None = None, seed: int = 0,
    ) -> Iterator[Tensor]:  # fmt: skip
        """Frames (1, 3, h, w) of a walk near the training image, see `sampling.animation_walk`."""
        return sampling.animation_frames(
            self.model, frames, alpha, beta, start_stage, size, seed, self.arithmetic
        )

    def compose(
        self, naive: Tensor, mask: Tensor | None = None, start_stage: int = 0,
        fit: str = "exact", seed: int = 0,
    ) -> Tensor:  # fmt: skip
        """Harmonize or edit a picture; the model must be trained for it.

        Args:
            naive: (1, 3, H, W), of the training image's shape unless `fit` says what to do.
            mask: (1, 1, H, W) in [0, 1], 1 where the picture was changed; None for everywhere.
            start_stage: where it comes in, 0 (changes most) and up.
            fit: exact, crop or stretch.
            seed: of the noise that editing adds.

        Returns:
            (1, 3, H, W) at the naive image's own size, equal to it where the mask (softened as
            published) is 0.

        Raises:
            UserError: the model was trained for something else, or the shapes do not fit.
        """
        if not self.model.mode.takes_naive_image:
            raise runs.no_naive_image(self.config.train_mode)
        naive = compositing.fit_naive(naive, self.size, fit)
        made = compositing.compose(
            self.model, naive, mask, (start_stage,), seed=seed, arithmetic=self.arithmetic
        )
        return made.full_blended


@dataclass(frozen=True)
class _Callback:
    """Calls a function with every record."""

    function: Callable[[Record], Any]

    def observe(self, record: Record, trainer: Trainer) -> None:  # noqa: ARG002
        """Pass the record on."""
        self.function(record)


def train(
    image: str | Path | Tensor,
    *,
    output_dir: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    engine: str = "auto",
    base: str | Path | None = None,
    callback: Callable[[Record], Any] | None = None,
    **settings: Any,
) -> TrainedModel:
    """Train a model on one image.

    Args:
        image: a picture file, "skimage:NAME", or a tensor (1, 3, H, W) in [-1, 1].
        output_dir: where to make the run's folder; None writes nothing.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, float32, tf32 or bf16.
        engine: auto, plain or fast.
        base: with fine_tune=True and naive_img=..., the run's folder to go on from.
        callback: called with every record of `consingan.trainer` (StepRecord, StageRecord ...).
        **settings: fields of `consingan.config.Config`, for example train_mode="retarget",
            max_size=128, niter=500, manual_seed=1.

    Raises:
        UserError: a setting or the picture cannot be used.
        consingan.trainer.DivergedError: a loss stopped being finite.
    """
    unknown = sorted(set(settings) - set(Config.__dataclass_fields__))
    if unknown:
        raise UserError(f"There is no setting {unknown[0]!r}; see consingan.config.Config.")
    execution = Execution.choose(device, precision, engine)
    tensor = _picture(image) if isinstance(image, Tensor) else None
    name = ARRAY_NAME if tensor is not None else str(image)
    settings.setdefault("manual_seed", 0)
    job = runs.prepare(
        {**settings, "input_name": name}, execution, tensor, Path(base) if base else None
    )
    folder = None
    if output_dir is not None:
        about = runs.about_this_run(execution, job.chosen.origin)
        folder = RunFolder.create(Path(output_dir), job.trainer, about, job.naive)
    Session(job.trainer, folder, [_Callback(callback)] if callback else []).run()
    return TrainedModel(job.trainer.model, execution.arithmetic, folder.path if folder else None)


def _picture(image: Tensor) -> Tensor:
    """A copy of a picture as the program wants it.

    Raises:
        UserError: it is not (1, 3, H, W) in [-1, 1].
    """
    shape = tuple(image.shape)
    if len(shape) != 4 or shape[:2] != (1, 3) or not image.is_floating_point():
        raise UserError(
            f"The image is {image.dtype} of shape {shape}; give a floating-point tensor of shape "
            "(1, 3, H, W)."
        )
    if not (image.abs() <= 1).all():  # NaN, too
        raise UserError("The image has values outside of [-1, 1]; scale it to that range.")
    return image.detach().to(torch.float32, copy=True)


def load(run: str | Path, *, device: str = "auto", precision: str = "auto") -> TrainedModel:
    """Load a run of this program or of the authors', after its last finished stage.

    Raises:
        UserError: there is no usable run at `run`.
    """
    execution = Execution.choose(device, precision)
    loaded = runs.load_run(Path(run), execution.device)
    return TrainedModel(loaded.model, execution.arithmetic, loaded.path)
