"""Paint-to-image with few colors: k-means of what enters a scale (paper, supplement).

The authors' "colors" are triples of horizontally neighboring values of one channel, because a
picture (1, 3, h, w) is read as rows of three numbers. That is the default; `rgb` takes the three
channels of a pixel instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

CENTERS = 5
RESTARTS = 10
ROUNDS = 300
TOLERANCE = 1e-4  # of the mean variance, for the moves of all centers together


@dataclass(frozen=True)
class Palette:
    """Centers (5, 3), float64, and what they are triples of."""

    centers: Tensor
    rgb: bool = False

    def quantize(self, x: Tensor) -> Tensor:
        """`x` (1, 3, h, w) with each triple replaced by a center.

        The clusters are those of k-means of `x` itself, begun from the centers; what stands in for
        a cluster is the center that it began from.
        """
        labels, _ = _lloyd(_rows(x, self.rgb), self.centers)
        return _picture(self.centers[labels], x, self.rgb)


def find_palette(x: Tensor, rng: torch.Generator, rgb: bool = False) -> Palette:
    """The best of ten k-means of a picture (1, 3, h, w); `rng` is a CPU generator."""
    rows = _rows(x, rgb)
    best, least = rows[:CENTERS], float("inf")
    for _ in range(RESTARTS):
        labels, centers = _lloyd(rows, _first_centers(rows, rng))
        error = float((rows - centers[labels]).square().sum())
        if error < least:
            best, least = centers, error
    return Palette(best, rgb)


def _rows(x: Tensor, rgb: bool) -> Tensor:
    """Triples (n, 3), float64, on the CPU."""
    values = x.detach().double().cpu()
    return (values.permute(0, 2, 3, 1) if rgb else values).reshape(-1, 3)


def _picture(rows: Tensor, like: Tensor, rgb: bool) -> Tensor:
    n, channels, height, width = like.shape
    if rgb:
        return rows.reshape(n, height, width, channels).permute(0, 3, 1, 2).to(like)
    return rows.reshape(like.shape).to(like)


def _first_centers(rows: Tensor, rng: torch.Generator) -> Tensor:
    """k-means++ (Arthur and Vassilvitskii 2007): each center drawn by squared distance."""
    chosen = [int(torch.randint(len(rows), (1,), generator=rng))]
    nearest = torch.full((len(rows),), float("inf"), dtype=rows.dtype)
    while len(chosen) < CENTERS:
        nearest = torch.minimum(nearest, (rows - rows[chosen[-1]]).square().sum(1))
        even = torch.ones_like(nearest) if nearest.sum() == 0 else nearest
        chosen.append(int(torch.multinomial(even, 1, generator=rng)))
    return rows[chosen]


def _lloyd(rows: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """Labels (n,) and centers (5, 3) of k-means begun from `centers`."""
    enough = TOLERANCE * float(rows.var(0, unbiased=False).mean())
    before: Tensor | None = None
    for _ in range(ROUNDS):
        labels = _labels(rows, centers)
        moved = _means(rows, labels, centers)
        shift = float((moved - centers).square().sum())
        centers = moved
        if before is not None and torch.equal(labels, before):
            return labels, centers
        if shift <= enough:
            break
        before = labels
    return _labels(rows, centers), centers


def _labels(rows: Tensor, centers: Tensor) -> Tensor:
    return _distances(rows, centers).argmin(1)


def _distances(rows: Tensor, centers: Tensor) -> Tensor:
    return (rows[:, None] - centers[None]).square().sum(2)


def _means(rows: Tensor, labels: Tensor, centers: Tensor) -> Tensor:
    """Mean of each cluster; an empty one takes the row that is farthest from its own center."""
    counts = torch.bincount(labels, minlength=CENTERS)
    empty = (counts == 0).nonzero().flatten().tolist()
    if empty:
        own = (rows - centers[labels]).square().sum(1)
        farthest = own.argsort(descending=True)[: len(empty)]
        labels = labels.clone()
        labels[farthest] = torch.tensor(empty)
        counts = torch.bincount(labels, minlength=CENTERS)
    sums = torch.zeros_like(centers).index_add_(0, labels, rows)
    return torch.where(counts[:, None] > 0, sums / counts[:, None].clamp(min=1), centers)
