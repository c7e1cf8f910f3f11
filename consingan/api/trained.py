"""The Python API: the code under the commands, with tensors in and out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.api.asked import asked_in_python, each_asked_in_python
from consingan.api.given import (
    GivenDevice,
    GivenSize,
    Size,
    device_name,
    path_of,
    share,
    sides,
    whole,
)
from consingan.errors import UserError
from consingan.images.arrays import Given, picture_from
from consingan.images.fit import fit_naive
from consingan.images.mask_files import Mask, fit_mask
from consingan.machine.execution import Wanted, choose_execution
from consingan.machine.usual import random_numbers_kept
from consingan.methods.choose import no_naive_image
from consingan.methods.contract import (
    Enters,
    HasHole,
    Reconstructs,
    Samples,
    Translates,
    Walk,
    Walks,
)
from consingan.methods.pairs import condition_reading
from consingan.methods.registry import tasks_that
from consingan.outputs.composite import compose
from consingan.outputs.enlargement import check as check_enlargement
from consingan.outputs.enlargement import enlarge
from consingan.outputs.fill import filled
from consingan.outputs.film import frames_of
from consingan.outputs.finish import finish_of
from consingan.outputs.own_mask import given_mask, opaque
from consingan.outputs.own_shape import fit_for
from consingan.outputs.reconstruction import reconstruction
from consingan.outputs.requests import DETAILS, LEAST_PATCH, CompositeRequest
from consingan.outputs.samples import random_samples
from consingan.runs.load import load_run
from consingan.runs.newest import find_run
from consingan.settings.config import FITS, Config

CALLER = 3  # frames from a warning to whoever called, past the decorator


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A trained model, ready to make pictures.

    All pictures are float32 tensors in [-1, 1] on the CPU; sizes are (height, width) in px. They
    have the training image's channels, usually 3: gray 1, with opacity 4 whose colors are
    multiplied by it, bands as many as there are; `channels=` of `train` says otherwise.

    Attributes:
        model: networks, fixed noise, settings; see `consingan.methods.contract`.
        folder: the run's folder, if it was saved.
    """

    model: Any
    folder: Path | None = None

    def __repr__(self) -> str:
        """In a line: the networks' numbers would fill pages."""
        config, (height, width) = self.config, self.size
        what = f"{config.method}, {config.train_mode}, {width}x{height} px"
        return f"<TrainedModel: {what}, {self.folder or 'not saved'}>"

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

    @asked_in_python()
    def sample(
        self,
        n: int = 1,
        size: GivenSize | None = None,
        seed: int = 0,
        finish: float | None = None,
        finish_within: float | None = None,
        finish_patch: int | None = None,
    ) -> Tensor:
        """Random pictures, (n, 3, h, w), of any `size`; picture i depends on (seed, i) alone.

        Up to rounding, which `n` changes (by up to 1e-5 in float32); the same call on the same
        machine gives the same bits.

        Args:
            n: how many.
            size: (height, width) in px, or one number for a square.
            seed: chooses them.
            finish: how much is made anew of the image's own patches, 0 to 1; None: as in training.
            finish_within: how far that may lead, see `--finish_within`; 0 where `finish` is given.
            finish_patch: side of those patches in px, odd; None: as the model chooses.

        Raises:
            UserError: `n` or a side is not positive, a share is out of range, a number is no whole
                one, the pictures take more memory than is free, or the model makes none.
        """
        model = self._able(Samples, "samples", "random samples")
        n, seed, where = whole("n", n, 1), whole("seed", seed), sides(size)
        level = None if finish is None else share("finish", finish)
        within = None if finish_within is None else share("finish_within", finish_within)
        patch = None if finish_patch is None else whole("finish_patch", finish_patch, LEAST_PATCH)
        how = finish_of(model, level, seed, where, within, patch)
        return torch.cat(list(random_samples(model, n, where, seed, finish=how)))

    @asked_in_python()
    def reconstruction(self) -> Tensor:
        """What the fixed noise gives, (1, 3, h, w); close to `real` in a trained model.

        Raises:
            UserError: the model gives nothing back.
        """
        return reconstruction(self._able(Reconstructs, "samples", "reconstruction"))

    @asked_in_python()
    def animate(
        self, frames: int = 100, alpha: float = Walk.alpha, beta: float = Walk.beta,
        start_stage: int = 0, size: GivenSize | None = None, seed: int = 0,
    ) -> Iterator[Tensor]:  # fmt: skip
        """Frames (1, 3, h, w) of a walk near the training image.

        `consingan.methods.contract.Walk` says what its numbers do.

        Raises:
            UserError: a value is out of range, or the model does not have `start_stage`.
        """
        model = self._able(Walks, "film", "films")
        frames, start_stage = whole("frames", frames, 1), whole("start_stage", start_stage)
        model.check_start(start_stage)
        strength = share("alpha", alpha), share("beta", beta)
        walk = Walk(*strength, start_stage, sides(size), whole("seed", seed))
        return each_asked_in_python(frames_of(model, frames, walk))

    @asked_in_python(naive_img="naive")
    def compose(
        self, naive: Given, mask: Given | None = None, start_stage: int | None = None,
        fit: str = "exact", seed: int = 0, detail: str = "auto",
    ) -> Tensor:  # fmt: skip
        """Harmonize or edit a picture; the model must be trained for it.

        Args:
            naive: what `train` takes, of the training image's shape unless `fit` says what to do
                or the task takes any (analogy); where it is transparent, that is its mask.
            mask: a file or a picture of Pillow, whatever it looks like, or (H, W) of bool, uint8
                or [0, 1], 1 where the picture was changed; "auto" finds that by comparing with the
                training image; None for everywhere.
            start_stage: where it comes in, earlier ones change more; None is the method's own.
            fit: exact, crop or stretch.
            seed: of the noise that editing adds.
            detail: where fine detail beyond the training size comes from: auto, both, own, image,
                or none, as published.

        Returns:
            (1, 3, H, W) at the naive image's own size, equal to it where the mask (softened as
            published) is 0.

        Raises:
            UserError: the model was trained for something else, the shapes do not fit, or a
                value is out of range.
        """
        task = self.model.task
        if not (task.takes_naive and isinstance(self.model, Enters)):
            raise no_naive_image(self.config)
        if fit not in FITS:
            raise UserError(f"fit={fit!r} is unknown; use {', '.join(FITS)}.")
        if detail not in DETAILS:
            raise UserError(f"detail={detail!r} is unknown; use {', '.join(DETAILS)}.")
        own = opaque(picture_from(naive, self.config.reading), self.model, "The picture")
        fit = fit_for(task, fit)
        picture = fit_naive(own.image, self.size, fit)
        chosen = own.mask if mask is None else given_mask(mask, picture, self.model)
        if chosen is not None:
            chosen = self._fitted(chosen, picture, fit)
        for note in (*own.notes, *(chosen.notes if chosen else ())):
            warnings.warn(note.removesuffix("."), stacklevel=CALLER)
        stages = () if start_stage is None else (whole("start_stage", start_stage),)
        request = CompositeRequest(start_stages=stages, seed=whole("seed", seed), detail=detail)
        values = chosen.values if chosen else None
        return compose(self.model, picture, values, request).full_blended

    def _fitted(self, mask: Mask, picture: Tensor, fit: str) -> Mask:
        """A mask at the size of the picture, cropped as that was."""
        size = (picture.shape[-2], picture.shape[-1])
        if fit == "crop" and tuple(mask.values.shape[-2:]) != size:
            mask = Mask(fit_naive(mask.values, self.size, fit), mask.notes)
        return fit_mask(mask, size)

    @asked_in_python()
    def fill(self, seed: int = 0) -> Tensor:
        """Fill the hole that the model was trained around, see `train(..., mask=...)`.

        Args:
            seed: other numbers give other fills.

        Returns:
            (1, 3, H, W) at the picture's own size, equal to it outside of the hole.

        Raises:
            UserError: it was trained without one.
        """
        if not isinstance(self.model, HasHole) or self.model.holed is None:
            raise UserError("This model was trained without a hole; train one with mask=...")
        return filled(self.model, whole("seed", seed))

    @asked_in_python()
    def translate(self, condition: Given) -> Tensor:
        """Make B of a new A; the model must be trained on a pair.

        Args:
            condition: what `train` takes, drawn as the A of the training.

        Returns:
            (k, 3, H, W) at its size; k is `num_outputs` of the training, else 1.

        Raises:
            UserError: the model was trained for something else, or A cannot be one of its kind.
        """
        model = self._able(Translates, "translation", "translations")
        picture = picture_from(condition, condition_reading(self.config))
        for note in (*picture.notes, *model.notes_on(picture.image)):
            warnings.warn(note.removesuffix("."), stacklevel=CALLER)
        made: Tensor = model.translate(picture.image)
        return made

    @asked_in_python()
    def enlarge(self, seed: int = 0) -> Tensor:
        """The training image enlarged, (1, 3, H, W); the model must be trained for it.

        Args:
            seed: of the noise that the detail is made of.

        Raises:
            UserError: the model was trained for something else, or the result is too large.
        """
        check_enlargement(self.model)
        return enlarge(self.model, whole("seed", seed)).picture

    def _able(self, kind: type, output: str, what: str) -> Any:
        """The model, if it can do what is asked for."""
        if isinstance(self.model, kind):
            return self.model
        tasks = tasks_that(output)
        other = " by another method" if self.config.train_mode in tasks else ""
        raise UserError(
            f"A model of --method {self.config.method} makes no {what}; train one{other} with "
            f"train_mode {', '.join(tasks)}."
        )


@asked_in_python(model_dir="run")
def load(run: str | Path, *, device: GivenDevice = "auto", precision: str = "auto") -> TrainedModel:
    """Load a run of this program or of the authors', after its last finished stage.

    `run` is its folder; a folder of runs, also as "TrainedModels/photo/...", stands for the newest
    of them, "latest" for that of `TrainedModels`.

    Raises:
        UserError: there is no usable run at `run`, or the device or the precision cannot be used.
    """
    execution = choose_execution(Wanted(device=device_name(device), precision=precision))
    with random_numbers_kept():
        loaded = load_run(find_run(path_of(run)), execution)
    return TrainedModel(loaded.model, loaded.path)
