"""A trained (or partly trained) model: the generator and what ties each stage to the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.tasks import MODES, Mode
from consingan.settings.config import Config

Size = tuple[int, int]


@dataclass(frozen=True)
class Anchor:
    """What ties one stage to the training image.

    Attributes:
        real: (1, 3, h, w) in [-1, 1], the training image at this stage.
        noise: the fixed z of this stage; all fixed z together must give back `real`.
        amplitude: factor on the z of this stage (1 for stage 0).
    """

    real: Tensor
    noise: Tensor
    amplitude: float

    def to(self, device: torch.device | str) -> Anchor:
        """The same on another device."""
        return Anchor(self.real.to(device), self.noise.to(device), self.amplitude)


@dataclass
class Model:
    """A generator with its anchors, one for each stage, and the settings it was trained with."""

    config: Config
    generator: Generator
    anchors: list[Anchor] = field(default_factory=list)

    @property
    def mode(self) -> Mode:
        """The row of the mode table that it was trained for."""
        return MODES[self.config.train_mode]

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.generator.parameters()).device

    @property
    def sizes(self) -> list[Size]:
        """(h, w) in px of the image at each stage."""
        return [(a.real.shape[-2], a.real.shape[-1]) for a in self.anchors]

    @property
    def amplitudes(self) -> list[float]:
        """Noise factor of each stage."""
        return [a.amplitude for a in self.anchors]

    @property
    def fixed_noises(self) -> list[Tensor]:
        """The fixed z of each stage."""
        return [a.noise for a in self.anchors]

    @property
    def real(self) -> Tensor:
        """The training image at the newest stage, (1, 3, h, w) in [-1, 1]."""
        return self.anchors[-1].real

    @property
    def finite(self) -> bool:
        """Whether all weights, fixed noises and amplitudes are finite."""
        numbers = [*self.generator.state_dict().values(), *self.fixed_noises]
        numbers.append(torch.tensor(self.amplitudes))
        return all(bool(torch.isfinite(tensor).all()) for tensor in numbers)

    def to(self, device: torch.device | str) -> Model:
        """The same model on another device (the generator is moved, not copied)."""
        return Model(self.config, self.generator.to(device), [a.to(device) for a in self.anchors])

    @torch.no_grad()
    def reconstruction(self) -> Tensor:
        """What the fixed noise gives: (1, 3, h, w) in [-1, 1], to be compared with `real`."""
        output: Tensor = self.generator(self.fixed_noises, self.amplitudes)
        return output


def measure_amplitude(
    generator: Generator,
    fixed: Sequence[Tensor],
    amplitudes: Sequence[float],
    real: Tensor,
    factor: float,
) -> float:
    """Noise amplitude of a new stage: factor * RMSE(G(fixed noise without the new one's), real).

    Args:
        generator: already grown by the new stage.
        fixed: z_0..z_d with the new stage's z_d.
        amplitudes: of the stages before, d of them.
        real: (1, 3, h, w) in [-1, 1], the image at the new stage.
        factor: `noise_amp`, 0.1 as published.
    """
    with torch.no_grad():
        output = generator(fixed, [*amplitudes, 0.0])
        return factor * float((output - real).square().mean().sqrt())
