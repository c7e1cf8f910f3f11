"""The Python API: the code under the commands, with tensors in and out."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan import compositing, runs, sampling
from consingan.checkpoint import RunFolder
from consingan.collapse import Collapse
from consingan.config import Config, flag_name
from consingan.errors import UserError
from consingan.images import PIXEL_LIMIT
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
        _check_whole("n", n)
        _check_size(size)
        made = sampling.random_samples(self.model, n, size, seed, arithmetic=self.arithmetic)
        return torch.cat(list(made))

    def reconstruction(self) -> Tensor:
        """What the fixed noise gives, (1, 3, h, w); close to `real` in a trained model."""
        return self.model.reconstruction().cpu()

    def animate(
        self, frames: int = 100, alpha: float = 0.1, beta: float = 0.9, start_stage: int = 0,
        size: Size | None = None, seed: int = 0,
    ) -> Iterator[Tensor]:  # fmt: skip
        """Frames (1, 3, h, w) of a walk near the training image, see `sampling.animation_walk`.

        Raises:
            UserError: a value is out of range, or the model does not have `start_stage`.
        """
        _check_whole("frames", frames)
        _check_share("alpha", alpha)
        _check_share("beta", beta)
        _check_size(size)
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
            UserError: the model was trained for something else, the shapes do not fit, or a
                value is out of range.
        """
        if not self.model.mode.takes_naive_image:
            raise runs.no_naive_image(self.config.train_mode)
        if fit not in compositing.FITS:
            raise UserError(f"fit={fit!r} is unknown; use {', '.join(compositing.FITS)}.")
        naive = compositing.fit_naive(_picture(naive), self.size, fit)
        if mask is not None:
            _check_mask(mask, naive)
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
    settings = _checked(settings)
    if bool(settings.get("fine_tune")) != bool(base):
        raise UserError("fine_tune=True and base=..., the folder of a run, go together; give both.")
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
    told = [_Callback(callback)] if callback else []
    Session(job.trainer, folder, [Collapse(), *told]).run()
    return TrainedModel(job.trainer.model, execution.arithmetic, folder.path if folder else None)


def _checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by the names of their fields, paths as text.

    Raises:
        UserError: there is no such setting; the sentence names the nearest.
    """
    flags = {flag_name(field): name for name, field in Config.__dataclass_fields__.items()}
    for name in settings:
        if name == "input_name":
            raise UserError("The picture is the first argument of train; leave input_name out.")
        if name not in Config.__dataclass_fields__:
            near = [flags[name]] if name in flags else []
            near = near or difflib.get_close_matches(name, Config.__dataclass_fields__, 1)
            hint = f"did you mean {near[0]!r}?" if near else "see consingan.config.Config."
            raise UserError(f"There is no setting {name!r}; {hint}")
    return {k: os.fspath(v) if isinstance(v, os.PathLike) else v for k, v in settings.items()}


def _check_whole(name: str, value: int) -> None:
    if not isinstance(value, Integral) or value < 1:
        raise UserError(f"{name}={value!r} must be a whole number, 1 or more.")


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:  # NaN, too
        raise UserError(f"{name}={value!r} must be 0 to 1.")


def _check_size(size: Size | None) -> None:
    if size is None:
        return
    if len(size) != 2 or not all(isinstance(side, Integral) and side > 0 for side in size):
        raise UserError(f"size={size} must be (height, width) in px, both positive.")
    if size[0] * size[1] > PIXEL_LIMIT:
        raise UserError(
            f"size={size} is too large; stay below {PIXEL_LIMIT // 1_000_000} million pixels."
        )


def _check_mask(mask: Tensor, naive: Tensor) -> None:
    """A mask is one number in [0, 1] for each pixel of the picture that is worked on."""
    height, width = naive.shape[-2:]
    if tuple(mask.shape) != (1, 1, height, width):
        raise UserError(
            f"The mask is of shape {tuple(mask.shape)}, but the picture needs (1, 1, {height}, "
            f"{width}); `consingan.masks.resize_mask` brings it to that size."
        )
    if not ((mask >= 0) & (mask <= 1)).all():  # NaN, too
        raise UserError("The mask has values outside of [0, 1]; scale it to that range.")


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
    return image.detach().to("cpu", torch.float32, copy=True)


def load(run: str | Path, *, device: str = "auto", precision: str = "auto") -> TrainedModel:
    """Load a run of this program or of the authors', after its last finished stage.

    Raises:
        UserError: there is no usable run at `run`.
    """
    execution = Execution.choose(device, precision)
    loaded = runs.load_run(Path(run), execution.device)
    return TrainedModel(loaded.model, execution.arithmetic, loaded.path)
