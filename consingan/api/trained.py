"""The Python API: the code under the commands, with tensors in and out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.fit import fit_naive
from consingan.images.raster import PIXEL_LIMIT
from consingan.machine.execution import Wanted, choose_execution
from consingan.methods.choose import no_naive_image
from consingan.methods.contract import Enters, Reconstructs, Samples, Walk, Walks
from consingan.methods.registry import tasks_that
from consingan.outputs.composite import compose
from consingan.outputs.requests import CompositeRequest
from consingan.outputs.samples import random_samples
from consingan.runs.load import load_run
from consingan.settings.config import FITS, Config

Size = tuple[int, int]


@dataclass(frozen=True)
class TrainedModel:
    """A trained model, ready to make pictures.

    All pictures are float32 tensors in [-1, 1] on the CPU; sizes are (height, width) in px.

    Attributes:
        model: networks, fixed noise, settings; see `consingan.methods.contract`.
        folder: the run's folder, if it was saved.
    """

    model: Any
    folder: Path | None = None

    @property
    def config(self) -> Config:
        """The settings it was trained with."""
        config: Config = self.model.config
        return config

    @property
    def size(self) -> Size:
        """Training size (h, w)."""
        size: Size = self.model.sizes[-1]
        return size

    @property
    def real(self) -> Tensor:
        """The training image, (1, 3, h, w)."""
        real: Tensor = self.model.real
        return real.cpu()

    def sample(self, n: int = 1, size: Size | None = None, seed: int = 0) -> Tensor:
        """Random pictures, (n, 3, h, w), of any `size`; picture i depends on (seed, i) alone.

        Up to rounding, which `n` changes (by up to 1e-5 in float32); the same call on the same
        machine gives the same bits.

        Raises:
            UserError: `n` or a side is not positive, or the model makes no samples.
        """
        model = self._able(Samples, "samples", "random samples")
        _check_whole("n", n)
        _check_size(size)
        return torch.cat(list(random_samples(model, n, size, seed)))

    def reconstruction(self) -> Tensor:
        """What the fixed noise gives, (1, 3, h, w); close to `real` in a trained model.

        Raises:
            UserError: the model gives nothing back.
        """
        model = self._able(Reconstructs, "samples", "a reconstruction")
        given_back: Tensor = model.reconstruction()
        return given_back.cpu()

    def animate(
        self, frames: int = 100, alpha: float = 0.1, beta: float = 0.9, start_stage: int = 0,
        size: Size | None = None, seed: int = 0,
    ) -> Iterator[Tensor]:  # fmt: skip
        """Frames (1, 3, h, w) of a walk near the training image.

        `consingan.methods.contract.Walk` says what its numbers do.

        Raises:
            UserError: a value is out of range, or the model does not have `start_stage`.
        """
        model = self._able(Walks, "film", "films")
        _check_whole("frames", frames)
        _check_share("alpha", alpha)
        _check_share("beta", beta)
        _check_size(size)
        model.check_start(start_stage)
        moving: Iterator[Tensor] = model.frames(frames, Walk(alpha, beta, start_stage, size, seed))
        return moving

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
        if not (self.model.task.takes_naive and isinstance(self.model, Enters)):
            raise no_naive_image(self.config.train_mode)
        if fit not in FITS:
            raise UserError(f"fit={fit!r} is unknown; use {', '.join(FITS)}.")
        naive = fit_naive(checked_picture(naive), self.size, fit)
        if mask is not None:
            _check_mask(mask, naive)
        request = CompositeRequest(start_stages=(start_stage,), seed=seed)
        return compose(self.model, naive, mask, request).full_blended

    def _able(self, kind: type, output: str, what: str) -> Any:
        """The model, if it can do what is asked for."""
        if isinstance(self.model, kind):
            return self.model
        tasks = ", ".join(tasks_that(output))
        raise UserError(
            f"A model of --method {self.config.method} makes no {what}; train one with "
            f"train_mode {tasks}."
        )


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
            f"{width}); `consingan.images.masks.resize_mask` brings it to that size."
        )
    if not ((mask >= 0) & (mask <= 1)).all():  # NaN, too
        raise UserError("The mask has values outside of [0, 1]; scale it to that range.")


def checked_picture(image: Tensor) -> Tensor:
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
    execution = choose_execution(Wanted(device=device, precision=precision))
    loaded = load_run(Path(run), execution)
    return TrainedModel(loaded.model, loaded.path)
