"""The training of pix2pix on one pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.methods.one_stage import OneStage, Rates
from consingan.methods.pair_draws import drawn
from consingan.methods.pairing import margin
from consingan.methods.pix2pix.compared import facts_of, perceptual_of
from consingan.methods.pix2pix.method import LOSSES
from consingan.methods.pix2pix.model import Pix2Pix, applied
from consingan.methods.pix2pix.rule import Rule, generator_loss
from consingan.nn.footprint import Pass
from consingan.nn.gan import ADVERSARIAL, critics_step, frozen
from consingan.nn.patch_critic import PatchCritics, layers_for, least_side

Size = tuple[int, int]


class Pix2PixTraining(OneStage):
    """Trains one model, see `contract.Training`."""

    losses = LOSSES

    def __init__(self, model: Pix2Pix, execution: Execution) -> None:
        config = model.config
        self.model, self.sizes = model, model.sizes
        refuse_critics(config.critics, model.sizes[0])
        self.compared = perceptual_of(config, execution.device)
        weights = (config.l1, config.features, config.perceptual)
        self.rule = Rule(config.adversarial, *weights, self.compared)
        layers = layers_for(min(model.sizes[0]), config.critics)
        critics = PatchCritics(6, config.ndf, config.norm, config.critics, layers=layers)
        rates = Rates(config.lr, config.lr_critic, config.beta1, config.decay_from)
        super().__init__(
            config,
            {"generator": model.network, "critic": critics.to(execution.device)},
            rates,
            execution,
        )
        self.draw_weights(0)

    def iterate(self, iteration: int) -> Tensor:
        """A step of the critics, then one of the generator, on one draw of the pair."""
        rng = self.rng("pair", iteration)
        condition, image = drawn(self.model.pair, rng, self.config)
        network: Any = self.model.network
        made = applied(network, condition, rng if self.config.dropout else None)
        critics = self.networks["critic"]
        pairs = (torch.cat([condition, other], 1) for other in (image, made))
        loss = ADVERSARIAL[self.rule.adversarial]
        real, fake = critics_step(loss, critics, self.optimizers["critic"], *pairs)
        with frozen(critics):
            found = generator_loss(self.rule, critics, condition, image, made)
        self.descend(found.total)
        terms = (real, fake, found.adversarial, found.l1, found.features, found.perceptual)
        return torch.stack([term.detach() for term in terms])

    def facts(self) -> Iterator[str]:
        """See `OneStage`; and which features."""
        yield from super().facts()
        yield from facts_of(self.config)

    def passes(self) -> Iterator[Pass]:
        """The U-Net's once; the critics' of what is real and what is made."""
        height, width = self.sizes[0]
        below, right = margin((height, width), 2**self.model.network.levels)
        yield Pass(self.model.network, (1, 3, height + below, width + right))
        yield Pass(self.networks["critic"], (1, 6, height, width), 2)
        if self.compared is not None:
            yield Pass(self.compared.maps, (1, 3, height, width))

    def fixed(self) -> dict[str, Tensor]:
        """The pair."""
        return self.model.pair.tensors()


def refuse_critics(count: int, size: Size) -> None:
    """Refuse critics of which the smallest sees too little of (h, w) px in training.

    Raises:
        UserError: the sentence says what to use.
    """
    if min(size) < least_side(count):
        raise UserError(
            f"The image is {size[1]}x{size[0]} px in training; --critics {count} need "
            f"{least_side(count)} px on each side, use --critics {count - 1}, or a larger image "
            "or --max_size."
        )
