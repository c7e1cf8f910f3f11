"""What pictures are compared by beside their pixels: VGG19's features, or some that need no file.

The paper takes the maps after conv1_2 to conv5_2 with averages for pools, and weights that make all
of them alike but the last, which counts ten times (section 3.2 and its program). For that maps are
divided by their mean over the training image, whatever the scale of the features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.methods.crn.config import CRNConfig
from consingan.nn.features import BANKS
from consingan.nn.noise import stream
from consingan.nn.vgg import Vgg, load_vgg, said_of_weights

Features = Callable[[Tensor], list[Tensor]]
"""Maps of pictures (N, 3, h, w) in [-1, 1]."""

DEPTH, BLOCKS = 19, 5
SECOND = 1  # of the convolutions of each block
WEIGHTS = (1.0, 1.0, 1.0, 1.0, 10.0)  # of conv1_2 to conv5_2


@dataclass(frozen=True)
class Published:
    """VGG19 as the paper uses it.

    Attributes:
        vgg: its five blocks.
        scales: of each map, so that its mean over the training image is its weight.
    """

    vgg: Vgg
    scales: list[float]

    def __call__(self, image: Tensor) -> list[Tensor]:
        """The weighted maps, fine to coarse."""
        return [x * scale for x, scale in zip(maps(self.vgg, image), self.scales, strict=True)]


def maps(vgg: Vgg, image: Tensor) -> list[Tensor]:
    """After conv1_2 to conv5_2, of (N, 3, h, w) in [-1, 1]."""
    return [block[SECOND] for block in vgg.rectified(image, "average")]


@torch.no_grad()
def published(vgg: Vgg, image: Tensor) -> Published:
    """Scaled for a training image (1, 3, h, w)."""
    means = [float(x.mean().clamp_min(1e-6)) for x in maps(vgg, image)]
    return Published(vgg, [weight / mean for weight, mean in zip(WEIGHTS, means, strict=True)])


def features_of(config: CRNConfig, image: Tensor) -> Features | None:
    """What the settings say; None compares pixels alone.

    Raises:
        UserError: the file of weights cannot be used.
    """
    if not config.features:
        return None
    if config.vgg_weights:
        return published(load_vgg(config.vgg_weights, DEPTH, BLOCKS).to(image.device), image)
    return BANKS[config.compared](image, stream(config.manual_seed, "filters"))


def facts_of(config: CRNConfig) -> Iterator[str]:
    """Which file of weights it is, where there is one."""
    if config.vgg_weights and config.features:
        yield said_of_weights(config.vgg_weights, DEPTH)
