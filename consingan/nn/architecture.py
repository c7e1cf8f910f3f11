"""The numbers that both networks are made of. Imports no torch, so that --help starts at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Activation = Literal["lrelu", "prelu", "elu", "selu"]
Border = Literal["noise", "zero", "wrap", "wrap_horizontal", "wrap_vertical"]
Spacing = Literal["log", "geometric"]
WRAPPED: dict[tuple[bool, bool], Border] = {
    (True, True): "wrap", (False, True): "wrap_horizontal", (True, False): "wrap_vertical",
}  # fmt: skip
"""(top to bottom, left to right) -> what goes on at the other end; across the others zeros."""
AROUND = {name: wraps for wraps, name in WRAPPED.items()}
ACTIVATIONS: tuple[str, ...] = ("lrelu", "prelu", "elu", "selu")
INITS: tuple[str, ...] = ("published", "he")  # ways to draw first weights, `blocks.SPREADS`


@dataclass(frozen=True)
class Architecture:
    """What both networks are made of: channels, layers of a stage, kernel, activation.

    `padding` px of zeros are added around the input of each convolution of a stage; the method
    has none, so that every 3x3 convolution takes `margin` = 1 px off each side.
    """

    channels: int = 64
    layers: int = 3
    kernel: int = 3
    padding: int = 0
    image_channels: int = 3
    activation: Activation = "lrelu"
    slope: float = 0.05
    norm: bool = False

    @property
    def margin(self) -> int:
        """Pixels that one convolution takes off each side."""
        return (self.kernel - 1) // 2 - self.padding

    @property
    def smallest_image(self) -> int:
        """Shortest side in px that still leaves the discriminator one score.

        Without padding it is the side of the patch that a score sees: 11 by default.
        """
        return 2 * self.margin * (self.layers + 2) + 1
