"""Models with random weights, which make pictures full of contrast without a training."""

from __future__ import annotations

from typing import Any

import torch

from consingan.methods.consingan.anchors import Anchor
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.draws import noise_shapes
from consingan.methods.consingan.model import ConSinGAN
from consingan.methods.consingan.networks import Generator
from consingan.nn.architecture import Architecture
from consingan.nn.blocks import initialize
from consingan.nn.noise import gaussian, stream

SIZES = [(60, 20), (75, 30), (90, 37)]
AMPLITUDES = [1.0, 0.3, 0.3]
SHAPES: dict[str, dict[str, Any]] = {
    "default": {},
    "padded": {"padding": 1},
    "kernel 5": {"kernel": 5, "padding": 1, "layers": 2},
    "selu": {"activation": "selu"},
    "prelu, one layer": {"activation": "prelu", "layers": 1},
}
"""Numbers of `Architecture` without normalization, by what is special about them."""


def generator(border: str = "noise", channels: int = 5, **numbers: Any) -> Generator:
    made = Generator(Architecture(channels=channels, **numbers), border)  # type: ignore[arg-type]
    initialize(made, stream("strips"))
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim > 1:
                parameter.mul_(6)
    made.grow()
    made.grow()
    return made


def model(**settings: Any) -> ConSinGAN:
    config = ConSinGANConfig(nfc=5, train_stages=3, **settings)
    network = generator(config.border, norm=config.batch_norm)
    shapes = noise_shapes(SIZES, 5, 3, network.frame)
    anchors = [
        Anchor(torch.zeros(1, 3, *size), gaussian(shape, stream("f", k)), AMPLITUDES[k])
        for k, (size, shape) in enumerate(zip(SIZES, shapes, strict=True))
    ]
    return ConSinGAN(config, network, anchors)
