"""DCGAN as the program knows it: Radford et al., ICLR 2016. Imports no torch.

It learns crops of the image and knows nothing of the whole: the baseline that the others beat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from consingan.methods.contract import Method, Panel
from consingan.methods.dcgan.config import DCGANConfig
from consingan.methods.dcgan.presets import PRESETS
from consingan.methods.dcgan.tasks import TASKS

LOSSES = ("d_real", "d_fake", "g_adversarial")

LAST = 100  # iterations that tell how a training ended
SURE = 0.005
"""Sum of the critic's two losses, each in the median of the `LAST` iterations, under which it won.

At 32 px four trainings were won so (--lr 0.01 and 0.02 with --beta1 0.9, --lr 0.1): 0.0018 or less
after 600 iterations, samples one picture over and over (they vary by 0.02 or less of what crops do)
or noise. Fourteen that learned, narrow generators and wide critics among them, ended with 0.013 or
more, after 300 to 3000 iterations, at 32 and 64 px. Some pass lower: two on `skimage:brick` at
the default settings had 0.010 and 0.007 after 500 and 650, and 0.03 150 iterations later. Means
tell less: single iterations are 100 times it.
"""


def beaten(curves: Mapping[str, Any]) -> bool:
    """Whether the critic tells all that is made from crops of the image, see `SURE`."""
    last = [curves[name][-LAST:] for name in ("d_real", "d_fake")]
    return len(last[0]) == LAST and sum(map(median, last)) < SURE


def label(config: DCGANConfig) -> str:
    """Name of a run's folder after its date."""
    return f"dcgan_{config.side}px_ngf_{config.ngf}"


def idle(config: DCGANConfig) -> Iterator[tuple[str, str]]:  # noqa: ARG001
    """Settings that change nothing."""
    yield "fit", "for --method dcgan"


def in_short(losses: Sequence[float]) -> str:
    """Both networks' losses in a few words."""
    real, fake, adversarial = losses
    return f"D {real + fake:.3f} G {adversarial:.3f}"


DCGAN = Method(
    name="dcgan",
    title="DCGAN",
    paper="Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional "
    "Generative Adversarial Networks, ICLR 2016",
    summary="one vector to one small picture, trained on crops of the image: a baseline",
    config=DCGANConfig,
    tasks=TASKS,
    presets=PRESETS,
    label=label,
    code="consingan.methods.dcgan.setup",
    remedies={
        "diverged": lambda _: "Try a smaller --lr.",
        "beaten": lambda config: (
            f"Train anew with a smaller --lr (now {config.lr:g}) or --beta1 (now {config.beta1:g})."
        ),
        "longer": lambda config: f"Raise --niter, now {config.niter}.",
        "texture": lambda config: f"Raise --niter, now {config.niter}; this method is a baseline.",
        "copies": lambda _: "Train with a larger --max_size, which gives more crops.",
        "alike": lambda _: "for more variety train with a smaller --lr.",
        "memory": lambda _: "Train anew with a smaller --batch or --ngf.",
    },
    losses=LOSSES,
    in_short=in_short,
    beaten=beaten,
    panels=(
        Panel(
            "loss",
            "Critic and generator: neither runs away from the other.",
            {"critic": ("d_real", "d_fake"), "generator": ("g_adversarial",)},
        ),
    ),
    idle=idle,
    trial={"niter": 2, "ngf": 2, "ndf": 2, "nz": 4, "batch": 2, "side": 32, "max_size": 40},
)
