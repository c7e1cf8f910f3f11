"""For windows of one picture the windows of another that look most alike.

Matches are improved by what the neighbors found and by chance (PatchMatch, Barnes et al. 2009), so
that time and memory grow with the windows that count and not with the other picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int]

PATCH = 5  # px
STEP = 2  # px from window to window
ASKED = 2**13  # windows of the other picture that are all compared at first
CHUNK = 2**12  # windows at once
RADII = (2, 8, 32)  # px around a match in which others are drawn, beside the whole picture
NEIGHBORS = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1))
VOTE = 0.3
"""Width of a window's Gaussian weights, of half its side."""


@dataclass(frozen=True)
class Windows:
    """The windows of a picture; nothing is copied before it is asked for.

    Attributes:
        lines: (H * W - p + 1, p * C), the p px of a line from each pixel on.
        width: W in px.
        channels: C.
    """

    lines: Tensor
    width: int
    channels: int

    @classmethod
    def of(cls, picture: Tensor) -> Windows:
        """Those of (C, H, W)."""
        channels, height, width = picture.shape
        flat = picture.permute(1, 2, 0).contiguous().flatten()
        size = height * width - PATCH + 1, PATCH * channels
        return cls(flat.as_strided(size, (channels, 1)), width, channels)

    def at(self, places: Tensor) -> Tensor:
        """Those with their upper left pixels at `places` (n, 2): (n, p * p, C)."""
        numbers = places[:, :1] * self.width + places[:, 1:] + torch.arange(PATCH) * self.width
        rows = self.lines.index_select(0, numbers.flatten())
        return rows.view(len(places), PATCH**2, self.channels)


@dataclass(frozen=True)
class Lookalikes:
    """What the windows of a canvas look like, by their upper left pixels.

    Attributes:
        size: (h, w) of the canvas in px.
        other: (H, W) of the other picture.
        places: (rows, columns, 2), of every window the row and column of its match.
        counts: (rows, columns), bool, the windows that are looked for.
        moved: (rows, columns), bool, the windows that must not look at their own place.
    """

    size: Size
    other: Size
    places: Tensor
    counts: Tensor
    moved: Tensor

    @classmethod
    def first(cls, canvas: Tensor, other: Tensor, region: Tensor) -> Lookalikes:
        """Matches among windows of the other picture at regular places.

        Args:
            canvas: (C, h, w).
            other: (C, H, W), at least a window large.
            region: (h, w), bool: windows that touch it count.
        """
        size, there = _size(canvas), _size(other)
        counts = _touched(region)
        found = cls(size, there, _grid(size) * STEP, counts, torch.zeros_like(counts))
        rows, columns = (side - PATCH + 1 for side in there)
        apart = max(1, round((rows * columns / ASKED) ** 0.5))
        asked = torch.cartesian_prod(torch.arange(0, rows, apart), torch.arange(0, columns, apart))
        windows = Windows.of(other).at(asked).flatten(1)
        half = windows.square().sum(1) / 2
        own, at = Windows.of(_padded(canvas)), found.counts.nonzero()
        places = found.places.minimum(torch.tensor([rows - 1, columns - 1]))
        for some in at.split(CHUNK):
            nearest = (own.at(some * STEP).flatten(1) @ windows.T - half).argmax(1)
            places[some[:, 0], some[:, 1]] = asked[nearest]
        return replace(found, places=places)

    def enlarged(self, size: Size, other: Size, region: Tensor, changed: Tensor) -> Lookalikes:
        """The same matches, with their offsets, for larger pictures of the same things.

        Args:
            size: (h, w) of the canvas.
            other: (H, W) of the other picture.
            region: (h, w), bool: windows that touch it count.
            changed: (h, w), bool: windows that touch it do not look at their own place.
        """
        grid = _grid(size) * STEP
        here, there = (torch.tensor(s) / torch.tensor(t) for s, t in
                       ((self.size, size), (self.other, other)))  # fmt: skip
        half, last = PATCH / 2, torch.tensor(self.counts.shape) - 1
        window = (((grid + half) * here - half) / STEP).round().long()
        window = window.clamp_min(0).minimum(last)
        off = (grid + half) * here - half - window * STEP
        center = self.places[window[..., 0], window[..., 1]] + off + half
        places = (center / there - half).round().long()
        places = places.clamp_min(0).minimum(torch.tensor(other) - PATCH)
        return Lookalikes(size, other, places, _touched(region), _touched(changed))

    def improved(self, canvas: Tensor, other: Tensor, rng: torch.Generator) -> Lookalikes:
        """The best for each window of its own match, its neighbors' and some at random."""
        own, others = Windows.of(_padded(canvas)), Windows.of(other)
        places = self.places.clone()
        for some in self.counts.nonzero().split(CHUNK):
            candidates = self._candidates(some, rng)
            windows = others.at(candidates.flatten(0, 1)).view(*candidates.shape[:2], -1)
            windows -= own.at(some * STEP).flatten(1)[:, None]
            error = windows.square_().sum(2)
            here = (candidates - self._same(some)[:, None]).abs().amax(2) <= PATCH
            error[here & self.moved[some[:, 0], some[:, 1]][:, None]] = torch.inf
            best = error.argmin(1)
            places[some[:, 0], some[:, 1]] = candidates[torch.arange(len(best)), best]
        return replace(self, places=places)

    def voted(self, values: Tensor) -> Tensor:
        """What lies at the matches in (C, H, W), averaged where windows overlap: (C, h, w).

        0 where no window counts.
        """
        line = torch.exp(-((torch.linspace(-1, 1, PATCH) / VOTE) ** 2) / 2)
        weights = torch.outer(line, line).flatten().to(values)
        height, width = _covered(self.size)
        total = values.new_zeros(height * width, len(values) + 1)
        windows = Windows.of(torch.cat([values, torch.ones_like(values[:1])]))
        steps = torch.arange(PATCH)
        inside = (steps[:, None] * width + steps).flatten()
        for some in self.counts.nonzero().split(CHUNK):
            rows = windows.at(self.places[some[:, 0], some[:, 1]]) * weights[:, None]
            pixels = ((some[:, 0] * width + some[:, 1]) * STEP)[:, None] + inside
            total.index_add_(0, pixels.flatten(), rows.flatten(0, 1))
        mean = (total[:, :-1] / total[:, -1:].clamp_min(1e-12)).T.reshape(-1, height, width)
        return mean[:, : self.size[0], : self.size[1]]

    def _candidates(self, some: Tensor, rng: torch.Generator) -> Tensor:
        """Upper left pixels of what windows (n, 2) look at, (n, 14, 2)."""
        rows, columns = self.counts.shape
        near = []
        for i, j in NEIGHBORS:
            row, column = (
                (some[:, 0] + i).clamp(0, rows - 1),
                (some[:, 1] + j).clamp(0, columns - 1),
            )
            offset = (some - torch.stack([row, column], 1)) * STEP
            near.append(self.places[row, column] + offset)
        near.append(self._same(some))
        own = near[NEIGHBORS.index((0, 0))]
        for radius in (*RADII, max(self.other)):
            near.append(own + torch.randint(-radius, radius + 1, own.shape, generator=rng))
        return torch.stack(near, 1).clamp_min(0).minimum(torch.tensor(self.other) - PATCH)

    def _same(self, some: Tensor) -> Tensor:
        """The own places of windows (n, 2) in the other picture, (n, 2)."""
        sides = zip(self.size, self.other, strict=True)
        share = [(there - PATCH) / max(1, here - PATCH) for here, there in sides]
        return (some * STEP * torch.tensor(share)).round().long()


def _size(picture: Tensor) -> Size:
    return picture.shape[-2], picture.shape[-1]


def _covered(size: Size) -> Size:
    """Height and width that the windows of a canvas of `size` (h, w) cover, no less than it."""
    rows, columns = ((max(0, -(-(side - PATCH) // STEP))) * STEP + PATCH for side in size)
    return rows, columns


def _grid(size: Size) -> Tensor:
    """Row and column of every window of a canvas, (rows, columns, 2)."""
    counts = ((side - PATCH) // STEP + 1 for side in _covered(size))
    return torch.stack(torch.meshgrid(*map(torch.arange, counts), indexing="ij"), -1)


def _padded(canvas: Tensor) -> Tensor:
    """A canvas (C, h, w) with its last row and column repeated as far as windows go."""
    (height, width), (rows, columns) = _size(canvas), _covered(_size(canvas))
    beyond = (0, columns - width, 0, rows - height)
    return F.pad(canvas[None], beyond, mode="replicate")[0]


def _touched(region: Tensor) -> Tensor:
    """Which windows have a pixel of a region (h, w), bool."""
    marked = _padded(region[None].float())
    return F.max_pool2d(marked[None], PATCH, stride=STEP)[0, 0] > 0
