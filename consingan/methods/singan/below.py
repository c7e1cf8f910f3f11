"""What the trained scales hand to the one that is trained (paper, eq. 4 and section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.methods.singan.chain import Runner, Scale, climb, handed_up
from consingan.methods.singan.networks import frame
from consingan.methods.singan.quantization import Palette
from consingan.settings.tiles import ENDS, Wraps


@dataclass(frozen=True)
class Below:
    """The scales before one that is trained.

    Attributes:
        scales: trained ones, coarsest first; none for scale 0.
        real: (1, 3, h, w), the training image at the scale that is trained.
        factor: by which pictures grow from one scale to the next.
        margin: px of the frame.
        run: how a trained generator is executed.
        palette: few colors that everything comes in, of a scale that is trained for a paint.
        wraps: whether pictures go on at their other end, see `chain.Scale`.
    """

    scales: Sequence[Scale]
    real: Tensor
    factor: float
    margin: int
    run: Runner
    palette: Palette | None = None
    wraps: Wraps = ENDS

    def given_back(self) -> Tensor:
        """`rec`: what the fixed noises give at this scale, (1, 3, h, w); zeros at scale 0."""
        return self._up([scale.fixed for scale in self.scales])

    def amplitude(self, noise_amp: float) -> float:
        """noise_amp * RMSE(real, rec), 1 at scale 0."""
        if not self.scales:
            return 1.0
        return noise_amp * float((self.real - self.given_back()).square().mean().sqrt())

    def reconstructed(self) -> Tensor:
        """P(rec), (1, 3, h + 2 margin, w + 2 margin)."""
        return self._in_colors(frame(self.given_back(), self.margin, self.wraps))

    def previous(self, noises: Sequence[Tensor]) -> Tensor:
        """P(prev) for noises of each scale, (N, 3, h + 2 margin, w + 2 margin)."""
        return self._in_colors(frame(self._up(noises), self.margin, self.wraps))

    def _up(self, noises: Sequence[Tensor]) -> Tensor:
        if not self.scales:
            return torch.zeros_like(self.real)
        blank = torch.zeros_like(self.scales[0].real).expand(len(noises[0]), -1, -1, -1)
        made = climb(self.scales, noises, blank, self.factor, self.run)
        like = frame(self.real, self.margin)
        return handed_up(made, self.factor, like, self.margin, self.wraps)

    def _in_colors(self, previous: Tensor) -> Tensor:
        if self.palette is None:
            return previous
        return torch.cat([self.palette.quantize(one) for one in previous.split(1)])
