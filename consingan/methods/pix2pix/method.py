"""pix2pix as the program knows it: Isola et al., CVPR 2017. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from consingan.methods.contract import Method
from consingan.methods.pairs import (
    JUDGED,
    L1,
    OF_LAYOUTS,
    REMEDIES,
    condition_label,
    pictures_of,
    recipe_of,
)
from consingan.methods.pix2pix.config import Pix2PixConfig
from consingan.methods.pix2pix.presets import PRESETS
from consingan.methods.pix2pix.tasks import TASKS

LOSSES = ("d_real", "d_fake", "g_adversarial", "difference", "feature_matching", "perceptual")


def label(config: Pix2PixConfig) -> str:
    """Name of a run's folder after its date."""
    warps = "" if config.warps else "_no_warps"
    return f"pix2pix_{condition_label(config)}_ngf_{config.ngf}{warps}"


def idle(config: Pix2PixConfig) -> Iterator[tuple[str, str]]:
    """Settings that change nothing beside the others."""
    yield "fit", "for a pair"
    recipe = recipe_of(config.condition)
    if recipe is not None and recipe[1] > 2:  # two colors are none, see `conditions.palette_of`
        yield "jitter", OF_LAYOUTS
    if not config.vgg_weights:
        yield "perceptual", "without --vgg_weights"
    elif not config.perceptual:
        yield "vgg_weights", "with --perceptual 0"
    if config.dropout and 0 < config.levels <= 5:
        yield "dropout", f"with --levels {config.levels}"


def in_short(losses: Sequence[float]) -> str:
    """Both networks' losses and the difference in a few words."""
    real, fake, adversarial, difference, *_ = losses
    return f"D {(real + fake) / 2:.3f} G {adversarial:.3f} L1 {difference:.4f}"


PIX2PIX = Method(
    name="pix2pix",
    title="pix2pix",
    paper="Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial "
    "Networks, CVPR 2017",
    summary="a U-Net and a critic of patches, trained on one bent pair of pictures",
    config=Pix2PixConfig,
    tasks=TASKS,
    presets=PRESETS,
    label=label,
    code="consingan.methods.pix2pix.setup",
    remedies=REMEDIES
    | {
        "memory": lambda _: "Train anew with a smaller --max_size or --ngf.",
        "smooth": lambda _: "Raise --niter, or try --features 10.",
    },
    losses=LOSSES,
    reconstruction="difference",
    in_short=in_short,
    panels=(L1, JUDGED),
    idle=idle,
    trial={"condition": "blur", "niter": 2, "ngf": 2, "ndf": 2, "max_size": 32, "levels": 3},
    pictures=pictures_of,
)
