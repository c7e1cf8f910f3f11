"""Translations by patches: what B looks like is looked up where A looks alike.

As in image analogies (Hertzmann et al., SIGGRAPH 2001, section 3) A and B are one picture of more
channels, A's times a weight. A new A is known: at every scale and step its channels are set free of
noise, so that patches are chosen by it first and by the picture that is growing second. Nothing is
learned; the combination with patch diffusion is this program's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from consingan.machine.execution import Execution
from consingan.methods.pairing import Pair, PairModel
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.denoiser import Denoiser
from consingan.methods.patches.model import PatchDiffusion
from consingan.methods.patches.pyramid import Size, build_pyramid
from consingan.methods.patches.sampling import SeededNoise, sample
from consingan.methods.patches.tasks import TASKS
from consingan.nn.noise import stream

NEITHER = {"tile": "none", "symmetric": "none", "loosen": 0.0, "mask": ""}


@dataclass(frozen=True)
class Guided:
    """A denoiser of canvases (C + K, h, w) whose last K channels are `guide` (K, h, w)."""

    denoise: Denoiser
    guide: Tensor

    def __call__(self, x: Tensor, alpha: float, sigma: float) -> Tensor:
        """The canvas expected behind x, its guide untouched."""
        own = len(x) - len(self.guide)
        clean = self.denoise(torch.cat([x[:own], alpha * self.guide]), alpha, sigma)
        return torch.cat([clean[:own], self.guide])


@dataclass
class GuidedPatches(PairModel):
    """The patches of a pair (`contract.Translates`); there is no network."""

    config: PatchesConfig
    engine: str = "auto"
    stages = 0

    @cached_property
    def both(self) -> PatchDiffusion:
        """A and B as one picture (1, 6, h, w)."""
        config = self.config.replace(**NEITHER)
        channels = [self.pair.image, self.config.guidance * self.pair.condition]
        return PatchDiffusion(config, torch.cat(channels, 1), self.engine)

    def made(self, condition: Tensor) -> Tensor:
        """From an A on the device, (1, 3, h, w)."""
        seed = self.config.manual_seed or 0
        canvas, engine = self.both.prepared(
            (condition.shape[-2], condition.shape[-1]), stream(seed, "patches", 0, "translation")
        )
        guides = build_pyramid(self.config.guidance * condition[0], canvas.sizes)
        canvas = replace(canvas, around=lambda scale, denoise: Guided(denoise, guides[scale]))
        noise = SeededNoise(seed, 0, canvas.sizes, self.both.real[0])
        return sample(canvas, engine, noise)[None, : self.real.shape[1]]

    def facts(self) -> Iterator[str]:
        """Lines that say what is made and how."""
        yield from self.both.facts()

    def memory(self, size: Size) -> int:
        """Bytes that a picture of `size` (h, w) takes beside the program."""
        return 2 * self.both.memory(size)

    def check(self) -> None:
        """Refuse a pair without a patch.

        Raises:
            UserError: it is smaller than one.
        """
        self.both.check()


def guided(config: PatchesConfig, pair: Pair, execution: Execution) -> GuidedPatches:
    """The model of a pair."""
    pair = pair.to(execution.device)
    return GuidedPatches(config, TASKS, nn.Module(), pair, engine=execution.engine)
