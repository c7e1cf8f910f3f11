"""Random samples of the training size and of others, as `gen_sample_<i>` in a folder each."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from consingan.images.deep import refuse_format, sheet_suffix, write_as
from consingan.images.io import write_image
from consingan.images.picture import gray_as
from consingan.images.sheets import labelled
from consingan.machine.files import make_own_folder
from consingan.machine.progress import tracked
from consingan.methods.contract import Begins, Crops, Latent
from consingan.outputs.arithmetic import NAME, Term, no_arithmetic, terms_of, write_arithmetic
from consingan.outputs.contract import Say
from consingan.outputs.crops import NAME as CROPS
from consingan.outputs.crops import BesideCrops, beside_crops, crops_sheet
from consingan.outputs.formats import for_eyes
from consingan.outputs.requests import SamplesRequest
from consingan.outputs.sizes import counted, other_sizes, refuse_too_large, start_stages
from consingan.outputs.tiles import Seams, seams_of

GRID_SAMPLES = 16
PREVIEWED = 6
TILED = "random_samples_2x2"
JUDGED = 256  # samples of the training size that are kept for a report: memory stays bounded
JUDGED_PIXELS = 2**26  # of all of them; of large pictures fewer are kept
PREVIEWED_PIXELS = 2**21  # of the samples that are made after each stage of a training
OF_SAMPLES = ("batch_size", "scale_w", "scale_h", "sizes", "inception_weights")

Size = tuple[int, int]


@dataclass(frozen=True)
class RandomSamples:
    """What samples leave for a report.

    Attributes:
        pictures: the first ones at the training size, (1, 3, h, w) in [-1, 1] on the CPU.
        crops: of a model that learned crops, how near to them its samples are.
        seams: of a model that makes tiles, how visible their ends are.
    """

    pictures: Sequence[Tensor]
    crops: BesideCrops | None = None
    seams: Seams | None = None


@dataclass(frozen=True)
class SampleWork:
    """Samples that are to be made."""

    model: Any
    request: SamplesRequest
    others: Sequence[tuple[str, Size]]
    terms: Sequence[Term] = ()

    def idle(self) -> Iterator[tuple[str, str]]:
        """Nothing is made without samples."""
        if not self.request.num_samples:
            yield from ((name, "without samples") for name in OF_SAMPLES)
        if self.request.start_stages and not isinstance(self.model, Begins):
            yield "start_stages", f"for a model trained for {self.model.config.train_mode}"

    def write(self, folder: Path, say: Say) -> RandomSamples:
        """Write all samples and a sheet of some; returns those of the training size."""
        if self.terms:
            write_arithmetic(self.model, self.terms, self.request, folder)
            say(f"arithmetic: {folder / NAME}{sheet_suffix(self.request.image_format)}")
        samples: list[Tensor] = []
        for name, work in self._begun():
            made = work._written(folder / name, None)
            judged = _at_most(JUDGED, JUDGED_PIXELS, self.model)
            first = list(itertools.islice(made, judged))
            count = len(first) + sum(1 for _ in made)
            samples = samples or first
            say(f"{counted(count, 'random sample')}: {folder / name}")
            if count > judged:
                say(
                    f"Note: the first {judged} samples are judged; the command metrics judges a "
                    "whole folder."
                )
        if not samples:
            return RandomSamples(samples)
        shown = samples[: GRID_SAMPLES - 1]
        names = ["training image", *(f"sample {number}" for number in range(len(shown)))]
        sheet = labelled(for_eyes(self.model, [self.model.real, *shown]), names)
        write_image(folder / f"samples_grid{sheet_suffix(self.request.image_format)}", sheet)
        for name, size in self.others:
            deque(self._written(folder / name, size), maxlen=0)  # many large ones fill memory
            say(f"the same at {size[1]}x{size[0]}: {folder / name}")
        crops, seams = self._beside_crops(folder, say), self._as_tiles(samples, folder, say)
        return RandomSamples(samples, crops, seams)

    def _as_tiles(self, samples: Sequence[Tensor], folder: Path, say: Say) -> Seams | None:
        config, form = self.model.config, self.request.image_format
        if not any(config.wraps):
            return None
        found, target = seams_of(samples, config.wraps), make_own_folder(folder / TILED)
        for index, preview in enumerate(found.previews):
            write_as(target / f"gen_sample_{index}_2x2", preview, form, config.channels)
        say(f"two by two: {target}; seam error {found.mean:.2f} (1 cannot be seen)")
        return found

    def _beside_crops(self, folder: Path, say: Say) -> BesideCrops | None:
        if not isinstance(self.model, Crops):
            return None
        found = beside_crops(self.model, self.request.seed)
        write_image(
            folder / f"{CROPS}{sheet_suffix(self.request.image_format)}", crops_sheet(found)
        )
        say(found.in_words)
        return found

    def _begun(self) -> Iterator[tuple[str, SampleWork]]:
        """For each stage to begin at the folder's name and the same work from there on."""
        if not self.request.start_stages or not isinstance(self.model, Begins):
            yield "random_samples", self
            return
        for stage in start_stages(self.model, self.request.start_stages):
            begun = replace(self, model=self.model.beginning_at(stage))
            yield f"random_samples_start_stage_{stage}", begun

    def _written(self, folder: Path, size: Size | None) -> Iterator[Tensor]:
        """Random samples, each written before it is passed on."""
        request = self.request
        target, channels = make_own_folder(folder), self.model.config.channels
        made = random_samples(
            self.model, request.num_samples, size, request.seed, request.batch_size
        )
        for index, sample in enumerate(tracked(made, request.num_samples, "making samples")):
            write_as(target / f"gen_sample_{index}", sample, request.image_format, channels)
            yield sample


def begin(model: Any, request: SamplesRequest) -> SampleWork:
    """Look whether `model` can make these sizes, see `contract.OutputCode`."""
    terms = terms_of(request.arithmetic) if request.arithmetic else ()
    if terms and not isinstance(model, Latent):
        raise no_arithmetic(model)
    refuse_format(request.image_format, model.config.channels)
    others = [] if request.one_size else other_sizes(model, request)
    if count := request.num_samples:
        for size in (None, *(size for _, size in others)):
            step = request.batch_size or model.at_a_time(size)
            refuse_too_large(model, size, min(step, count))
    if isinstance(model, Begins):
        start_stages(model, request.start_stages)
    return SampleWork(model, request, others, terms)


def preview(model: Any, naive: Tensor | None) -> list[Tensor]:  # noqa: ARG001
    """A few samples of a model in training."""
    count = _at_most(PREVIEWED, PREVIEWED_PIXELS, model)
    return list(random_samples(model, count, seed=model.config.manual_seed))


def _at_most(count: int, pixels: int, model: Any) -> int:
    """`count`, or as many pictures of the training size as have so many pixels, but one."""
    height, width = model.real.shape[-2:]
    return max(min(count, pixels // int(height * width)), 1)


def random_samples(
    model: Any,
    count: int,
    size: Size | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Iterator[Tensor]:
    """Random pictures, (1, 3, h, w) in [-1, 1] each, on the CPU, `count` of them.

    Args:
        model: that makes them, see `contract.Samples`; of a gray image gray ones.
        count: number of pictures.
        size: (h, w) in px, by default the training size.
        seed: chooses the pictures; picture i depends on (seed, i) alone, up to rounding.
        batch_size: pictures made at a time; by default what suits the device and the size.

    Raises:
        UserError: they take more memory than is free.
    """
    step = batch_size or model.at_a_time(size)
    real = model.real.cpu()
    refuse_too_large(model, size, min(step, count))
    for start in range(0, count, step):
        indices = range(start, min(start + step, count))
        yield from gray_as(real, model.sample(indices, size, seed)).split(1)
