"""What DeepSIM and pix2pixHD compare pictures by beside the critics' features: VGG19's.

Their programs take the maps after the first ReLU of each block, and give VGG pictures in [-1, 1] as
they are, without ImageNet's mean and deviation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.methods.pix2pix.config import Pix2PixConfig
from consingan.nn.vgg import Vgg, load_vgg, said_of_weights

DEPTH, BLOCKS = 19, 5
FIRST = 0  # of the convolutions of each block
WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)  # of relu1_1 to relu5_1


@dataclass(frozen=True)
class Perceptual:
    """The term of the generator's loss that goes by VGG19."""

    vgg: Vgg

    def maps(self, image: Tensor) -> list[Tensor]:
        """Of (N, 3, h, w) in [-1, 1], fine to coarse; as many as it has pixels for."""
        halvings = min(image.shape[-2:]).bit_length()
        blocks = self.vgg.blocks[:halvings]
        return [block[FIRST] for block in Vgg(blocks).maps(image)]

    def __call__(self, made: Tensor, image: Tensor) -> Tensor:
        """The mean difference of each map, by `WEIGHTS`; no gradient goes to `image`."""
        with torch.no_grad():
            real = self.maps(image)
        terms = [(x - y).float().abs().mean() for x, y in zip(self.maps(made), real, strict=True)]
        return torch.stack([w * t for w, t in zip(WEIGHTS, terms, strict=False)]).sum()


def perceptual_of(config: Pix2PixConfig, device: torch.device) -> Perceptual | None:
    """What the settings say; None is the paper's loss.

    Raises:
        UserError: the file of weights cannot be used.
    """
    if not config.vgg_weights or not config.perceptual:
        return None
    return Perceptual(load_vgg(config.vgg_weights, DEPTH, BLOCKS).to(device))


def facts_of(config: Pix2PixConfig) -> Iterator[str]:
    """Which file of weights it is, where there is one."""
    if config.vgg_weights and config.perceptual:
        yield said_of_weights(config.vgg_weights, DEPTH)
