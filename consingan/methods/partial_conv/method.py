"""Partial convolutions as the program knows them: Liu et al., ECCV 2018. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from consingan.methods.contract import Method, Panel
from consingan.methods.partial_conv.config import PartialConvConfig
from consingan.methods.partial_conv.presets import PRESETS
from consingan.methods.partial_conv.tasks import TASKS
from consingan.settings.hole import pictures_of

LOSSES = ("valid", "hole", "perceptual", "style_output", "style_composite", "variation")


def label(config: PartialConvConfig) -> str:
    """Name of a run's folder after its date."""
    words = ["partial_conv", f"width_{config.width}"]
    words += [config.norm] if config.norm.startswith("region") else []
    words += ["region_wise"] if config.convolution == "region" else []
    return "_".join([*words, "vgg" if config.vgg_weights else config.features])


def idle(config: PartialConvConfig) -> Iterator[tuple[str, str]]:
    """Settings that change nothing beside the others."""
    yield "fit", "without --naive_img"
    if config.vgg_weights:
        yield "features", "with --vgg_weights"
    elif config.features == "none":
        yield "perceptual", "with --features none"
        yield "style", "with --features none"


def in_short(losses: Sequence[float]) -> str:
    """The two differences in a few words."""
    return f"valid {losses[0]:.4f} hole {losses[1]:.4f}"


PARTIAL_CONV = Method(
    name="partial_conv",
    title="Partial convolutions",
    paper="Liu, Reda, Shih, Wang, Tao, Catanzaro: Image Inpainting for Irregular Holes Using "
    "Partial Convolutions, ECCV 2018",
    summary="a U-Net that fills holes, trained on the known part of one picture",
    config=PartialConvConfig,
    tasks=TASKS,
    presets=PRESETS,
    label=label,
    code="consingan.methods.partial_conv.setup",
    remedies={
        "diverged": lambda config: f"Try a smaller --lr, now {config.lr:g}.",
        "longer": lambda config: f"Raise --niter, now {config.niter}.",
        "memory": lambda _: "Train anew with a smaller --max_size or --width.",
    },
    losses=LOSSES,
    in_short=in_short,
    panels=(
        Panel(
            "mean difference",
            "Difference where the picture is seen and where it is hidden: both fall.",
            {"seen": ("valid",), "hidden": ("hole",)},
            log=True,
        ),
        Panel(
            "features",
            "Differences of features and of their statistics, before their weights.",
            {"perceptual": ("perceptual",), "style": ("style_output",),
             "style of the composite": ("style_composite",)},
        ),
        Panel("variation", "Difference of neighbors in and at the hole.",
              {"variation": ("variation",)}),
    ),
    idle=idle,
    trial={"niter": 2, "width": 2, "max_size": 32, "levels": 2, "features": "none"},
    pictures=pictures_of,
)  # fmt: skip
