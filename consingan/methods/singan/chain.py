"""How pictures climb through trained scales (paper, eq. 4 and 5), whoever runs the generators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.methods.singan.networks import Generator, frame
from consingan.methods.singan.resize import Size, crop, resize, resize_around
from consingan.settings.tiles import ENDS, Wraps

TILE = 512  # px, side of what goes through a generator at a time


@dataclass(frozen=True)
class Scale:
    """One trained scale; what the rest of the toolkit calls a stage.

    Attributes:
        generator: in evaluation mode, so that it normalizes with its running statistics.
        real: (1, 3, h, w) in [-1, 1], the training image at this scale.
        fixed: z* with its frame, (1, 3, h + 10, w + 10).
        amplitude: factor on this scale's noise, 1 for scale 0.
        wraps: whether pictures go on at their other end, bottom at top and right at left.
    """

    generator: Generator
    real: Tensor
    fixed: Tensor
    amplitude: float
    wraps: Wraps = ENDS

    @property
    def size(self) -> Size:
        """(h, w) in px of the training image at this scale."""
        return self.real.shape[-2], self.real.shape[-1]

    @property
    def margin(self) -> int:
        """Pixels that noise and what comes from below have more on each side."""
        return self.generator.architecture.frame

    def to(self, device: torch.device | str) -> Scale:
        """The same on another device (the generator is moved, not copied)."""
        return replace(
            self,
            generator=self.generator.to(device),
            real=self.real.to(device),
            fixed=self.fixed.to(device),
        )


class Runner(Protocol):
    """Runs a trained generator; faster ones are in fast_networks.py."""

    def __call__(self, generator: Generator, x: Tensor, y: Tensor) -> Tensor:
        """G(x, y) in evaluation mode, see `Generator.forward`."""
        ...


def run_plainly(generator: Generator, x: Tensor, y: Tensor) -> Tensor:
    """G(x, y) as its own modules compute it."""
    picture: Tensor = generator(x, y)
    return picture


@dataclass(frozen=True)
class Tiled:
    """A runner that passes large pictures in tiles, which overlap by the frame.

    That changes nothing: the generator sees 11x11 px and normalizes with its running statistics.
    """

    run: Runner
    tile: int = TILE

    def __call__(self, generator: Generator, x: Tensor, y: Tensor) -> Tensor:
        """See `Runner`."""
        margin = 2 * generator.architecture.frame
        height, width = x.shape[-2] - margin, x.shape[-1] - margin
        if max(height, width) <= self.tile:
            return self.run(generator, x, y)
        made = y.new_empty(*x.shape[:2], height, width)
        for top in range(0, height, self.tile):
            for left in range(0, width, self.tile):
                bottom, right = min(top + self.tile, height), min(left + self.tile, width)
                window = (..., slice(top, bottom + margin), slice(left, right + margin))
                made[..., top:bottom, left:right] = self.run(generator, x[window], y[window])
        return made


@torch.no_grad()
def climb(
    scales: Sequence[Scale],
    noises: Sequence[Tensor],
    image: Tensor,
    factor: float,
    run: Runner = run_plainly,
) -> Tensor:
    """What the last of `scales` gives, (N, 3, h, w) in [-1, 1].

    Args:
        scales: one after the other, not necessarily from scale 0 on.
        noises: z with its frame for each of them, (N, 3, h_k + 10, w_k + 10).
        image: what enters the first, (N, 3, h_k, w_k); zeros for scale 0.
        factor: 1/r, by which pictures grow from one scale to the next.
        run: how a generator is executed.
    """
    picture = image
    for number, (scale, noise) in enumerate(zip(scales, noises, strict=True)):
        margin, wraps = scale.margin, scale.wraps
        below = picture if number == 0 else handed_up(picture, factor, noise, margin, wraps)
        previous = _stretched(frame(below, margin, wraps), noise)
        picture = run(scale.generator, scale.amplitude * noise + previous, previous)
    return picture


def handed_up(
    picture: Tensor, factor: float, noise: Tensor, margin: int, wraps: Wraps = ENDS
) -> Tensor:
    """A scale's picture, grown by `factor` and cut to the size of the next one's `noise`.

    Along axes that wrap it is brought to that size around the ring, and nothing is cut.
    """
    size = (noise.shape[-2] - 2 * margin, noise.shape[-1] - 2 * margin)
    if any(wraps):
        return resize_around(picture, size, (factor, factor), wraps)
    return crop(resize(picture, factor), size)


def _stretched(previous: Tensor, noise: Tensor) -> Tensor:
    """A framed picture brought to the noise's size, which can be larger by a rounding."""
    size = (noise.shape[-2], noise.shape[-1])
    if previous.shape[-2:] == size:
        return previous
    return F.interpolate(crop(previous, size), size, mode="bilinear", align_corners=True)
