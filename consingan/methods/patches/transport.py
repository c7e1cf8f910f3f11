r"""Sliced transport: a canvas comes nearer to the picture's own distribution of small patches.

Along a random direction w in the space of patches, the k-th smallest number of the canvas goes to
where the k-th smallest of the picture is, which is the optimal transport of one to the other. Each
patch moves by the mean over directions,

    move(x_i) = D E_{|w| = 1} [ (Q_w^picture(rank_i) - w.x_i) w ],

and each pixel by the mean of the patches that cover it (Pitie et al., Automated colour grading
using colour distribution transfer, 2007; of patches Rabin et al., Wasserstein Barycenter and its
Application to Texture Mixing, 2011). What there is too much of gives way to what is missing, with
little change of where things are: patches of a few pixels know nothing of places. This is this
program's own; the published method has no such step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.machine.device import complete
from consingan.methods.patches.denoiser import Denoiser
from consingan.methods.patches.pyramid import NO_WRAP, Wrap, size_of

SIDE = 5  # px of a patch; 3 do less for contents, 7 hold the layout and cost variety
DIRECTIONS = 12  # a step
SAME = 1e-5  # neighbors in rank that are nearer count as one; colors are in [-1, 1]


@dataclass(frozen=True)
class Transport:
    """Moves what a denoiser expects, at every noise level but the last and pure noise.

    At the last a finished scale is made of the picture's patches alone; behind pure noise all
    patches are alike, so that none is the smallest.

    Attributes:
        steps: at each level.
        last: the last noise level.
        rng: draws the directions.
    """

    steps: int
    last: float
    rng: torch.Generator

    def around(self, denoise: Denoiser, picture: Tensor, wrap: Wrap = NO_WRAP) -> Denoiser:
        """`denoise` of canvases that are to be like `picture` (C, h, w); they go on by `wrap`."""

        def moved(x: Tensor, alpha: float, sigma: float) -> Tensor:
            clean = denoise(x, alpha, sigma)
            if alpha == 0 or sigma < 2 * self.last:
                return clean
            return self.moved(clean, picture, wrap)

        return moved

    def moved(self, canvas: Tensor, picture: Tensor, wrap: Wrap = NO_WRAP) -> Tensor:
        """The canvas (C, h', w') after all steps; sizes may differ from the picture's."""
        for _ in range(self.steps):
            canvas = canvas + _move(canvas, picture, wrap, self.rng)
        return canvas


def _move(canvas: Tensor, picture: Tensor, wrap: Wrap, rng: torch.Generator) -> Tensor:
    """What one step adds."""
    channels, side = len(canvas), min(SIDE, *size_of(canvas), *size_of(picture))
    drawn = torch.randn(DIRECTIONS, channels * side**2, generator=rng).to(canvas)
    directions = F.normalize(drawn, dim=1).view(DIRECTIONS, channels, side, side)
    around = tuple(side - 1 if ends else 0 for ends in wrap)
    numbers = F.conv2d(_continued(canvas, around)[None], directions)[0]
    wanted = _wanted(numbers.flatten(1), F.conv2d(picture[None], directions)[0].flatten(1))
    gap = wanted.view_as(numbers) - numbers
    moves = F.conv_transpose2d(gap[None], directions)[0] * (drawn.shape[1] / DIRECTIONS)
    covers = F.conv_transpose2d(torch.ones_like(gap[None, :1]), canvas.new_ones(1, 1, side, side))
    return _led_back(moves, around) / _led_back(covers[0], around)


def _continued(canvas: Tensor, around: Sequence[int]) -> Tensor:
    """The canvas with so many of its first rows and columns again at its end."""
    canvas = torch.cat([canvas, canvas[:, : around[0]]], 1)
    return torch.cat([canvas, canvas[:, :, : around[1]]], 2)


def _led_back(values: Tensor, around: Sequence[int]) -> Tensor:
    """The sums of what `_continued` made two of."""
    down, right = (n - more for n, more in zip(size_of(values), around, strict=True))
    found = values[:, :down, :right].clone()
    found[:, : around[0]] += values[:, down:, :right]
    found[:, :, : around[1]] += values[:, :down, right:]
    found[:, : around[0], : around[1]] += values[:, down:, right:]
    return found


def _wanted(numbers: Tensor, real: Tensor) -> Tensor:
    """Where each of (n, m) numbers goes: to the number of its rank among `real`, (n, m').

    Numbers that are as good as the same, as those of a wall are, go to the mean of theirs: whoever
    came first among them would depend on its place.
    """
    count = numbers.shape[1]
    ranks = (torch.arange(count, device=real.device) * 2 + 1) * real.shape[1] // (2 * count)
    exact = real.sort(1).values[:, ranks].to(complete(real.device), torch.float64)
    sums = F.pad(exact.cumsum(1), (1, 0))
    ascending, order = numbers.sort(1)
    group = F.pad(ascending.diff(dim=1) > SAME, (1, 0)).long().cumsum(1)
    first, beyond = (torch.searchsorted(group, group, right=right) for right in (False, True))
    first, beyond = first.to(sums.device), beyond.to(sums.device)
    means = ((sums.gather(1, beyond) - sums.gather(1, first)) / (beyond - first)).to(numbers.dtype)
    return torch.empty_like(numbers).scatter_(1, order, means.to(numbers.device))
