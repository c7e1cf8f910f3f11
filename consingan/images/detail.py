"""Fine detail for a result that was made small and is wanted large.

From octave to octave, with u the result enlarged from the size before and D x = x - up(down(x))
what a picture x has beyond that size,

    result = u + w a D own + (1 - w) D other.

*own* is the user's picture, whose edges lie where the result's do. a is the slope of the regression
of the small result on the small own picture around each pixel (He and Sun, Fast Guided Filter,
2015): detail of what the model kept is kept, with its new contrast, and of what the model made anew
it is not. *other* is the training picture, looked up where it looks like u (`lookalikes`), as in
image analogies (Hertzmann et al. 2001). Where both have something to say, the stronger one is heard
(Burt and Kolczynski, Enhanced image capture through fusion, 1993).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.images.lookalikes import Lookalikes
from consingan.images.resize import Size, resize_large

ROUNDS = 2  # of looking for windows in each octave, and one more with the detail found
AROUND = 1.5  # px of the small picture: sigma of the neighborhood of a regression
PRIOR = 1e-3  # variance of colors in [-1, 1] below which a neighborhood is flat and its slope 1
STEEPEST = 1.5
NEAR = 2.0  # px: sigma of the neighborhood in which details are weighed
OWN_SAY = 4.0
"""With 1, 2, 4 edges of two harmonized objects (correlation of gradients with the naive image) were
kept to 0.67, 0.75, 0.82 and 0.78, 0.85, 0.89, at 1.14, 1.11, 1.05 and 1.04, 1.02, 1.00 times the
painting's sharpness and the same SWD to it."""
ALIKE = 0.08  # mean difference of colors in [-1, 1] up to which a pixel was not changed
LONGER = 4  # times as many pixels as a result's that a picture is enlarged to beyond its own size
LOUDER = 2.0  # how much detail that averaging weakened may be strengthened
SILENT = 1e-10


@dataclass(frozen=True)
class Octave:
    """A step to a larger size.

    Attributes:
        before, now: sizes (h, w).
        region: (1, 1, *now), bool, where detail is wanted.
    """

    before: Size
    now: Size
    region: Tensor

    def beside(self, before: Size) -> Octave:
        """The same step of a picture of another shape, (h, w) at the size before."""
        if before == self.before:
            return self
        ratios = (now / then for now, then in zip(self.now, self.before, strict=True))
        rows, columns = (round(side * ratio) for side, ratio in zip(before, ratios, strict=True))
        return Octave(before, (rows, columns), self.region)

    def parted(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Of a picture at this size what it has at the size before, enlarged, and the rest."""
        low = resize_large(resize_large(picture, self.before), self.now)
        return low, picture - low


@dataclass(frozen=True)
class Detail:
    """What a source knows of an octave.

    Attributes:
        values: (1, C, h, w), to be added.
        strength: (1, 1, h, w), their mean square around each pixel.
        say: times which it counts beside others as strong.
    """

    values: Tensor
    strength: Tensor
    say: float = 1.0


class Source(Protocol):
    """Knows detail."""

    def detail(self, up: Tensor, octave: Octave) -> Detail:
        """For a result enlarged to an octave, (1, C, h, w)."""
        ...


@dataclass(frozen=True)
class Own:
    """Detail of the picture that the result was made from, (1, C, H, W) in [-1, 1].

    Attributes:
        picture: at its own size.
        slope: (1, 1, h, w), how much of its contrast the small result has.
    """

    picture: Tensor
    slope: Tensor

    @classmethod
    def of(cls, picture: Tensor, small: Tensor) -> Own:
        """The slope of a small result on its picture, 1 where both are flat."""
        x = resize_large(picture, size_of(small))
        mean_x, mean_y = blurred(x, AROUND), blurred(small, AROUND)
        both = (blurred(x * small, AROUND) - mean_x * mean_y).mean(1, keepdim=True)
        one = (blurred(x * x, AROUND) - mean_x * mean_x).mean(1, keepdim=True)
        return cls(picture, ((both + PRIOR) / (one + PRIOR)).clamp(0, STEEPEST))

    def detail(self, up: Tensor, octave: Octave) -> Detail:  # noqa: ARG002
        """See `Source`."""
        beyond = octave.parted(resize_large(self.picture, octave.now))[1]
        detail = resize_large(self.slope, octave.now).clamp(0, STEEPEST) * beyond
        return Detail(detail, energy(detail), OWN_SAY)


@dataclass
class Other:
    """Detail of a picture of the same kind, (1, C, H, W) in [-1, 1], where it looks alike.

    What was changed in the user's picture is not looked up in its own place: what was there, a wire
    say, may be too thin to be seen in the small result, and must not come back.

    Attributes:
        picture: at any size.
        own: the user's.
        matches: of the octave before.
        rng: of what is looked at by chance.
    """

    picture: Tensor
    own: Tensor
    matches: Lookalikes
    rng: torch.Generator

    @classmethod
    def of(
        cls, other: tuple[Tensor, Size], own: Tensor, small: Tensor, region: Tensor,
        rng: torch.Generator,
    ) -> Other:  # fmt: skip
        """Looked up where things are as large as in the small result.

        Args:
            other: the picture, and the size (h, w) at which that is so.
            own: the user's.
            small: the result, of its shape.
            region: (1, 1, H, W), bool.
            rng: of what is looked at by chance.
        """
        picture, size = other
        alike = resize_large(picture, size).clamp(-1, 1)
        inside = reduced(region, size_of(small))
        return cls(picture, own, Lookalikes.first(small[0], alike[0], inside[0, 0]), rng)

    def detail(self, up: Tensor, octave: Octave) -> Detail:
        """See `Source`."""
        if self._is_spent(octave):
            return Detail(torch.zeros_like(up), torch.zeros_like(up[:, :1]))
        there = octave.beside(self.matches.other)
        whole = resize_large(self.picture, there.now)
        low, high = there.parted(whole)
        changed = torch.zeros_like(octave.region[0, 0])  # of another shape there is no own place
        if there.now == octave.now:
            changed = (resize_large(self.own, octave.now) - whole).abs().mean(1)[0] > ALIKE
        matches = self.matches.enlarged(octave.now, there.now, octave.region[0, 0], changed)
        for _ in range(ROUNDS):
            matches = matches.improved(up[0], low[0], self.rng)
        full = torch.cat([up, up + matches.voted(high[0])], 1)
        self.matches = matches.improved(full[0], torch.cat([low, whole], 1)[0], self.rng)
        strength = self.matches.voted(high[0].square().mean(0, keepdim=True))
        return Detail(self.matches.voted(high[0])[None], blurred(strength[None], NEAR))

    def _is_spent(self, octave: Octave) -> bool:
        """Whether only memory is to be had: of a very long picture, larger than it ever was."""
        longer = math.prod(self.matches.other) / math.prod(self.matches.size)
        own = math.prod(size_of(self.picture))
        return longer > LONGER and longer * math.prod(octave.before) >= own


def sharpened(small: Tensor, size: Size, region: Tensor, sources: Sequence[Source]) -> Tensor:
    """A result (1, C, h, w) in [-1, 1] enlarged to `size` (h, w), with detail in a region.

    Args:
        small: the result.
        size: larger than that, of the same shape.
        region: (1, 1, *size), bool.
        sources: of the detail.
    """
    canvas = small
    for before, now in itertools.pairwise(octaves(size_of(small), size)):
        octave = Octave(before, now, reduced(region, now))
        canvas = resize_large(canvas, now)
        found = [source.detail(canvas, octave) for source in sources]
        if found:
            canvas = torch.where(octave.region, canvas + mixed(found), canvas)
    return canvas.clamp(-1, 1)


def octaves(small: Size, size: Size) -> Iterator[Size]:
    """Sizes from `small` to `size` (h, w), each at most twice as large as the one before."""
    ratio = max(large / little for large, little in zip(size, small, strict=True))
    count = max(1, math.ceil(math.log2(ratio) - 1e-6))
    yield small
    for number in range(1, count + 1):
        share = number / count
        rows, columns = (
            round(s ** (1 - share) * t**share) for s, t in zip(small, size, strict=True)
        )
        yield rows, columns


def mixed(found: Sequence[Detail]) -> Tensor:
    """Details weighed by strength and say, and as strong as these ask for, (1, C, h, w)."""
    weights = torch.cat([one.say * one.strength.clamp_min(SILENT) for one in found], 1)
    weights = weights / weights.sum(1, keepdim=True)
    total = torch.zeros_like(found[0].values)
    wanted = torch.zeros_like(found[0].strength)
    for weight, one in zip(weights.split(1, 1), found, strict=True):
        total += weight * one.values
        wanted += weight * one.strength
    gain = ((wanted + SILENT) / (energy(total) + SILENT)).sqrt()
    return total * gain.clamp(1, LOUDER)


def energy(detail: Tensor) -> Tensor:
    """Mean square around each pixel, (1, C, h, w) to (1, 1, h, w)."""
    return blurred(detail.square().mean(1, keepdim=True), NEAR)


def blurred(picture: Tensor, sigma: float) -> Tensor:
    """A Gaussian blur of (1, C, H, W), the border's pixels repeated."""
    radius = math.ceil(3 * sigma)
    line = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2).to(picture)
    line = (line / line.sum()).view(1, 1, -1, 1)
    rows = F.pad(picture.transpose(0, 1), (radius,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(rows, line), line.transpose(2, 3)).transpose(0, 1)


def reduced(region: Tensor, size: Size) -> Tensor:
    """A region (1, 1, H, W), bool, at another size: every pixel that it touches."""
    return F.adaptive_max_pool2d(region.float(), size) > 0


def size_of(picture: Tensor) -> Size:
    """Height and width of (..., H, W)."""
    return picture.shape[-2], picture.shape[-1]
