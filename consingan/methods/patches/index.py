"""What the fast engine knows of a scale of the picture: every patch in a few dimensions.

Patches y are compared by z = V'(y - mean), V the leading eigenvectors of the covariance of some
of them. The patches themselves are never stored: a patch is p short lines of the picture's memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.methods.patches.pyramid import Size, size_of

DIMENSIONS = 64
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
        lines: (H * W - p + 1, C * p), p px of a line from each pixel on; a view, no copy.
        width: W in px.
    """

    patch: int
    grid: Size
    filters: Tensor
    offset: Tensor
    features: Tensor
    half: Tensor
    lines: Tensor
    width: int

    @property
    def channels(self) -> int:
        """C."""
        return self.filters.shape[1]

    def scores(self, z: Tensor, candidates: Tensor, alpha: float) -> Tensor:
        """alpha z.z_y - alpha^2 |z_y|^2/2 of (n, k) with the patches (n, m): (n, m)."""
        near = self.features.index_select(0, candidates.flatten()).view(*candidates.shape, -1)
        products = torch.bmm(near, z[:, :, None])[:, :, 0]
        return alpha * products - alpha**2 * self.half[candidates]

    def means(self, candidates: Tensor, weights: Tensor) -> Tensor:
        """Weighted sums of whole patches, (n, m) and (n, m) to (n, p, p, C)."""
        p = self.patch
        start = candidates // self.grid[1] * self.width + candidates % self.grid[1]
        lines = start[:, None] + torch.arange(p, device=start.device)[:, None] * self.width
        w = weights[:, None].expand(-1, p, -1)
        total = F.embedding_bag(
            lines.flatten(0, 1), self.lines, per_sample_weights=w.flatten(0, 1), mode="sum"
        )
        return total.view(len(candidates), p, p, self.channels)


def build_index(
    image: Tensor, patch: int, rng: torch.Generator, dimensions: int = DIMENSIONS
) -> Index:
    """The index of a picture (C, H, W); `rng` chooses the patches whose covariance is taken."""
    height, width = size_of(image)
    grid = height - patch + 1, width - patch + 1
    filters, mean = _basis(image, patch, rng, dimensions)
    offset = filters.flatten(1) @ mean
    features = F.conv2d(image[None], filters)[0].flatten(1).T.contiguous() - offset
    lined = image.permute(1, 2, 0).contiguous().flatten()
    channels = len(image)
    lines = lined.as_strided((height * width - patch + 1, patch * channels), (channels, 1))
    return Index(
        patch, grid, filters, offset, features, features.square().sum(1) / 2, lines, width
    )  # fmt: skip


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
    vectors = torch.linalg.eigh(centered.T @ centered).eigenvectors
    leading = vectors[:, -dimensions:].flip(1).T.contiguous()
    return leading.view(-1, len(image), patch, patch), mean
