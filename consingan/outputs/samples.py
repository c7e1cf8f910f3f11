"""Random samples of the training size and of others, as `gen_sample_<i>` in a folder each."""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from consingan.errors import UserError
from consingan.images.deep import refuse_format, sheet_suffix, write_as
from consingan.images.io import write_image
from consingan.images.picture import gray_as, is_gray, without_colors
from consingan.images.sheets import labelled
from consingan.images.unrolled import Sheet, refuse_size, write_strips
from consingan.machine.files import make_own_folder
from consingan.machine.progress import counted, tracked
from consingan.methods.contract import Begins, Crops, Latent, Size
from consingan.outputs.arithmetic import NAME, Term, no_arithmetic, terms_of, write_arithmetic
from consingan.outputs.contract import Say
from consingan.outputs.crops import COUNT, FINISHED, BesideCrops, beside_crops, crops_sheet
from consingan.outputs.crops import NAME as CROPS
from consingan.outputs.finish import ROUGH, Finish, announced, finish_of, sketched_of
from consingan.outputs.formats import for_eyes
from consingan.outputs.large import Look, Watcher, kept_pixels, look_at, reduced
from consingan.outputs.requests import SamplesRequest
from consingan.outputs.sizes import (
    SAMPLE_FOLDER,
    at_a_time,
    other_sizes,
    refuse_too_large,
    start_stages,
    unrolled,
)
from consingan.outputs.tiles import Seams, doubled, seam_of
from consingan.settings.config import UNASKED

GRID_SAMPLES = 16
PREVIEWED = 6
PREVIEWED_TILES = 9
TILED = f"{SAMPLE_FOLDER}_2x2"
JUDGED = 256  # samples of the training size that are kept for a report: memory stays bounded
JUDGED_PIXELS = 2**26  # of what is kept of them
PREVIEWED_PIXELS = 2**21  # of the samples that are made after each stage of a training
OF_A_FINISH = ("finish_within", "finish_patch")
OF_SAMPLES = (
    *("batch_size", "finish", *OF_A_FINISH),
    *("scale_w", "scale_h", "sizes", "inception_weights"),
)


@dataclass(frozen=True)
class RandomSamples:
    """What samples leave for a report.

    Attributes:
        pictures: the first ones at the training size, (1, 3, h, w) in [-1, 1] on the CPU; large
            ones reduced, see `large.reduced`.
        crops: of a model that learned crops, how near to them its samples are.
        seams: of a model that makes tiles, how visible their ends are.
        windows: of large ones some at full size, (n, 3, side, side) of each, see `large.places`.
        finish: how much of them was made anew of the image's own patches, 0 to 1.
        finish_within: how far from what the model laid out that might lead, 0: anywhere.
        finish_patch: side in px of those patches; 0: not finished.
        start: the stage from which on they are random.
    """

    pictures: Sequence[Tensor]
    crops: BesideCrops | None = None
    seams: Seams | None = None
    windows: Sequence[Tensor] = ()
    finish: float = 0.0
    finish_within: float = 0.0
    finish_patch: int = 0
    start: int = 0


@dataclass(frozen=True)
class SampleWork:
    """Samples that are to be made."""

    model: Any
    request: SamplesRequest
    others: Sequence[tuple[str, Size]]
    terms: Sequence[Term] = ()
    of_examination: ClassVar = ()

    def idle(self) -> Iterator[tuple[str, str]]:
        """Nothing is made without samples."""
        if not self.request.num_samples:
            yield from ((name, "without samples") for name in OF_SAMPLES)
        elif not self._finish(None):
            yield from ((name, "for samples that are not finished") for name in OF_A_FINISH)
        if self.request.start_stages and not isinstance(self.model, Begins):
            yield "start_stages", f"for a model trained for {self.model.config.train_mode}"

    def write(self, folder: Path, say: Say) -> RandomSamples:
        """Write all samples and a sheet of some; returns those of the training size."""
        if self.terms:
            write_arithmetic(self.model, self.terms, self.request, folder)
            say(f"arithmetic: {folder / NAME}{sheet_suffix(self.request.image_format)}")
        finish = self._begun[0][1]._finish(None) if self.request.num_samples else None
        if self.request.num_samples and not finish and sketched_of(self.model):
            say(ROUGH)
        if self.request.num_samples and self.request.finish is None:
            sizes = (None, *(size for _, size in self.others))
            for words in announced(self.model, sizes, self.request.finish_within):
                say(words)
        looks: list[Look] = []
        for name, work in self._begun:
            made = work._written(folder / name)
            judged = _at_most(JUDGED, JUDGED_PIXELS, kept_pixels(_size_of(self.model)))
            first = list(itertools.islice(made, judged))
            count = len(first) + sum(1 for _ in made)
            looks = looks or first
            say(f"{counted(count, 'random sample')}: {folder / name}")
        if not looks:
            return RandomSamples(())
        samples = [look.picture for look in looks]
        shown = samples[: GRID_SAMPLES - 1]
        names = ["training image", *(f"sample {number}" for number in range(len(shown)))]
        sheet = labelled(for_eyes(self.model, [reduced(self.model.real), *shown]), names)
        write_image(folder / f"samples_grid{sheet_suffix(self.request.image_format)}", sheet)
        self._write_others(folder, say)
        seams = self._as_tiles(looks, folder, say)
        windows = [look.windows for look in looks if len(look.windows)]
        degree = (finish.level, finish.within, finish.patch) if finish else (0.0, 0.0, 0)
        return RandomSamples(samples, None, seams, windows, *degree, (*self._starts, 0)[0])

    def _write_others(self, folder: Path, say: Say) -> None:
        for begun, work in self._begun:
            for name, size in self.others:
                target = folder / f"{begun}{name.removeprefix(SAMPLE_FOLDER)}"
                deque(work._files(target, size), maxlen=0)  # many large ones fill memory
                say(f"the same at {size[1]}x{size[0]}: {target}")

    def _as_tiles(self, looks: Sequence[Look], folder: Path, say: Say) -> Seams | None:
        config, form = self.model.config, self.request.image_format
        errors = [look.seam for look in looks if look.seam is not None]
        if not errors:
            return None
        target = make_own_folder(folder / TILED)
        found = Seams(errors, [doubled(look.picture) for look in looks[:PREVIEWED_TILES]])
        for index, preview in enumerate(found.previews):
            write_as(target / f"gen_sample_{index}_2x2", preview, form, config.channels)
        say(f"two by two: {target}; seam error {found.mean:.2f} (1 cannot be seen)")
        return found

    def examine(self, made: RandomSamples, folder: Path, say: Say) -> RandomSamples:
        """Hold samples of a model that learned crops to crops."""
        if self.request.num_samples > (judged := len(made.pictures)) > 0:
            say(
                f"Note: the first {judged} samples are judged; the command metrics judges a whole "
                "folder."
            )
        if not made.pictures or not isinstance(self.model, Crops):
            return made
        if (finish := self._finish(None)) is not None:
            say(FINISHED.format(COUNT))
        found = beside_crops(self.model, self.request.seed, finish)
        write_image(
            folder / f"{CROPS}{sheet_suffix(self.request.image_format)}", crops_sheet(found)
        )
        say(found.in_words)
        return replace(made, crops=found)

    @cached_property
    def _begun(self) -> list[tuple[str, SampleWork]]:
        """For each stage to begin at the folder's name and the same work from there on."""
        return [
            (f"{SAMPLE_FOLDER}_start_stage_{n}", replace(self, model=self.model.beginning_at(n)))
            for n in self._starts
        ] or [(SAMPLE_FOLDER, self)]

    @property
    def _starts(self) -> list[int]:
        """The stages from which on samples are to be random, where that was asked for."""
        begins = isinstance(self.model, Begins)
        return start_stages(self.model, self.request.start_stages) if begins else []

    def _written(self, folder: Path) -> Iterator[Look]:
        """Random samples of the training size, each written before what it leaves is passed on."""
        wraps = self.model.config.wraps
        for picture in self._files(folder, None):
            if isinstance(picture, Watcher):
                yield picture.look()
            else:
                yield look_at(picture, seam_of(picture, wraps) if any(wraps) else None)

    def _files(self, folder: Path, size: Size | None) -> Iterator[Tensor | Watcher]:
        """Random samples once they are written; of those that come in strips what was seen."""
        request, target = self.request, make_own_folder(folder)
        channels, form = self.model.config.channels, request.image_format
        finish = self._finish(size)
        if unrolled(self.model, size) and not finish:
            for index in range(request.num_samples):
                watcher = Watcher(size or _size_of(self.model))
                self._write_strips(target / f"gen_sample_{index}", watcher, size, index)
                yield watcher
            return
        made = random_samples(
            self.model, request.num_samples, size, request.seed, request.batch_size, finish
        )
        for index, sample in enumerate(tracked(made, request.num_samples, "making samples")):
            write_as(target / f"gen_sample_{index}", sample, form, channels)
            yield sample

    def _finish(self, size: Size | None) -> Finish | None:
        request = self.request
        typed = request.finish_within, request.finish_patch
        return finish_of(self.model, request.finish, request.seed, size, *typed)

    def _write_strips(self, path: Path, watcher: Watcher, size: Size | None, index: int) -> None:
        """Write a sample as it is made."""
        config, request = self.model.config, self.request
        strips = self.model.unroll(index, size, request.seed)
        real = self.model.real
        if is_gray(real[:, :3]):
            strips = map(without_colors, strips)
        sheet = Sheet(watcher.size, request.image_format, config.channels, is_gray(real))
        write_strips(path, watcher.passing(strips), sheet)


def begin(model: Any, request: SamplesRequest) -> SampleWork:
    """Look whether `model` can make these sizes, see `contract.OutputCode`."""
    terms = terms_of(request.arithmetic) if request.arithmetic else ()
    if terms and not isinstance(model, Latent):
        raise no_arithmetic(model)
    refuse_format(request.image_format, model.config.channels)
    others = [] if request.one_size else other_sizes(model, request)
    work = SampleWork(model, request, others, terms)
    if count := request.num_samples:
        for size in (None, *(size for _, size in others)):
            step = request.batch_size or at_a_time(model, size, count)
            refuse_size(request.image_format, size or _size_of(model))
            strips = not work._finish(size) and unrolled(model, size)
            refuse_too_large(model, size, min(step, count), strips)
    if isinstance(model, Begins):
        start_stages(model, request.start_stages)
    return work


def preview(model: Any, naive: Tensor | None) -> list[Tensor]:  # noqa: ARG001
    """A few samples of a model in training, finished where it makes but a sketch of them."""
    height, width = _size_of(model)
    count, seed = _at_most(PREVIEWED, PREVIEWED_PIXELS, height * width), model.config.manual_seed
    finish = None
    if sketched_of(model) and 2 * height * width <= UNASKED:
        with contextlib.suppress(UserError):  # for want of memory: a look must stop no training
            finish = finish_of(model, None, seed)
    return list(random_samples(model, count, seed=seed, finish=finish))


def _at_most(count: int, pixels: int, each: int) -> int:
    """`count`, or as many pictures of `each` px as have so many pixels, at least one."""
    return max(min(count, pixels // each), 1)


def _size_of(model: Any) -> Size:
    return model.real.shape[-2], model.real.shape[-1]


def random_samples(
    model: Any,
    count: int,
    size: Size | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    finish: Finish | None = None,
) -> Iterator[Tensor]:
    """Random pictures, (1, 3, h, w) in [-1, 1] each, on the CPU, `count` of them.

    Args:
        model: that makes them, see `contract.Samples`; of a gray image gray ones.
        count: number of pictures.
        size: (h, w) in px, by default the training size.
        seed: chooses the pictures; picture i depends on (seed, i) alone, up to rounding.
        batch_size: pictures made at a time; by default what suits the device and the size.
        finish: of each; None: they are as the model makes them.

    Raises:
        UserError: they take more memory than is free.
    """
    step = batch_size or at_a_time(model, size, count)
    real = model.real.cpu()
    refuse_too_large(model, size, min(step, count))
    for start in range(0, count, step):
        indices = range(start, min(start + step, count))
        made = model.sample(indices, size, seed).split(1)
        if finish is not None:
            made = map(finish, made, indices)
        yield from (gray_as(real, picture) for picture in made)
