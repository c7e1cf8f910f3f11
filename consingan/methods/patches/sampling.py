"""A whole sample: from a noisy canvas at some scale to the finished finest one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from consingan.methods.patches.denoiser import Denoiser
from consingan.methods.patches.levels import Levels, flow_linear
from consingan.methods.patches.pyramid import NO_WRAP, Size, Wrap, blend, resize
from consingan.methods.patches.recipe import Recipe, at
from consingan.methods.patches.sampler import Descent, descend
from consingan.nn.noise import stream


class Noise(Protocol):
    """All that is random on the canvases, standard normal, (C, h, w)."""

    def start(self, scale: int) -> Tensor: ...  # noqa: D102
    def fresh(self, scale: int, t: int) -> Tensor: ...  # noqa: D102


class Engine(Protocol):
    """Gives the denoiser of one scale after another, coarse to fine.

    `coarse` is the finished canvas of the scale before, None at the first.
    """

    def denoiser(self, scale: int, size: Size, coarse: Tensor | None) -> Denoiser: ...  # noqa: D102


@dataclass(frozen=True)
class SeededNoise:
    """Noise that depends on (seed, index) alone, whatever the device and the other samples.

    Attributes:
        seed, index: of the sample.
        sizes: (h, w) of the canvases, finest first.
        like: a tensor of the channels (C, ...), device and precision wanted.
    """

    seed: int
    index: int
    sizes: Sequence[Size]
    like: Tensor

    def start(self, scale: int) -> Tensor:
        """What scale `scale` starts from."""
        return self._drawn("start", scale, scale)

    def fresh(self, scale: int, t: int) -> Tensor:
        """Z of step t."""
        return self._drawn("fresh", scale, scale, t)

    def _drawn(self, purpose: str, scale: int, *keys: int) -> Tensor:
        rng = stream(self.seed, "patches", self.index, purpose, *keys)
        return torch.randn(len(self.like), *self.sizes[scale], generator=rng).to(self.like)


@dataclass(frozen=True)
class Entry:
    """Where a sample begins: the state x (C, h, w) of a scale at noise level t (0: finished)."""

    scale: int
    state: Tensor
    level: int


@dataclass(frozen=True)
class Canvas:
    """What is made.

    Attributes:
        sizes: (h, w) of its scales, finest first.
        recipe: the numbers.
        wrap: where it goes on at its other end.
        around: what is laid around a scale's denoiser (a mirror, shifts), by default nothing.
        done: called after every step.
        coarsest: the noise level at which the coarsest scale begins.
    """

    sizes: Sequence[Size]
    recipe: Recipe
    wrap: Wrap = NO_WRAP
    around: Callable[[int, Denoiser], Denoiser] = lambda _, denoise: denoise
    done: Callable[[], None] | None = None
    coarsest: float = 1.0

    @property
    def scales(self) -> int:
        """S."""
        return len(self.sizes)

    def levels(self, scale: int) -> Levels:
        """The noise levels of a scale."""
        recipe = self.recipe
        start = self.coarsest if scale == self.scales - 1 else recipe.start
        return flow_linear(at(recipe.steps, scale, self.scales), recipe.sigma_min, start)


def from_noise(canvas: Canvas, noise: Noise) -> Entry:
    """The beginning of an unconditional sample: sigma_T * noise at the coarsest scale."""
    scale = canvas.scales - 1
    levels = canvas.levels(scale)
    return Entry(scale, levels.sigma[-1] * noise.start(scale), levels.last)


def on_layout(canvas: Canvas, layout: Tensor, noise: Noise, level: float) -> tuple[Canvas, Entry]:
    """The beginning of a sample whose coarsest scale is given, (C, h, w).

    At level 0 it is the finished one, as published; else it is made anew from that much noise.
    """
    last = canvas.scales - 1
    if level == 0:
        return canvas, Entry(last, layout, 0)
    canvas = replace(canvas, coarsest=level)
    levels = canvas.levels(last)
    state = levels.alpha[-1] * layout + levels.sigma[-1] * noise.start(last)
    return canvas, Entry(last, state, levels.last)


def sample(canvas: Canvas, engine: Engine, noise: Noise, entry: Entry | None = None) -> Tensor:
    """One sample (C, H, W), from `entry` (by default pure noise) to the finest scale."""
    entry = entry or from_noise(canvas, noise)
    coarse: Tensor | None = None
    finished = entry.state
    for scale in range(entry.scale, -1, -1):
        if scale == entry.scale:
            x, level = entry.state, entry.level
        else:
            coarse = finished
            levels = canvas.levels(scale)
            x, level = started(coarse, levels, noise.start(scale), canvas.wrap), levels.last
        finished = one_scale(canvas, engine, noise, Entry(scale, x, level), coarse)
    return finished


def started(coarse: Tensor, levels: Levels, noise: Tensor, wrap: Wrap = NO_WRAP) -> Tensor:
    """x_T = alpha_T up(coarse) + sigma_T noise (C, h, w); alpha_T is 0 in the paper."""
    if levels.alpha[-1] == 0:
        return levels.sigma[-1] * noise
    up = resize(coarse, (noise.shape[1], noise.shape[2]), wrap)
    return levels.alpha[-1] * up + levels.sigma[-1] * noise


def one_scale(
    canvas: Canvas, engine: Engine, noise: Noise, entry: Entry, coarse: Tensor | None
) -> Tensor:
    """The finished canvas of the entry's scale, laid on the finished coarser one."""
    if entry.level == 0:
        return entry.state
    scale, floor = entry.scale, canvas.recipe.floor
    denoise = engine.denoiser(scale, canvas.sizes[scale], coarse)
    descent = Descent(
        canvas.levels(scale),
        canvas.around(scale, denoise),
        None if coarse is None else partial(blend, coarse=coarse, floor=floor, wrap=canvas.wrap),
        canvas.recipe.eta,
        partial(noise.fresh, scale),
    )
    return descend(entry.state, descent, entry.level, canvas.done)
