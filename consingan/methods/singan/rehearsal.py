"""What a training will be like: its networks counted, iterations tried out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from consingan.methods.contract import Rehearsal
from consingan.methods.singan.architecture import Architecture
from consingan.methods.singan.chain import Scale
from consingan.methods.singan.networks import Discriminator, Generator, frame

if TYPE_CHECKING:
    from consingan.methods.singan.training import SinGANTraining

AMPLITUDE = 0.1  # of noise that is thrown away


def parameters(architecture: Architecture, scales: int) -> str:
    """A line with the numbers of weights."""
    widths = [architecture.at_scale(n) for n in range(scales)]
    total = sum(sum(p.numel() for p in Generator(a).parameters()) for a in widths)
    critic = sum(p.numel() for p in Discriminator(widths[-1]).parameters())
    return f"parameters: generators {total:,} (all scales), discriminator {critic:,} (finest)"


def rehearse(training: SinGANTraining, scale: int) -> Rehearsal:
    """Iterations of `scale` with fresh networks; the training is left as it is."""
    from consingan.methods.singan.training import SinGANTraining

    config = training.config.replace(fine_tune=False)
    below = [_untrained(training, n) for n in range(scale)]
    model = replace(training.model, config=config, scales=below, palette=None)
    again = SinGANTraining(model, training.execution)
    again.begin(scale, 0)
    return Rehearsal(again.step, size=training.sizes[scale])


def _untrained(training: SinGANTraining, scale: int) -> Scale:
    generator = Generator(training.config.architecture.at_scale(scale))
    training.randomness.initialize(generator, scale, "generator")
    real = training.model.reals[scale]
    fixed = torch.zeros_like(frame(real, training.margin))
    amplitude = 1.0 if scale == 0 else AMPLITUDE
    return Scale(
        generator.to(training.device).eval(), real, fixed, amplitude, training.config.wraps
    )
