"""What is drawn for an iteration, and the streams it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.methods.singan.networks import Network, frame, initialize
from consingan.nn import noise
from consingan.nn.blocks import wrap_pad
from consingan.nn.noise import Size
from consingan.settings.tiles import ENDS, Wraps


@dataclass(frozen=True)
class Drawn:
    """The noises of one iteration, all with their frame.

    Attributes:
        fixed: z* of scale 0, drawn anew each time; None at finer scales.
        noise: z of the scale that is trained.
        coarser: for each coarser scale z of all discriminator steps, (d_steps, 3, h, w).
        mixing: (d_steps,) in [0, 1).
    """

    fixed: Tensor | None
    noise: Tensor
    coarser: list[Tensor]
    mixing: Tensor


@dataclass(frozen=True)
class Edge:
    """What lies around a picture's noise.

    Attributes:
        margin: px of the frame.
        noisy: noise reaches to its edge (animation); else it is zero.
        wraps: along which axes the noise goes on at its other end instead.
    """

    margin: int
    noisy: bool = False
    wraps: Wraps = ENDS


def framed(shape: Size, scale: int, samples: int, edge: Edge, rng: torch.Generator) -> Tensor:
    """Noise of `scale` for pictures of `shape` (h, w): (samples, 3, h + 2 margin, w + 2 margin).

    At scale 0 it has one channel, repeated three times.
    """
    channels, margin = 1 if scale == 0 else 3, edge.margin
    wide = (2 * margin if edge.noisy and not wrapped else 0 for wrapped in edge.wraps)
    size = (side + more for side, more in zip(shape, wide, strict=True))
    drawn = noise.gaussian((samples, channels, *size), rng)
    around = wrap_pad(drawn, margin, edge.wraps) if edge.noisy else frame(drawn, margin, edge.wraps)
    return around.expand(-1, 3, -1, -1)


@dataclass(frozen=True)
class SeededRandomness:
    """Random numbers that depend on (seed, scale, iteration) alone, so that any step can be redone.

    Iterations count on through a scale's attempts.
    """

    seed: int
    sizes: Sequence[Size]
    edge: Edge
    device: torch.device

    def initialize(self, network: Network, scale: int, name: str) -> None:
        """Draw the first weights of a scale's network."""
        initialize(network, noise.stream(self.seed, "weights", name, scale))

    def draw(self, scale: int, iteration: int, d_steps: int) -> Drawn:
        """All that is random in an iteration."""
        keys = (self.seed, "step", scale, iteration)
        rng = noise.stream(*keys)
        large = rng if self.device.type == "cpu" else noise.stream(*keys, device=self.device)
        mixing = noise.sent(torch.rand(d_steps, generator=rng), self.device)
        fixed = self._framed(scale, 1, large) if scale == 0 else None
        own = self._framed(scale, 1, large)
        coarser = [self._framed(k, d_steps, large) for k in range(scale)]
        return Drawn(fixed, own, coarser, mixing)

    def _framed(self, scale: int, samples: int, rng: torch.Generator) -> Tensor:
        return framed(self.sizes[scale], scale, samples, self.edge, rng)
