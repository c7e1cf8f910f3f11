"""The rule by which samples of a run are judged, the same for every command."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from consingan.images.io import unit
from consingan.machine.precision import Arithmetic
from consingan.machine.progress import in_words, tracked
from consingan.metrics.judge import Judgement, Progress, judge
from consingan.metrics.reconstruction import Reconstruction
from consingan.metrics.sifid import Inception
from consingan.outputs.contract import Say
from consingan.outputs.finish import Degree, finish_of
from consingan.outputs.large import reduced
from consingan.outputs.samples import random_samples
from consingan.report.gather import gather
from consingan.report.kinds import KINDS
from consingan.report.large import quality_of
from consingan.report.material import Material
from consingan.runs.load import LoadedRun

SIZES_DIFFER = (
    "PSNR and SSIM are of reconstructions at different sizes: compare them only at one size."
)
WORTH_SAYING = 5.0  # seconds of judging that the user wants to know of


def judge_samples(
    material: Material,
    samples: Sequence[Tensor],
    device: torch.device,
    say: Say,
    inception: Inception | None = None,
) -> Judgement:
    """Hold samples to the image, and the reconstruction as `given_back` says.

    Args:
        material: of the run.
        samples: (1, C, h, w) in [-1, 1] each; large ones reduced, as the image will be.
        device: where metrics are computed.
        say: told how long it takes.
        inception: weights for SIFID.
    """
    real = reduced(unit(material.real).to(device))
    with Arithmetic().scope(device):  # in full precision, as on a CPU
        seen = [unit(sample) for sample in samples]
        found = judge(real, seen, None, inception, progress=announced(say))
    return dataclasses.replace(found, reconstruction=given_back(material))


def judged_alike(run: LoadedRun, samples: int, inception: Inception | None = None) -> Judgement:
    """Figures of a run that come about as those of any other, whatever was evaluated of it before.

    Of samples of seed 0, finished as in its training, where it makes any and some are to be judged.
    """
    material = gather(run)
    if not (samples and KINDS[material.kind].mapped):
        return Judgement(0, {}, {}, given_back(material))
    made = samples_of(run, samples, 0, None)
    return judge_samples(material, made, run.model.device, lambda _: None, inception)


def samples_of(run: LoadedRun, count: int, seed: int, degree: Degree | None) -> list[Tensor]:
    """Samples of a run, large ones reduced; None finishes them as in its training."""
    level, within, patch = degree or (None, None, None)
    finish = finish_of(run.model, level, seed, within=within, patch=patch)
    return [reduced(s) for s in random_samples(run.model, count, seed=seed, finish=finish)]


def given_back(material: Material) -> Reconstruction | None:
    """How well a run gives back its training image, where it can."""
    if material.reconstruction is None:
        return None
    return quality_of(unit(material.real), unit(material.reconstruction), material.sketch)


def at_several_sizes(judgements: Iterable[Judgement | None]) -> bool:
    """Whether PSNR and SSIM were computed at one size here and at another there."""
    qualities = [found.reconstruction for found in judgements if found is not None]
    return len({quality.size for quality in qualities if quality is not None}) > 1


def announced(say: Say) -> Progress:
    """Return a progress that says how long judging will take, once it knows, and shows a bar."""

    def progress(numbers: Sequence[int]) -> Iterable[int]:
        begun = time.perf_counter()
        yield from numbers[:1]
        left = (time.perf_counter() - begun) * (len(numbers) - 1)
        if left > WORTH_SAYING:
            say(
                f"judging {len(numbers)} samples takes about {in_words(left)} "
                "(--no_metrics skips it)"
            )
        yield from tracked(numbers[1:], len(numbers) - 1, "judging")

    return progress
