"""The patch discriminator."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from consingan.nn.architecture import Architecture
from consingan.nn.blocks import Block, _conv


class Discriminator(nn.Module):
    """Patch critic: (N, 3, h, w) in [-1, 1] -> a map of scores (N, 1, h', w'), unbounded."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        shape = replace(shape, norm=False)
        self.shape = shape
        self.head = Block(shape.image_channels, shape)
        self.body = nn.ModuleList(Block(shape.channels, shape) for _ in range(shape.layers))
        self.tail = _conv(shape.channels, 1, shape)

    def forward(self, image: Tensor) -> Tensor:
        """Score every patch of `image`."""
        x = self.head(image)
        for block in self.body:
            x = block(x)
        return self.tail(x)  # type: ignore[no-any-return]
