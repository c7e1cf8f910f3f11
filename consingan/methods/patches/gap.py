"""One scale of a picture with a hole: the windows that touch the hole and what they look like.

A window's pixels count by how well they are known, c = FALL^-(distance from what is known, px),

    error(i, j) = sum_u c_iu |x_iu - y_ju - d_ij|^2 / sum_u c_iu + C near |at_i - at_j| / side,

d the patch's shift in color, at most SHIFT of each channel; and pixels of the hole are the mean of
all windows' shifted patches there, weighted by c of the windows' middles: what lies at the edge
decides first, the inside follows (Wexler et al. 2007, eq. 3; the shift as in Darabi et al., Image
Melding, 2012). It is the closed-form denoiser's limit of no noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.methods.patches.holes import depth, nearest_free, touched
from consingan.methods.patches.lines import Lines
from consingan.methods.patches.pyramid import size_of

FALL = 1.6
"""With 1.3, 1.6, 2.2 eight squares of 40 px had an SWD of 23.6, 19.5, 20.0; PSNR 16.9, 17.1, 16.8
dB."""
SHIFT = 0.05  # of colors in [-1, 1]: more lost texture
STRIP = 2**12  # windows at once
SCORES = 2**24  # compared at once
STEPS = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1))
JUMPS = ((-5, 0), (5, 0), (0, -5), (0, 5))
RADII = (3, 12, 48)


@dataclass(frozen=True)
class Gap:
    """A picture (C, h, w) with a hole (h, w), bool, at one scale.

    Attributes:
        picture: what is known; its hole does not matter.
        hole: the missing pixels.
        lines: the picture's patches.
        open: (M,), numbers of the windows that touch the hole.
        free: (F,), numbers of the patches that do not.
        nearest: (N,), of each patch the nearest one that is free.
        count: (M, p * p), what the windows' pixels count, c, summing up to 1.
        vote: (M,), c of the windows' middles.
        near: what a patch's distance from its window costs.
    """

    picture: Tensor
    hole: Tensor
    lines: Lines
    open: Tensor
    free: Tensor
    nearest: Tensor
    count: Tensor
    vote: Tensor
    near: float

    @classmethod
    def of(cls, picture: Tensor, hole: Tensor, patch: int, near: float) -> Gap:
        """The gap that a hole tears; it must leave a patch free."""
        lines = Lines.of(picture, patch)
        taken = touched(hole, patch).flatten()
        open_ = torch.where(taken)[0]
        count = (FALL ** -depth(hole).to(picture)).flatten()[lines.pixels(open_)]
        vote = count[:, patch**2 // 2]
        free = torch.where(~taken)[0]
        nearest = nearest_free(hole, patch)
        count = count / count.sum(1, keepdim=True)
        return cls(picture, hole, lines, open_, free, nearest, count, vote, near)

    def own(self) -> Tensor:
        """Of every window (N,) the patch at its own place, or the nearest one that is free."""
        return self.nearest.clone()

    def looked_up(self, canvas: Tensor) -> Tensor:
        """The best of all free patches for each open window of a canvas (C, h, w): (M,)."""
        patches = self.lines.whole(self.free)
        squares, flat = patches.square().sum(2), patches.flatten(1)
        found = []
        for some in self._parts(max(1, SCORES // len(self.free))):
            count, x = self.count[some], self._rows(canvas, self.open[some])
            counted = x * count[..., None]
            error = torch.addmm(count @ squares.T, counted.flatten(1), flat.T, alpha=-2.0)
            for c, mean in enumerate(counted.sum(1).unbind(1)):
                off = mean[:, None] - count @ patches[..., c].T
                shift = off.clamp(-SHIFT, SHIFT)
                error += shift * (shift - 2 * off)
            error += self._distance(self.open[some, None], self.free[None])
            found.append(self.free[error.argmin(1)])
        return torch.cat(found)

    def improved(self, canvas: Tensor, matches: Tensor, rng: torch.Generator) -> Tensor:
        """The best for each open window of its own, its neighbors' and random patches: (M,).

        Args:
            canvas: (C, h, w).
            matches: (N,), of all windows.
            rng: of the random ones (Barnes et al., PatchMatch, 2009).
        """
        found = []
        for some in self._parts(STRIP):
            count, windows = self.count[some], self.open[some]
            candidates = self._candidates(windows, matches, rng)
            off = self._rows(canvas, windows)[:, None] - self.lines.whole(candidates)
            off -= _shift(off, count)[:, :, None]
            error = torch.einsum("nku,nu->nk", off.square_().sum(3), count)
            error += self._distance(windows[:, None], candidates)
            found.append(candidates.gather(1, error.argmin(1, keepdim=True))[:, 0])
        return torch.cat(found)

    def voted(self, matches: Tensor, canvas: Tensor) -> Tensor:
        """The canvas (C, h, w) with the hole's pixels as the matches (M,) of the windows say."""
        channels = self.lines.channels
        total = self.picture.new_zeros(self.hole.numel(), channels + 1)
        for some in self._parts(STRIP):
            windows, rows = self.open[some], self.lines.whole(matches[some])
            off = self._rows(canvas, windows) - rows
            rows = rows + _shift(off[:, None], self.count[some])
            rows = torch.cat([rows, torch.ones_like(rows[..., :1])], 2)
            rows *= self.vote[some, None, None]
            total.index_add_(0, self.lines.pixels(windows).flatten(), rows.flatten(0, 1))
        mean = (total[:, :channels] / total[:, channels:]).T.view_as(self.picture)
        return torch.where(self.hole, mean, self.picture)

    def misfit(self, canvas: Tensor, matches: Tensor) -> Tensor:
        """The mean error of the matches (M,) whose windows show a pixel, (h, w); 0 elsewhere."""
        total = self.picture.new_zeros(self.hole.numel(), 2)
        for some in self._parts(STRIP):
            count, windows = self.count[some], self.open[some]
            off = self._rows(canvas, windows) - self.lines.whole(matches[some])
            off -= _shift(off[:, None], count)
            error = (off.square_().sum(2) * count).sum(1)
            both = torch.stack([error, torch.ones_like(error)], 1) * self.vote[some, None]
            pixels = self.lines.pixels(windows)
            spread = both[:, None].expand(-1, pixels.shape[1], -1)
            total.index_add_(0, pixels.flatten(), spread.flatten(0, 1))
        mean = torch.where(total[:, 1] > 0, total[:, 0] / total[:, 1], 0)
        return mean.view(self.hole.shape)

    def _rows(self, canvas: Tensor, windows: Tensor) -> Tensor:
        """The pixels of windows (n,), (n, p * p, C)."""
        return canvas.flatten(1)[:, self.lines.pixels(windows)].permute(1, 2, 0)

    def _distance(self, windows: Tensor, patches: Tensor) -> Tensor:
        """What the distance of windows from patches costs."""
        columns = self.lines.grid[1]
        down = (windows // columns - patches // columns).to(self.picture)
        right = (windows % columns - patches % columns).to(self.picture)
        cost = self.near * self.lines.channels / max(size_of(self.picture))
        return cost * torch.hypot(down, right)

    def _candidates(self, windows: Tensor, matches: Tensor, rng: torch.Generator) -> Tensor:
        """Numbers of free patches, (n, 17): of 9 neighbors, 4 farther windows, and 4 at random."""
        rows, columns = self.lines.grid
        row, column = windows // columns, windows % columns
        places = []
        for i, j in STEPS + JUMPS:
            there = (row + i).clamp(0, rows - 1), (column + j).clamp(0, columns - 1)
            match = matches[there[0] * columns + there[1]]
            places.append((match // columns + row - there[0], match % columns + column - there[1]))
        at = places[STEPS.index((0, 0))]
        for radius in (*RADII, max(rows, columns)):
            moved = torch.randint(-radius, radius + 1, (2, len(windows)), generator=rng).to(row)
            places.append((at[0] + moved[0], at[1] + moved[1]))
        numbers = [r.clamp(0, rows - 1) * columns + c.clamp(0, columns - 1) for r, c in places]
        return self.nearest[torch.stack(numbers, 1)]

    def _parts(self, size: int) -> Iterator[slice]:
        return (slice(i, i + size) for i in range(0, len(self.open), size))


def _shift(off: Tensor, count: Tensor) -> Tensor:
    """Mean differences (n, k, p * p, C), counted (n, p * p), as far as they may be: (n, k, C)."""
    return torch.einsum("nkuc,nu->nkc", off, count).clamp_(-SHIFT, SHIFT)
