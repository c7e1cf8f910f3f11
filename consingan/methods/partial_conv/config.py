"""The settings of partial convolutions. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from consingan.errors import UserError
from consingan.methods.partial_conv.presets import PRESETS
from consingan.methods.partial_conv.tasks import TASKS
from consingan.settings.config import Config
from consingan.settings.hole import mask_option
from consingan.settings.option import option

MOST_LEVELS = 8
NORMS = ("batch", "instance", "affine", "region_batch", "region_learned", "region_instance")


@dataclass(frozen=True, kw_only=True)
class PartialConvConfig(Config):
    """All settings that decide what is trained."""

    method: str = option("partial_conv", "How: see `consingan methods`.")
    train_mode: str = option("inpainting", "What the model is for.", choices=TASKS.keys())
    preset: str = option(
        "small",
        "small for one picture, draft a first look, best in five times as long, paper published.",
        choices=PRESETS.keys(),
    )
    max_size: int = option(
        128, "Longer side of the training size (px): larger is sharper and slower.", minimum=16
    )
    niter: int = option(
        150, "Iterations: fewer are smoother, many know the picture by heart.", minimum=1
    )
    mask: str = mask_option()
    polish: bool = option(
        True, "Let patches of the known part go over the fill: sharper, no edge.", group="hole"
    )
    moved: float = option(
        0.7, "Share of iterations that hide the hole's own shape elsewhere.", minimum=0, maximum=1,
        group="hole",
    )  # fmt: skip
    strokes: float = option(
        0.6, "Share of iterations that hide strokes.", minimum=0, maximum=1, group="hole"
    )
    zoom: float = option(
        1.5, "The picture is enlarged up to this factor in training.", minimum=1, maximum=4,
        group="hole",
    )  # fmt: skip
    width: int = option(
        24, "Channels of the first level: fewer are faster and blurrier.", minimum=1, maximum=512,
        group="network",
    )  # fmt: skip
    levels: int = option(
        0, "Halvings of the picture; 0: until it is 4 px, 8 at most.", minimum=0,
        maximum=MOST_LEVELS, group="network",
    )  # fmt: skip
    norm: str = option(
        "batch", "Normalization; region_...: hole and surroundings apart.", choices=NORMS,
        group="network",
    )  # fmt: skip
    guided: bool = option(
        True, "Let the network change the smooth fill; without it, as published, it paints anew.",
        group="network",
    )  # fmt: skip
    convolution: str = option(
        "partial", "partial, or region: weights of its own for a hole that shows something.",
        choices=("partial", "region"), group="network",
    )  # fmt: skip
    features: str = option(
        "none", "What perceptual and style terms see by, without --vgg_weights.",
        choices=("patches", "filters", "none"), group="optimization",
    )  # fmt: skip
    vgg_weights: str = option(
        "", "File or address of torchvision's VGG16, to see by in place of --features.",
        group="optimization",
    )  # fmt: skip
    batch: int = option(1, "Pictures of an iteration.", minimum=1, maximum=64, group="optimization")
    lr: float = option(1e-3, "Learning rate.", above=0, group="optimization")
    decay_from: float = option(
        0.8, "Share of the iterations after which the learning rate falls to 0; 1: it stays.",
        minimum=0, maximum=1, group="optimization",
    )  # fmt: skip
    valid: float = option(
        1.0, "Weight of the difference where the picture is seen.", minimum=0,
        group="optimization",
    )  # fmt: skip
    hole: float = option(
        6.0, "Weight of the difference where it is hidden.", minimum=0, group="optimization"
    )
    perceptual: float = option(
        0.05, "Weight of the difference of features.", minimum=0, group="optimization"
    )
    style: float = option(
        120.0, "Weight of the difference of their statistics: texture. Where features are not "
        "VGG's, but --features', it counts as 1/75 of what is typed.", minimum=0,
        group="optimization",
    )  # fmt: skip
    variation: float = option(
        0.1, "Weight of the difference of neighbors: smoother.", minimum=0, group="optimization"
    )
    grown: bool = option(
        True, "Take that in the hole and 1 px around, as the paper, not everywhere.",
        group="optimization",
    )  # fmt: skip

    def check(self) -> None:
        """Also what goes together, see `Config.check`."""
        super().check()
        if self.moved == 0 and self.strokes == 0:
            raise UserError("--moved 0 and --strokes 0 hide nothing; raise one of them.")
        if self.naive_img or self.fine_tune:
            flag = "naive_img" if self.naive_img else "fine_tune"
            raise UserError(
                f"--{flag} is not for --method {self.method}; --input_name is the picture with "
                "the hole."
            )
