"""Cascaded refinement as the program knows it: Chen and Koltun, ICCV 2017. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from consingan.methods.contract import Method
from consingan.methods.crn.config import CRNConfig
from consingan.methods.crn.presets import PRESETS
from consingan.methods.crn.tasks import TASKS
from consingan.methods.pairs import (
    JUDGED,
    L1,
    OF_LAYOUTS,
    REMEDIES,
    condition_label,
    pictures_of,
)

LOSSES = ("difference", "feature_difference", "g_adversarial", "d_real", "d_fake")


def label(config: CRNConfig) -> str:
    """Name of a run's folder after its date."""
    warps = "" if config.warps else "_no_warps"
    return f"crn_{condition_label(config)}_width_{config.width}{warps}"


def idle(config: CRNConfig) -> Iterator[tuple[str, str]]:
    """Settings that change nothing beside the others."""
    yield "fit", "for a pair"
    if not config.adversarial:
        yield from ((name, "with --critic_weight 0") for name in ("ndf", "lr_critic"))
    if not config.features:
        yield from ((name, "with --features 0") for name in ("compared", "vgg_weights"))
    elif config.vgg_weights:
        yield "compared", "with --vgg_weights"
    yield "jitter", OF_LAYOUTS


def in_short(losses: Sequence[float]) -> str:
    """The differences in a few words."""
    difference, features, adversarial, _, _ = losses
    return f"L1 {difference:.4f} features {features:.3f} G {adversarial:.3f}"


CRN = Method(
    name="crn",
    title="Cascaded refinement",
    paper="Chen, Koltun: Photographic Image Synthesis with Cascaded Refinement Networks, ICCV 2017",
    summary="a cascade from 4 px to the picture, told the layout at every size",
    config=CRNConfig,
    tasks=TASKS,
    presets=PRESETS,
    label=label,
    code="consingan.methods.crn.setup",
    remedies=REMEDIES
    | {
        "memory": lambda _: "Train anew with a smaller --max_size or --width.",
        "smooth": lambda config: f"Raise --critic_weight, now {config.adversarial:g}, or --niter.",
    },
    losses=LOSSES,
    reconstruction="difference",
    in_short=in_short,
    panels=(L1, JUDGED),
    idle=idle,
    trial={"condition": "colors:64", "niter": 2, "width": 4, "ndf": 2, "max_size": 32},
    pictures=pictures_of,
)
