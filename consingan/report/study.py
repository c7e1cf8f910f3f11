"""What a study found: its trainings, means over pictures and seeds, effects of its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consingan.images.names import shown
from consingan.metrics.common import seeded
from consingan.metrics.judge import METRICS, Judgement
from consingan.metrics.summary import Summary, summarize_groups

DRAWS = 1000  # of a bootstrap

Variant = tuple[tuple[str, Any], ...]  # (name, value) of what is varied


@dataclass(frozen=True)
class Figure:
    """A column of the tables: its title, and whether lower or higher is better."""

    title: str
    better: str

    @property
    def arrow(self) -> str:
        """Which way is better."""
        return "↓" if self.better == "lower" else "↑"


FIGURES: Mapping[str, Figure] = {
    **{name: Figure(metric.title, metric.better) for name, metric in METRICS.items()},
    "psnr": Figure("PSNR", "higher"),
    "ssim": Figure("SSIM", "higher"),
    "minutes": Figure("minutes", "lower"),
}
"""All figures of a training by name, in the order of tables."""


@dataclass(frozen=True)
class Trained:
    """One training of a study.

    Attributes:
        picture: what it is called in tables.
        variant: what is varied, with the values of this training.
        seed: of the training.
        status: waiting, training, judging, finished, failed or stopped.
        words: why it failed.
        run: the run's folder, once there is one.
        judgement: of a finished one.
        seconds: that the training took.
    """

    picture: str
    variant: Variant
    seed: int
    status: str
    words: str = ""
    run: Path | None = None
    judgement: Judgement | None = None
    seconds: float | None = None

    @property
    def figures(self) -> dict[str, float]:
        """Those that it has, by the names of `FIGURES`."""
        if self.judgement is None:
            return {}
        found = {name: summary.mean for name, summary in self.judgement.metrics.items()}
        if self.judgement.reconstruction is not None:
            quality = self.judgement.reconstruction
            found |= {"psnr": quality.psnr, "ssim": quality.ssim}
        if self.seconds is not None:
            found["minutes"] = self.seconds / 60
        return found


def words_of(variant: Variant) -> str:
    """A variant as it is called in tables."""
    return shown(", ".join(f"{name} {value}" for name, value in variant)) or "all"


def variants_in(trained: Sequence[Trained]) -> list[Variant]:
    """In their order."""
    return list(dict.fromkeys(one.variant for one in trained))


def figures_in(trained: Sequence[Trained]) -> list[str]:
    """Names of the figures that some training has, in the order of `FIGURES`."""
    there = {name for one in trained for name in one.figures}
    return [name for name in FIGURES if name in there]


def summaries(trained: Sequence[Trained]) -> dict[Variant, dict[str, Summary]]:
    """For each variant: every figure over pictures and seeds; pictures weigh alike."""
    return {
        variant: _over_pictures(
            (one.picture, one.figures) for one in trained if one.variant == variant
        )
        for variant in variants_in(trained)
    }


def _over_pictures(found: Iterator[tuple[str, dict[str, float]]]) -> dict[str, Summary]:
    by_figure: dict[str, dict[str, list[float]]] = {}
    for picture, figures in found:
        for name, value in figures.items():
            by_figure.setdefault(name, {}).setdefault(picture, []).append(value)
    return {
        name: summarize_groups(list(by_figure[name].values()), DRAWS, seeded(0))
        for name in FIGURES
        if name in by_figure
    }


@dataclass(frozen=True)
class Effect:
    """What one value of a setting changes against the first one.

    Attributes:
        setting: its name.
        value: of which the effect is.
        first: that it is compared with.
        changes: figure -> differences between trainings that are alike but for this setting.
    """

    setting: str
    value: Any
    first: Any
    changes: Mapping[str, Summary]

    def clear(self, name: str) -> str:
        """Whether a figure is "better" or "worse", its interval on one side of 0; else ""."""
        summary = self.changes[name]
        if summary.low is None or summary.high is None or summary.low <= 0 <= summary.high:
            return ""
        lower = summary.high < 0
        return "better" if lower == (FIGURES[name].better == "lower") else "worse"


def effects(trained: Sequence[Trained]) -> list[Effect]:
    """The effect of each value of each setting but its first, by pairs of trainings.

    Two trainings are a pair if picture, seed and all other settings are the same; so neither the
    pictures' nor the seeds' own differences count.
    """
    names = list(dict.fromkeys(name for one in trained for name, _ in one.variant))
    found = []
    for name in names:
        values = list(
            dict.fromkeys(dict(o.variant)[name] for o in trained if name in dict(o.variant))
        )
        for value in values[1:]:
            pairs = list(_pairs(trained, name, values[0], value))
            changes = _over_pictures(
                (b.picture, {k: b.figures[k] - a.figures[k] for k in a.figures if k in b.figures})
                for a, b in pairs
            )
            found.append(Effect(name, value, values[0], changes))
    return found


def _pairs(
    trained: Sequence[Trained], name: str, first: Any, value: Any
) -> Iterator[tuple[Trained, Trained]]:
    def rest(one: Trained) -> tuple[Any, ...]:
        return (one.picture, one.seed, tuple(part for part in one.variant if part[0] != name))

    of_first = {rest(one): one for one in trained if dict(one.variant).get(name) == first}
    for one in trained:
        if dict(one.variant).get(name) == value and rest(one) in of_first:
            yield of_first[rest(one)], one


def comparable(trained: Sequence[Trained], name: str) -> bool:
    """Whether all means of a figure are over the same pictures: some may not be trained, or fail.

    One picture differs from another by more than most settings do.
    """
    pictures: dict[Variant, set[str]] = {}
    for one in trained:
        if name in one.figures:
            pictures.setdefault(one.variant, set()).add(one.picture)
    return len(set(map(frozenset, pictures.values()))) < 2


def best(trained: Sequence[Trained], name: str) -> dict[str, tuple[Variant, float]]:
    """For each picture the variant whose mean of a figure over seeds is best, and that mean."""
    by_picture: dict[str, dict[Variant, list[float]]] = {}
    for one in trained:
        if name in one.figures:
            found = by_picture.setdefault(one.picture, {})
            found.setdefault(one.variant, []).append(one.figures[name])
    choose: Callable[..., Variant] = min if FIGURES[name].better == "lower" else max
    chosen = {}
    for picture, values in by_picture.items():
        means = {variant: sum(some) / len(some) for variant, some in values.items()}
        winner = choose(means, key=lambda variant, means=means: means[variant])
        chosen[picture] = (winner, means[winner])
    return chosen
