"""All metrics of a set of samples at once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.usual import torch_as_usual

from .bidirectional import bidirectional_from
from .common import seeded, tensor
from .diversity import diversity, diversity_resampled, ms_ssim_between
from .novelty import neighbor_field, novelty_from
from .patches import match_scales
from .reconstruction import Reconstruction, reconstruction_quality
from .sifid import FIGURES, WEIGHT_FILES, Inception, load_inception, sifid
from .summary import (
    RESAMPLES,
    Summary,
    bootstrap_draws,
    resampled_pair_means,
    summarize,
    summarize_set,
)
from .swd import sliced_wasserstein


@dataclass(frozen=True)
class Metric:
    """What to know for reading a metric: its title, which way is better, and its meaning."""

    title: str
    better: Literal["lower", "higher"]
    meaning: str


METRICS: Mapping[str, Metric] = {
    "swd": Metric("SWD x1000", "lower", "distance of the patch distributions"),
    "coherence": Metric("coherence x1000", "lower", "nothing alien in the sample"),
    "completeness": Metric("completeness x1000", "lower", "nothing missing from the sample"),
    "copied": Metric("copied area", "lower", "share in large verbatim copies"),
    "piece": Metric("largest piece", "lower", "share that is one piece of the picture, shifted"),
    "new_texture": Metric("new texture", "lower", "share unlike anything in the real picture"),
    "entropy": Metric("rearrangement", "higher", "entropy of the patches' origins, 0 for a copy"),
    "diversity": Metric("diversity", "higher", "spread of pixels over samples"),
    "ms_ssim": Metric("MS-SSIM", "lower", "likeness of samples to each other"),
    "sifid": Metric("SIFID", "lower", "Inception features, as published"),
    "sifid_64": Metric("SIFID, 64 pooled", "lower", "those behind the first max-pool"),
    "sifid_192": Metric("SIFID, 192 pooled", "lower", "those behind the second max-pool"),
}
"""The metrics by name, in the order of tables."""


@dataclass(frozen=True)
class Judgement:
    """What the metrics say of a set of samples.

    Attributes:
        count: how many samples there were.
        metrics: a summary for each metric that could be computed, in the order of `METRICS`.
        values: the value of each sample, in the order of the samples, for the metrics that exist
            for one sample.
        reconstruction: PSNR and SSIM, where there was a reconstruction.
        notes: sentences on what was left out and how to get it.
    """

    count: int
    metrics: dict[str, Summary]
    values: dict[str, list[float]]
    reconstruction: Reconstruction | None = None
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts, strings and finite numbers, fit for JSON."""
        return asdict(self)

    def to_json(self) -> str:
        """Return JSON that `from_dict(json.loads(...))` brings back."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Judgement:
        """Return what `to_dict` was called on."""
        quality = plain["reconstruction"]
        if quality is not None and quality.get("size") is not None:
            quality = {**quality, "size": tuple(quality["size"])}
        return cls(
            count=plain["count"],
            metrics={name: Summary(**summary) for name, summary in plain["metrics"].items()},
            values={name: list(values) for name, values in plain["values"].items()},
            reconstruction=None if quality is None else Reconstruction(**quality),
            notes=list(plain["notes"]),
        )


Progress = Callable[[Sequence[int]], Iterable[int]]


@torch_as_usual()
def judge(
    real: Tensor,
    samples: Tensor | Sequence[Tensor],
    reconstruction: Tensor | None = None,
    inception_weights: Inception | str | Path | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    progress: Progress = iter,
) -> Judgement:
    """Compare samples with the one real picture by all metrics.

    Args:
        real: (1, 3, H, W) in [0, 1].
        samples: (N, 3, H', W') in [0, 1], or a sequence of such tensors, whose sizes may differ;
            the metrics between samples are left out then.
        reconstruction: (1, 3, H, W) in [0, 1], what the model gives back for the real picture.
        inception_weights: for SIFID: what `load_inception` takes or returns.
        seed: of the directions of SWD and of the bootstrap.
        resamples: how many sets the bootstrap draws.
        progress: passes on the numbers of the samples while they are judged, and may show it.

    Raises:
        UserError: pictures of a wrong shape or range, or unusable weights.
    """
    inception = inception_weights
    if isinstance(inception, (str, Path)):
        inception = load_inception(inception)
    pictures = _each(samples)
    quality = None if reconstruction is None else reconstruction_quality(real, reconstruction)
    draws = bootstrap_draws(len(pictures), resamples, seeded(seed))

    values = {"swd": _per_size(pictures, lambda some: _swd(real, some, seed))}
    values |= _patch_metrics(real, pictures, progress)
    distances, notes = _sifid(real, pictures, inception)
    values |= distances
    between, missing = _set_metrics(real, pictures, draws, seed)
    metrics = {name: summarize(value, draws) for name, value in values.items()} | between
    return Judgement(
        count=len(pictures),
        metrics={name: metrics[name] for name in METRICS if name in metrics},
        values={name: values[name].tolist() for name in METRICS if name in values},
        reconstruction=quality,
        notes=notes + missing,
    )


def _each(samples: Tensor | Sequence[Tensor]) -> list[Tensor]:
    """Every sample alone, (1, 3, H', W')."""
    several = isinstance(samples, Iterable) and not isinstance(samples, Tensor)
    pictures: list[Tensor] = []
    for group in samples if several else [samples]:
        pictures += torch.split(tensor(group, "the samples"), 1)
    if not pictures:
        raise UserError("There is no sample to judge.")
    return pictures


def _per_size(pictures: Sequence[Tensor], metric: Callable[[Tensor], Tensor]) -> Tensor:
    """Call a metric once for the pictures of each size; (N,) in the order of the pictures."""
    sizes = defaultdict(list)
    for number, picture in enumerate(pictures):
        sizes[tuple(picture.shape[1:])].append(number)
    result = torch.zeros(len(pictures), dtype=torch.float64)
    for numbers in sizes.values():
        some = metric(torch.cat([pictures[n] for n in numbers]))
        result[numbers] = some.double().cpu()
    return result


def _swd(real: Tensor, samples: Tensor, seed: int) -> Tensor:
    # The same directions for every size: the differences between samples are then less noisy.
    return sliced_wasserstein(real, samples, rng=seeded(seed))


def _patch_metrics(
    real: Tensor, pictures: Sequence[Tensor], progress: Progress
) -> dict[str, Tensor]:
    """Metrics that share the nearest neighbors, which take the longest."""
    both, views = [], []
    for number in progress(range(len(pictures))):
        matches = match_scales(real, pictures[number])
        both.append(bidirectional_from([matches]))
        views.append(novelty_from([neighbor_field(matches[0])]))
    return {
        "coherence": torch.cat([b.coherence for b in both]),
        "completeness": torch.cat([b.completeness for b in both]),
        "copied": torch.cat([v.copied for v in views]),
        "piece": torch.cat([v.piece for v in views]),
        "new_texture": torch.cat([v.new_texture for v in views]),
        "entropy": torch.cat([v.entropy for v in views]),
    }


def _sifid(
    real: Tensor, pictures: Sequence[Tensor], inception: Inception | None
) -> tuple[dict[str, Tensor], list[str]]:
    """Its figures of every sample, and sentences on those that are left out."""
    if inception is None:
        return {}, [
            "SIFID was left out: give the weights of Inception-v3, "
            f"--inception_weights {WEIGHT_FILES[0]} (or a file)."
        ]
    if real.shape[1] not in (1, 3):
        return {}, ["SIFID was left out: Inception-v3 knows gray and RGB pictures alone."]
    found = [sifid(real, picture, inception) for picture in pictures]
    names = [name for name in FIGURES if all(name in distances for distances in found)]
    small = ["Some layers of SIFID were left out: the pictures are too small for them."]
    figures = {name: torch.cat([distances[name] for distances in found]) for name in names}
    return figures, small if len(names) < len(FIGURES) else []


def _set_metrics(
    real: Tensor, pictures: Sequence[Tensor], draws: Tensor, seed: int
) -> tuple[dict[str, Summary], list[str]]:
    """Metrics between samples, and sentences on those that are left out."""
    if len(pictures) < 2 or len({picture.shape for picture in pictures}) > 1:
        return {}, ["Diversity and MS-SSIM were left out: they need two samples of one size."]
    samples, count = torch.cat(list(pictures)), len(pictures)
    pairs = ms_ssim_between(samples, rng=seeded(seed))
    likeness = resampled_pair_means(pairs.first, pairs.second, pairs.value, draws)
    spread = diversity_resampled(real, samples, draws)
    return {
        "diversity": summarize_set(diversity(real, samples), spread, count),
        "ms_ssim": summarize_set(pairs.value.mean(), likeness, count),
    }, []
