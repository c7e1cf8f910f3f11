"""From one value for each sample to mean, spread and confidence interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

RESAMPLES = 1000
AT_ONCE = 2**22  # numbers that are drawn at a time
_TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Summary:
    """A metric over the samples.

    Attributes:
        mean: the mean over the samples, or the value of a metric that exists once for the set.
        std: standard deviation over the samples (dividing by N - 1), 0 for one sample; for a
            metric of the set, over the bootstrap.
        median: over the samples; for a metric of the set, over the bootstrap.
        low: lower end of the bootstrap 95 % interval of the mean; None where there are too few
            samples to tell.
        high: its upper end.
        count: how many samples there were.
    """

    mean: float
    std: float
    median: float
    low: float | None
    high: float | None
    count: int


def bootstrap_draws(count: int, resamples: int, rng: torch.Generator) -> Tensor:
    """Draw sets of samples with replacement: (resamples, count) numbers of samples."""
    return torch.randint(count, (resamples, count), generator=rng)


def summarize(values: Tensor, draws: Tensor) -> Summary:
    """Summarize one value for each sample.

    The interval is the percentile bootstrap's (Efron 1979), of the mean.

    Args:
        values: (N,).
        draws: (B, N) from `bootstrap_draws`.
    """
    values = values.double().cpu()
    count = len(values)
    low, high = _interval(values[draws].mean(1)) if count > 1 else (None, None)
    return Summary(
        mean=float(values.mean()),
        std=float(values.std()) if count > 1 else 0.0,
        median=_median(values),
        low=low,
        high=high,
        count=count,
    )


def summarize_set(value: Tensor, resampled: Tensor, count: int) -> Summary:
    """Summarize a metric that exists once for all samples.

    Args:
        value: a scalar.
        resampled: (B,), the metric of resampled sets of samples; nan where it does not exist.
        count: how many samples there are; under three there is no interval.
    """
    resampled = resampled.double().cpu()
    resampled = resampled[resampled.isfinite()]
    if count < 3 or len(resampled) < 2:
        return Summary(float(value), 0.0, float(value), None, None, count)
    low, high = _interval(resampled)
    return Summary(float(value), float(resampled.std()), _median(resampled), low, high, count)


def summarize_groups(
    groups: Sequence[Sequence[float]], draws: int, rng: torch.Generator
) -> Summary:
    """Summarize values that come in groups, of trainings on several pictures, say.

    Every group weighs the same. The interval is that of a bootstrap of two levels: groups are drawn
    with replacement, and in each its values (Davison and Hinkley 1997, section 3.8).

    Args:
        groups: one value or more in each.
        draws: how many sets the bootstrap draws.
        rng: of the bootstrap.
    """
    every = torch.tensor([value for group in groups for value in group], dtype=torch.float64)
    means = torch.tensor([sum(group) / len(group) for group in groups], dtype=torch.float64)
    sizes = torch.tensor([len(group) for group in groups])
    low = high = None
    if len(every) > 1:
        at_once = max(1, AT_ONCE // (len(groups) * int(sizes.max())))
        parts = [min(at_once, draws - begun) for begun in range(0, draws, at_once)]
        low, high = _interval(torch.cat([_resampled(every, sizes, n, rng) for n in parts]))
    return Summary(
        mean=float(means.mean()),
        std=float(every.std()) if len(every) > 1 else 0.0,
        median=_median(every),
        low=low,
        high=high,
        count=len(every),
    )


def _resampled(every: Tensor, sizes: Tensor, draws: int, rng: torch.Generator) -> Tensor:
    """(draws,): means over groups drawn with replacement, of values drawn so in each.

    Args:
        every: the values of all groups, one group after the other.
        sizes: (G,) how many values each has.
        draws: how many.
        rng: of the draws.
    """
    groups, most = len(sizes), int(sizes.max())
    drawn = torch.randint(groups, (draws, groups), generator=rng)
    share = torch.rand(draws, groups, most, generator=rng, dtype=torch.float64)
    starts = sizes.cumsum(0) - sizes
    place = starts[drawn, None] + (share * sizes[drawn, None]).long()
    there = torch.arange(most) < sizes[drawn, None]
    return ((every[place] * there).sum(2) / sizes[drawn]).mean(1)


def lies_apart(better: str, summaries: Sequence[Summary | None]) -> int | None:
    """Number of the one whose interval lies apart from all others on the better side.

    Of one without an interval the mean counts, that of a single sample; it is never the answer
    itself.

    Args:
        better: lower or higher.
        summaries: of one metric; None where there is none.
    """
    sign = 1 if better == "lower" else -1
    spans = []
    for place, summary in enumerate(summaries):
        if summary is not None:
            ends = (summary.low, summary.high)
            known = None not in ends
            low, high = sorted(sign * (summary.mean if end is None else end) for end in ends)
            spans.append((low, high, known, place))
    spans.sort()
    if len(spans) < 2 or spans[0][1] >= min(low for low, *_ in spans[1:]):
        return None
    return spans[0][3] if spans[0][2] else None


def resampled_pair_means(first: Tensor, second: Tensor, value: Tensor, draws: Tensor) -> Tensor:
    """Mean over the pairs in resampled sets; a sample is no pair with its own copy.

    Args:
        first: (P,) numbers of samples.
        second: (P,) numbers of samples.
        value: (P,) a value for each pair.
        draws: (B, N) from `bootstrap_draws`.

    Returns:
        (B,), nan where a set has none of the pairs.
    """
    count = draws.shape[1]
    times = torch.zeros(len(draws), count, dtype=torch.float64)
    times.scatter_add_(1, draws, torch.ones_like(draws, dtype=torch.float64))
    weight = times[:, first] * times[:, second]
    return (weight @ value.double().cpu()) / weight.sum(1)


def _interval(resampled: Tensor) -> tuple[float, float]:
    low, high = resampled.quantile(torch.tensor(_TAILS, dtype=resampled.dtype)).tolist()
    return low, high


def _median(values: Tensor) -> float:
    # Between the two middle values of an even number, which Tensor.median does not do.
    return float(values.quantile(0.5))
