"""A trained pix2pix."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.machine.execution import Execution
from consingan.methods.pairing import Pair, PairModel, margin, mirrored
from consingan.methods.pix2pix.config import MOST_LEVELS, Pix2PixConfig
from consingan.methods.pix2pix.networks import UNet
from consingan.methods.pix2pix.tasks import TASKS

Size = tuple[int, int]


@dataclass
class Pix2Pix(PairModel):
    """A U-Net with the pair that it learned."""

    network: UNet

    def made(self, condition: Tensor) -> Tensor:
        """From an A of any size: continued mirrored to what the U-Net takes, and cut back."""
        return applied(self.network, condition)


def applied(network: UNet, condition: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """The U-Net's picture of an A (1, 3, h, w) of any size."""
    height, width = condition.shape[-2:]
    below, right = margin((height, width), 2**network.levels)
    whole = mirrored(condition, (height + below, width + right))
    made: Tensor = network(whole, rng)
    return made[..., :height, :width]


def levels_for(size: Size) -> int:
    """Halvings after which the shorter side of (h, w) px is 1 or 2 px, 8 at most."""
    return min(MOST_LEVELS, max(min(size).bit_length() - 1, 1))


def new_model(config: Pix2PixConfig, pair: Pair, execution: Execution) -> Pix2Pix:
    """With a network whose weights are not drawn yet."""
    height, width = pair.image.shape[-2:]
    levels = config.levels or levels_for((height, width))
    network = UNet(levels, config.ngf, config.norm, config.up).to(execution.device)
    return Pix2Pix(config, TASKS, network, pair, execution.arithmetic)
