"""Features that a picture is compared by where no trained network is at hand.

Each bank looks at several scales, made by averages of 2 x 2 px; a map is divided by its mean over
the picture that the bank was made for, so that differences of all maps weigh alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SCALES = 3
PATCH = 7  # px
LEADING = 32  # eigenvectors
FLOOR = 0.05  # added to the deviation along an eigenvector, of pictures in [-1, 1]
RANDOM = 32  # random filters of each scale


@dataclass(frozen=True)
class Bank:
    """Filters for each scale, (n, 3, k, k); maps are 2 n, of both signs of each, rectified.

    Attributes:
        filters: of each scale, fine to coarse.
        means: of the rectified maps of the picture that the bank was made for.
    """

    filters: list[Tensor]
    means: list[float]

    def __call__(self, image: Tensor) -> list[Tensor]:
        """Maps of (N, 3, h, w) in [-1, 1], one tensor for each scale."""
        return [x / mean for x, mean in zip(_maps(self.filters, image), self.means, strict=True)]


def _maps(filters: list[Tensor], image: Tensor) -> list[Tensor]:
    found, x = [], image
    for k, each in enumerate(filters):
        x = F.avg_pool2d(x, 2) if k else x
        y = F.conv2d(x, each.to(x), padding=each.shape[-1] // 2)
        found.append(F.relu(torch.cat([y, -y], 1)))
    return found


@torch.no_grad()
def _bank(filters: list[Tensor], image: Tensor) -> Bank:
    here = [each.to(image) for each in filters]
    return Bank(here, [float(x.mean().clamp_min(1e-6)) for x in _maps(here, image)])


def scales_for(image: Tensor) -> int:
    """Scales at which a picture still has some patches."""
    return max(1, min(SCALES, (min(image.shape[-2:]) // (2 * PATCH)).bit_length()))


@torch.no_grad()
def own_patches(
    image: Tensor,
    rng: torch.Generator,  # noqa: ARG001 - as the others
    known: Tensor | None = None,
) -> Bank:
    """The principal components of the picture's own 7x7 patches, each by its deviation.

    Args:
        image: (1, 3, h, w) in [-1, 1].
        rng: of banks that are drawn.
        known: (1, 1, h, w), 1 where patches may be taken from; None is everywhere.
    """
    filters, x = [], image.cpu().double()
    share = torch.ones_like(x[:, :1]) if known is None else known.cpu().to(x)
    for k in range(scales_for(image)):
        x, share = (F.avg_pool2d(v, 2) if k else v for v in (x, share))
        whole = F.unfold(share, PATCH)[0].mean(0) > 1 - 1e-6
        patches = F.unfold(x, PATCH)[0]
        patches = patches[:, whole] if bool(whole.any()) else patches
        patches = patches - patches.mean(1, keepdim=True)
        values, vectors = torch.linalg.eigh(patches @ patches.T / patches.shape[1])
        leading = vectors[:, -LEADING:].T / (values[-LEADING:].clamp_min(0).sqrt() + FLOOR)[:, None]
        filters.append(leading.reshape(-1, 3, PATCH, PATCH).float())
    return _bank(filters, image)


@torch.no_grad()
def random_filters(image: Tensor, rng: torch.Generator) -> Bank:
    """Gaussian filters of 3, 5 and 7 px without a mean, of length 1."""
    filters = []
    for _ in range(scales_for(image)):
        drawn = torch.zeros(RANDOM, 3, PATCH, PATCH)
        for number in range(RANDOM):
            edge = (2, 1, 0)[number % 3]
            side = PATCH - 2 * edge
            inner = torch.randn(3, side, side, generator=rng)
            inner = inner - inner.mean()
            drawn[number, :, edge : edge + side, edge : edge + side] = inner / inner.norm()
        filters.append(drawn)
    return _bank(filters, image)


BANKS: dict[str, Callable[[Tensor, torch.Generator], Bank]] = {
    "patches": own_patches,
    "filters": random_filters,
}
