"""The training of partial convolutions on the known part of one picture."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from consingan.machine.execution import Execution
from consingan.methods.one_stage import OneStage, Rates
from consingan.methods.partial_conv.draws import Draw, Hiding, drawn
from consingan.methods.partial_conv.losses import Features, grown, terms
from consingan.methods.partial_conv.method import LOSSES
from consingan.methods.partial_conv.model import PartialConv, applied
from consingan.methods.partial_conv.networks import draw_weights
from consingan.nn.features import Bank, own_patches, random_filters
from consingan.nn.footprint import Pass
from consingan.nn.noise import stream
from consingan.nn.vgg import load_vgg, said_of_weights

OWN_STYLE = 1 / 75
"""Factor on the weight of style without VGG. A bank's maps are about 1, so that its statistics
weigh much more than VGG's: 120 and this come to what was tried with the picture's own patches."""

SEEN_BY: Mapping[str, Callable[[Tensor, torch.Generator, Tensor], Bank] | None] = {
    "patches": own_patches,
    "filters": lambda image, rng, known: random_filters(image, rng),  # noqa: ARG005
    "none": None,
}
"""What features go by, of a picture, a stream and where it is known."""

DEPTH, BLOCKS = 16, 3  # of VGG; a feature after the pool of each block


class PartialConvTraining(OneStage):
    """Trains one model, see `contract.Training`."""

    losses = LOSSES

    def __init__(self, model: PartialConv, execution: Execution) -> None:
        config = model.config
        self.model, self.sizes = model, model.sizes
        self.known = 1 - model.hole
        self.hiding = Hiding(config.moved, config.strokes, config.zoom)
        self.factors = factors_of(config)
        self.features = features_of(config, model.real, self.known)
        super().__init__(
            config,
            {"generator": model.network},
            Rates(config.lr, config.lr, beta1=0.9, decay_from=config.decay_from),
            execution,
        )
        self.draw_weights(0)

    def draw_weights(self, attempt: int) -> None:
        """See `OneStage`."""
        network = self.model.network
        draw_weights(network, stream(self.config.manual_seed, "generator", attempt))
        if self.config.guided:
            for parameter in network.up[0].parameters():
                parameter.data.zero_()

    def iterate(self, iteration: int) -> Tensor:
        """One step of the network on pictures with something hidden."""
        rng = self.rng("holes", iteration)
        draws = [drawn(self.model.real, self.known, rng, self.hiding)
                 for _ in range(self.config.batch)]  # fmt: skip
        picture, known, shown = _together(draws)
        output = self.model.made(picture, shown)
        near = grown(1 - shown) if self.config.grown else None
        found = terms(output, picture, shown, self.features, known, near)
        values = torch.stack([found[name] for name in LOSSES])
        self.descend((values * values.new_tensor(self.factors)).sum())
        return values.detach()

    def facts(self) -> Iterator[str]:
        """See `OneStage`; and which features."""
        yield from super().facts()
        if self.config.vgg_weights:
            yield said_of_weights(self.config.vgg_weights, DEPTH)

    def passes(self) -> Iterator[Pass]:
        """The network's of a batch, where all is known, and the features of what it made."""
        network = copy.deepcopy(self.model.network).to("meta").train()
        shape = (self.config.batch, 3, *self.sizes[0])
        yield Pass(lambda x: applied(network, x, torch.ones_like(x[:, :1])), shape)
        if self.features is not None:
            yield Pass(self.features, shape, 2)

    def fixed(self) -> dict[str, Tensor]:
        """The picture at both sizes, and its hole."""
        return {"real.0": self.model.real, **self.model.holed.tensors()}


def _together(draws: list[Draw]) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.cat([d.picture for d in draws]),
        torch.cat([d.known for d in draws]),
        torch.cat([d.shown for d in draws]),
    )


def factors_of(config: Any) -> list[float]:
    """The weights of `LOSSES`."""
    style = config.style * (1.0 if config.vgg_weights else OWN_STYLE)
    return [config.valid, config.hole, config.perceptual, style, style, config.variation]


def features_of(config: Any, image: Tensor, known: Tensor) -> Features | None:
    """What perceptual and style terms see by.

    Raises:
        UserError: the file of weights cannot be used.
    """
    if config.vgg_weights:
        return load_vgg(config.vgg_weights, DEPTH, BLOCKS).to(image.device).pooled
    bank = SEEN_BY[config.features]
    return bank and bank(image, stream(config.manual_seed, "features"), known)
