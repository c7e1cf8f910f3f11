"""The numbers of a sampling, by application: the authors' and the fast ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Recipe:
    """How a picture is sampled.

    Attributes:
        patch: p, side of a patch in px.
        floor: m, the shortest side in px a scale may have; None: no such floor.
        scales: S; None: as many as bring the shortest side down to m.
        steps: noise levels T of each scale, coarsest first; the last holds for all finer ones.
        strides: px between the windows of the canvas, in the same order.
        eta: share of fresh noise in each step, 0 (none) to 1.
        sigma_min: the last noise level.
        start: the noise level at which finer scales begin, around the finished coarser one;
            1 is pure noise (the paper).
        rho: width of the weights by which overlapping windows are averaged.
    """

    patch: int = 15
    floor: int | None = 24
    scales: int | None = None
    steps: Sequence[int] = (10,)
    strides: Sequence[int] = (1,)
    eta: float = 0.0
    sigma_min: float = 1e-4
    start: float = 1.0
    rho: float = 0.2


def at(values: Sequence[T], scale: int, scales: int) -> T:
    """The value for `scale` (0 is the finest) of those given coarsest first."""
    return values[min(scales - 1 - scale, len(values) - 1)]


PAPER: Mapping[str, Recipe] = {
    "generation": Recipe(),
    "retarget": Recipe(floor=15, steps=(25,), eta=1.0),
    "symmetric": Recipe(steps=(25,), eta=1.0),
    "tile": Recipe(floor=30, steps=(25,), eta=1.0),
    "analogy": Recipe(patch=11, floor=None, scales=3, steps=(50, 10), sigma_min=1e-2),
}
"""Defaults of the authors' programs, in the space of pixels."""

FAST_STEPS, FAST_STRIDES, FAST_START = (10, 6, 5, 4), (1, 1, 2), 0.7
"""Of the fast engine, coarsest scale first; chosen by measurement (benchmarks/results)."""


def hastened(recipe: Recipe) -> Recipe:
    """The recipe for the fast engine: fewer steps, later starts, every second window."""
    return replace(recipe, steps=FAST_STEPS, strides=FAST_STRIDES, start=FAST_START, eta=0.0)
