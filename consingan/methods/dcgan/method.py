"""DCGAN as the program knows it: Radford et al., ICLR 2016. Imports no torch.

It learns crops of the image and knows nothing of the whole: the baseline that the others beat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from consingan.methods.contract import Method, Panel
from consingan.methods.dcgan.config import DCGANConfig
from consingan.methods.dcgan.presets import PRESETS
from consingan.methods.dcgan.tasks import TASKS

LOSSES = ("d_real", "d_fake", "g_adversarial")


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
        "longer": lambda config: f"Raise --niter, now {config.niter}.",
        "texture": lambda config: f"Raise --niter, now {config.niter}; this method is a baseline.",
        "copies": lambda _: "Train with a larger --max_size, which gives more crops.",
        "alike": lambda _: "for more variety train with a smaller --lr.",
        "memory": lambda _: "Train anew with a smaller --batch or --ngf.",
    },
    losses=LOSSES,
    in_short=in_short,
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
