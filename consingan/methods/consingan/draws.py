"""What is drawn for an iteration: shapes of the noises, and the streams they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.tasks import Mode
from consingan.nn import noise
from consingan.nn.blocks import initialize
from consingan.nn.noise import Size
from consingan.nn.regions import EVERYTHING, Region
from consingan.nn.sliced import patch_directions

if TYPE_CHECKING:
    from consingan.methods.consingan.networks import Generator
    from consingan.methods.consingan.windows import Windowed


class Randomness(Protocol):
    """Where a training's random numbers come from; tests replay recorded ones."""

    def initialize(self, network: torch.nn.Module, name: str) -> None:
        """Draw the first weights of the network called `name`."""
        ...

    def fixed_noise(self, stage: int, shape: tuple[int, ...], image: Tensor) -> Tensor:
        """The fixed z of `stage`; stage 0 makes it from `image`, the real image there."""
        ...

    def draws(
        self, stage: int, iteration: int, shapes: list[tuple[int, ...]], image: Tensor, steps: int
    ) -> Draws:
        """All that is random in one iteration; `image` is what the source of z_0 works on."""
        ...


@dataclass(frozen=True)
class SeededRandomness:
    """Random numbers that depend on (seed, stage, iteration) alone, so that any step can be redone.

    Iterations count on through a stage's attempts, see `StageRestarted`.

    Pictures are worked on with a CPU stream, on the CPU if `draws` gets them there, so that a GPU
    has no reason to wait. The large noises are drawn where they are used.

    Attributes:
        seed: of the training.
        mode: of the training, which draws z_0.
        device: where tensors are wanted.
        init: how first weights are drawn, a row of `blocks.SPREADS`.
        sliced: whether the iterations want directions for the sliced Wasserstein distance.
    """

    seed: int
    mode: Mode
    device: torch.device
    init: str = "published"
    sliced: bool = False

    def initialize(self, network: torch.nn.Module, name: str) -> None:
        """Draw the first weights of the network called `name`."""
        initialize(network, noise.stream(self.seed, "weights", name), self.init)

    def fixed_noise(self, stage: int, shape: tuple[int, ...], image: Tensor) -> Tensor:
        """z_0 by the mode's anchor, later ones N(0, 1)."""
        rng = noise.stream(self.seed, "fixed", stage)
        if stage == 0:
            return self.mode.anchor(image, rng)
        return noise.gaussian(shape, rng, self.device)

    def draws(
        self, stage: int, iteration: int, shapes: list[tuple[int, ...]], image: Tensor, steps: int
    ) -> Draws:
        """z_0 by the mode's source, later ones N(0, 1), one mixing number per step."""
        keys = (self.seed, "step", stage, iteration)
        rng = noise.stream(*keys)
        large = rng if self.device.type == "cpu" else noise.stream(*keys, device=self.device)
        mixing = noise.sent(torch.rand(steps, generator=rng), self.device)
        first = noise.sent(self.mode.source(image, rng), self.device)
        drawn = Draws([first, *(noise.gaussian(s, large) for s in shapes[1:])], mixing)
        return replace(drawn, directions=self._directions(stage, iteration, shapes[0][1]))

    def _directions(self, stage: int, iteration: int, channels: int) -> Tensor | None:
        """From a stream of their own: with them or without, the other numbers are the same."""
        if not self.sliced:
            return None
        rng = noise.stream(self.seed, "directions", stage, iteration)
        return noise.sent(patch_directions(channels, rng), self.device)


def randomness_of(config: ConSinGANConfig, mode: Mode, device: torch.device) -> SeededRandomness:
    """What a training with these settings draws."""
    sliced = config.sw_weight > 0
    return SeededRandomness(config.manual_seed, mode, device, config.init, sliced)


def noise_shapes(
    sizes: Sequence[Size], channels: int, image_channels: int, frame: int
) -> list[tuple[int, int, int, int]]:
    """Shapes of z_0..z_d for stages of `sizes` (h, w).

    z_0 is a picture; z_k has `channels` channels and `frame` more px on each side (0 for border
    "zero", layers x margin for border "noise", see `networks.Generator`).
    """
    first, *rest = sizes
    framed = [(1, channels, h + 2 * frame, w + 2 * frame) for h, w in rest]
    return [(1, image_channels, *first), *framed]


@dataclass(frozen=True)
class Sight:
    """What an iteration sees of the picture: all of it, or a window.

    Attributes:
        passes: the generator, or what makes the window with it.
        real: (1, 3, h, w) in [-1, 1].
        fixed: z_0..z_d that must give it.
        region: what of it counts.
    """

    passes: Generator | Windowed
    real: Tensor
    fixed: Sequence[Tensor]
    region: Region = EVERYTHING


@dataclass(frozen=True)
class Draws:
    """All that is random in one iteration.

    Attributes:
        noises: z_0..z_d, shapes as `noise_shapes`.
        mixing: (discriminator steps,) in [0, 1): where between real and fake each gradient
            penalty is taken.
        directions: for the sliced Wasserstein distance, see `nn.sliced.patch_directions`; None
            where it has no weight.
        sight: the window that they are for; None where the whole picture is trained on.
    """

    noises: list[Tensor]
    mixing: Tensor
    directions: Tensor | None = None
    sight: Sight | None = None
