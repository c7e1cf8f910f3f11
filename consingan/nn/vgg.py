"""Features of VGG (Simonyan and Zisserman 2015) from a file of weights in torchvision's layout.

Nothing but tensors is read, and of them only the convolutions that are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.metrics.download import checksum_of, local_file
from consingan.metrics.foreign import take, tensors_in

LAYERS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Depth -> convolutions of each block, after which the maps are halved."""

WIDTHS = (64, 128, 256, 512, 512)
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures in [0, 1]."""


@dataclass(frozen=True)
class Vgg:
    """The first blocks of a VGG.

    Attributes:
        blocks: of each its convolutions, (weight, bias).
    """

    blocks: Sequence[Sequence[tuple[Tensor, Tensor]]]

    def to(self, device: torch.device) -> Vgg:
        """The same on another device."""
        return Vgg([[(w.to(device), b.to(device)) for w, b in block] for block in self.blocks])

    def rectified(self, image: Tensor, pool: str = "max") -> list[list[Tensor]]:
        """Of each block the maps after every ReLU.

        Args:
            image: (N, 3, h, w) in [-1, 1].
            pool: what halves the maps between blocks, "max" or "average".
        """
        return self.maps(normalized(image), pool)

    def maps(self, x: Tensor, pool: str = "max") -> list[list[Tensor]]:
        """The same of (N, 3, h, w) as it goes in."""
        found = []
        for number, block in enumerate(self.blocks):
            x = halved(x, pool) if number else x
            maps = []
            for weight, bias in block:
                x = F.relu(F.conv2d(x, weight.to(x), bias.to(x), padding=1))
                maps.append(x)
            found.append(maps)
        return found

    def pooled(self, image: Tensor) -> list[Tensor]:
        """Maps of (N, 3, h, w) in [-1, 1] after the max-pool of each block, while there are any."""
        return [halved(maps[-1], "max") for maps in self.rectified(image)]


def normalized(image: Tensor) -> Tensor:
    """A picture in [-1, 1] as VGG takes it."""
    mean, spread = (image.new_tensor(v).view(1, 3, 1, 1) for v in (MEAN, SPREAD))
    return ((image + 1) / 2 - mean) / spread


def halved(x: Tensor, pool: str) -> Tensor:
    """Half the size, by the greatest or the mean of four."""
    return F.max_pool2d(x, 2) if pool == "max" else F.avg_pool2d(x, 2)


def names_of(depth: int, blocks: int) -> list[list[str]]:
    """Torchvision's names of the convolutions of the first blocks: features.0, features.2, ..."""
    found, place = [], 0
    for count in LAYERS[depth][:blocks]:
        found.append([f"features.{place + 2 * k}" for k in range(count)])
        place += 2 * count + 1
    return found


def said_of_weights(source: str | Path, depth: int) -> str:
    """Which file `load_vgg` reads: its name and the SHA-256 of what it holds."""
    return f"features: VGG{depth} of {Path(source).name}, SHA-256 {checksum_of(source)}"


def load_vgg(source: str | Path, depth: int, blocks: int) -> Vgg:
    """The first blocks of torchvision's VGG16 or VGG19 from a path or URL.

    `metrics.download.downloaded` says which addresses are taken, and how their checksum is given.

    Raises:
        UserError: there is no such file, it cannot be had or read, or it holds something else.
    """
    path = local_file(source)
    state, whose = tensors_in(path, f"VGG{depth}"), f"torchvision's VGG{depth}"
    found, before = [], 3
    for names, width in zip(names_of(depth, blocks), WIDTHS, strict=False):
        block = []
        for name in names:
            weight = take(state, f"{name}.weight", (width, before, 3, 3), path, whose)
            block.append((weight, take(state, f"{name}.bias", (width,), path, whose)))
            before = width
        found.append(block)
    return Vgg(found)
