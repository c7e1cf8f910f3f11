"""What the coarsest scale adds to the published method: contents keep their shares, rows height."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.denoiser import Denoiser
from consingan.methods.patches.pyramid import Wrap
from consingan.methods.patches.recipe import Recipe
from consingan.methods.patches.rows import by_rows
from consingan.methods.patches.transport import Transport


@dataclass(frozen=True)
class Shares:
    """Nothing of it is the paper.

    Attributes:
        balance: steps that balance the weights of patches, see `balance`.
        transport: to the picture's small patches.
        rows: how much rows keep their height, 0 to 1.
    """

    balance: int = 0
    transport: Transport | None = None
    rows: float = 0.0

    @classmethod
    def of(cls, config: PatchesConfig, recipe: Recipe, rng: torch.Generator) -> Shares:
        """Those of a sample; `rng` draws what is random."""
        steps = config.sw_steps
        transport = Transport(steps, recipe.sigma_min, rng) if steps else None
        rows = config.rows if config.layered else 0.0
        return cls(config.balance, transport, rows)

    def around(self, denoise: Denoiser, picture: Tensor, wrap: Wrap) -> Denoiser:
        """What is laid around the denoiser, which has the balance itself.

        Args:
            denoise: of the coarsest scale.
            picture: (C, h, w) there.
            wrap: where the canvas goes on at its other end.
        """
        if self.rows:
            denoise = by_rows(denoise, picture, self.rows)
        return self.transport.around(denoise, picture, wrap) if self.transport else denoise
