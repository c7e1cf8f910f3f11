"""What the fast engine knows of a scale of the picture: every patch in a few dimensions.

Patches y are compared by z = V'(y - mean), V the leading eigenvectors of the covariance of some
of them. The patches themselves are never stored whole (2.7 kB a pixel): a patch is p lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.machine.device import complete
from consingan.methods.patches.lines import Lines
from consingan.methods.patches.pyramid import Size, size_of

DIMENSIONS = 128
STRIP = 2**16  # px whose features are computed at once
LARGE = 2**18
"""Above so many px features are half as many and, as the lines, kept in half precision."""
SAMPLED = 4000


@dataclass(frozen=True)
class Index:
    """All patches of a picture (C, H, W), numbered row by row of their upper left corners.

    Attributes:
        patch: p in px.
        grid: (rows, columns) of patches.
        filters: (k, C, p, p), the rows of V'.
        offset: (k,), V'mean.
        features: (N, k), z of every patch.
        half: (N,), |z|^2 / 2.
        lines: the patches themselves.
    """

    patch: int
    grid: Size
    filters: Tensor
    offset: Tensor
    features: Tensor
    half: Tensor
    lines: Lines

    @property
    def channels(self) -> int:
        """C."""
        return self.filters.shape[1]

    def features_of(self, x: Tensor, alpha: float, stride: int) -> Tensor:
        """V'(x - alpha mean) of the windows inside (C, h, w), (n, k)."""
        z = F.conv2d(x[None], self.filters, -alpha * self.offset, stride=stride)
        return z[0].flatten(1).T

    def scores(self, z: Tensor, candidates: Tensor, alpha: float) -> Tensor:
        """Alpha z.z_y - alpha^2 |z_y|^2/2 of (n, k) with the patches (n, m): (n, m)."""
        near = self.features.index_select(0, candidates.flatten()).to(z.dtype)
        products = torch.bmm(near.view(*candidates.shape, -1), z[:, :, None])[:, :, 0]
        return alpha * products - alpha**2 * self.half[candidates]

    def means(self, candidates: Tensor, weights: Tensor) -> Tensor:
        """Weighted sums of whole patches, (n, m) and (n, m) to (n, p, p, C)."""
        p, lines = self.patch, self.lines.numbers(candidates)
        w = weights.to(self.lines.rows.dtype)[:, None].expand(-1, p, -1)
        total = F.embedding_bag(
            lines.transpose(1, 2).flatten(0, 1),
            self.lines.rows,
            per_sample_weights=w.flatten(0, 1),
            mode="sum",
        )
        return total.view(len(candidates), p, p, self.channels).to(weights.dtype)


def build_index(image: Tensor, patch: int, rng: torch.Generator) -> Index:
    """The index of a picture (C, H, W); `rng` chooses the patches whose covariance is taken."""
    height, width = size_of(image)
    large = height * width > LARGE
    dimensions, dtype = (DIMENSIONS // 2, torch.float16) if large else (DIMENSIONS, image.dtype)
    filters, mean = _basis(image, patch, rng, dimensions)
    offset = filters.flatten(1) @ mean
    grid = height - patch + 1, width - patch + 1
    features = image.new_empty((grid[0] * grid[1], len(filters)), dtype=dtype)
    half = image.new_empty(grid[0] * grid[1])
    height_of_strip = max(1, STRIP // width)
    for top in range(0, grid[0], height_of_strip):
        bottom = min(grid[0], top + height_of_strip)
        strip = image[None, :, top : bottom + patch - 1]
        z = F.conv2d(strip, filters, -offset)[0].flatten(1).T
        features[top * grid[1] : bottom * grid[1]] = z
        half[top * grid[1] : bottom * grid[1]] = z.square().sum(1) / 2
    return Index(patch, grid, filters, offset, features, half, Lines.of(image, patch, dtype))


def _basis(
    image: Tensor, patch: int, rng: torch.Generator, dimensions: int
) -> tuple[Tensor, Tensor]:
    """Filters (k, C, p, p), most of the variance first, and the mean patch (D,)."""
    rows, columns = image.shape[1] - patch + 1, image.shape[2] - patch + 1
    count = min(SAMPLED, rows * columns)
    chosen = torch.randperm(rows * columns, generator=rng)[:count].to(image.device)
    every = image.unfold(1, patch, 1).unfold(2, patch, 1)
    sampled = every[:, chosen // columns, chosen % columns].transpose(0, 1).flatten(1)
    mean = sampled.mean(0)
    centered = sampled - mean
    products = (centered.T @ centered).to(complete(image.device))
    vectors = torch.linalg.eigh(products).eigenvectors.to(image.device)
    leading = vectors[:, -dimensions:].flip(1).T.contiguous()
    return leading.view(-1, len(image), patch, patch), mean
