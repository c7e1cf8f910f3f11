"""The settings of pix2pix."""

from __future__ import annotations

from dataclasses import dataclass

from consingan.methods.pairs import PairConfig
from consingan.methods.pix2pix.presets import PRESETS
from consingan.methods.pix2pix.tasks import TASKS
from consingan.settings.option import option

MOST_LEVELS = 8


@dataclass(frozen=True, kw_only=True)
class Pix2PixConfig(PairConfig):
    """All settings that decide what is trained."""

    method: str = option("pix2pix", "How: see `consingan methods`.")
    train_mode: str = option("translation", "What the model is for.", choices=TASKS.keys())
    preset: str = option(
        "small",
        "small for one pair on a CPU, paper with the published settings, deepsim with its losses, "
        "the third of which needs --vgg_weights.",
        choices=PRESETS.keys(),
    )
    niter: int = option(1000, "Iterations: fewer are faster and rougher.", minimum=1)
    ngf: int = option(
        16, "Channels of the generator: fewer are faster and blurrier.", minimum=1, group="network"
    )
    ndf: int = option(16, "Channels of the critic.", minimum=1, group="network")
    levels: int = option(
        0, "Halvings of the picture; 0: until it is 1 px, 8 at most.", minimum=0,
        maximum=MOST_LEVELS, group="network",
    )  # fmt: skip
    norm: str = option(
        "affine", "Normalization: of the batch, of a picture, of a picture with gain and bias.",
        choices=("batch", "instance", "affine"), group="network",
    )  # fmt: skip
    up: str = option(
        "nearest", "Growing: nearest pixels and a convolution, or as published a transposed one.",
        choices=("nearest", "transposed"), group="network",
    )  # fmt: skip
    dropout: bool = option(
        False, "Drop values of the inner levels in training, not afterwards.", group="network"
    )
    critics: int = option(
        1, "Critics, each at half the size of the one before.", minimum=1, maximum=3,
        group="network",
    )  # fmt: skip
    adversarial: str = option(
        "bce", "Loss of the critic: cross entropy as published, or least squares.",
        choices=("bce", "lsgan"), group="optimization",
    )  # fmt: skip
    l1: float = option(
        100.0, "Weight of the mean difference to B.", minimum=0, group="optimization"
    )
    features: float = option(
        0.0, "Weight of feature matching: sharper texture, slower.", minimum=0,
        group="optimization",
    )  # fmt: skip
    vgg_weights: str = option(
        "", "File or address of torchvision's VGG19, for DeepSIM's third loss.",
        group="optimization",
    )  # fmt: skip
    perceptual: float = option(
        10.0, "Weight of the difference of VGG19's features, with --vgg_weights.", minimum=0,
        group="optimization",
    )  # fmt: skip
    lr: float = option(1e-3, "Learning rate of the generator.", above=0, group="optimization")
    lr_critic: float = option(2e-4, "Learning rate of the critic.", above=0, group="optimization")
