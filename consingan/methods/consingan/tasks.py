"""The tasks of ConSinGAN as data (Hinz et al. 2021, sections 3 and 4).

A new task is a row of `TASKS` and, at most, a function for its source; the training loop, the
networks and the command line do not change. Imports no torch at the top: the command line reads
the table for its help texts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consingan.methods.consingan.presets import COMPOSING
from consingan.methods.contract import Task
from consingan.nn.architecture import Border, Spacing
from consingan.settings.reading import CHANNELS

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    Source = Callable[[Tensor, torch.Generator], Tensor]


EDITING_NOISE = 0.1


def unchanged(image: Tensor, rng: torch.Generator) -> Tensor:  # noqa: ARG001 - a Source
    """The picture itself."""
    return image


def gaussian(image: Tensor, rng: torch.Generator) -> Tensor:
    """Standard normal noise of the picture's shape."""
    from consingan.nn import noise

    return noise.gaussian(image.shape, rng, image.device)


def noisy(image: Tensor, rng: torch.Generator) -> Tensor:
    """The picture plus 0.1 N(0, 1)."""
    return image + EDITING_NOISE * gaussian(image, rng)


def recolored(image: Tensor, rng: torch.Generator) -> Tensor:
    """The picture with random color changes and cut-outs (harmonization)."""
    from consingan.images import augment

    return augment.cut_out(augment.recolor(image, rng), rng)


def shuffled(image: Tensor, rng: torch.Generator) -> Tensor:
    """The picture with some tiles copied elsewhere, plus 0.1 N(0, 1) (editing)."""
    from consingan.images import augment

    return noisy(augment.shuffle_tiles(image, rng), rng)


@dataclass(frozen=True)
class Mode(Task):
    """One task, with what the training needs to know of it.

    Attributes:
        border: whether diversity reaches the border ("noise") or zeros frame the image ("zero").
        spacing: how the stages are spread over the sizes.
        anchor: makes the fixed z_0, which must give back the real image, from real_0.
        source: makes the z_0 of one training iteration from real_0.
        entry: makes the z_0 under which a user's own picture enters, from that picture.
    """

    border: Border = "noise"
    spacing: Spacing = "log"
    anchor: Source = unchanged
    source: Source = gaussian
    entry: Source = unchanged

    @property
    def random(self) -> bool:
        """Whether noise is added to a picture that enters."""
        return self.entry is not unchanged

    def around(self, hole: Tensor) -> Mode:
        """The task of a picture with a hole (1, 1, h, w) at stage 0, on the CPU.

        Where the task is to fill it, z_0 is the picture around it and noise inside: what is to
        come out is judged in every iteration. Else nothing changes.
        """
        if not self.fills:
            return self

        def source(image: Tensor, rng: torch.Generator) -> Tensor:
            from consingan.methods.consingan.filling import in_hole

            return in_hole(image, hole, rng)

        return dataclasses.replace(self, source=source, anchor=source)


TASKS: dict[str, Mode] = {
    "generation": Mode(
        summary="variations that differ up to the border",
        border="noise",
        spacing="log",
        anchor=unchanged,
        source=gaussian,
        takes=("mask",),
        channels=CHANNELS,
        tiles=True,
    ),
    "retarget": Mode(
        summary="the same picture in other shapes, its borders kept",
        border="zero",
        spacing="log",
        anchor=unchanged,
        source=gaussian,
        takes=("mask",),
        channels=CHANNELS,
        tiles=True,
    ),
    "animation": Mode(
        summary="a short film from a still",
        border="noise",
        spacing="log",
        anchor=gaussian,
        source=gaussian,
        output="film",
        overrides={"min_size": 20},
        channels=CHANNELS,
        tiles=True,
    ),
    "harmonization": Mode(
        summary="a pasted object becomes part of a picture",
        border="zero",
        spacing="geometric",
        anchor=unchanged,
        source=recolored,
        output="composite",
        takes=("naive",),
        result="harmonized",
        overrides={
            "train_stages": 3,
            "min_size": 120,
            "lrelu_alpha": 0.3,
            "niter": 1000,
            "batch_norm": True,
        },
        mask_dilation=7,
        presets=COMPOSING,
        detail="both",
    ),
    "editing": Mode(
        summary="seams of moved or copied parts vanish",
        border="zero",
        spacing="log",
        anchor=noisy,
        source=shuffled,
        entry=noisy,
        output="composite",
        takes=("naive",),
        result="edited",
        overrides={"niter": 1000, "batch_norm": True},
        mask_dilation=20,
        presets=COMPOSING,
    ),
    "inpainting": Mode(
        summary="a hole (--mask) is filled by a generator trained around it",
        border="zero",
        spacing="log",
        output="fill",
        needs=("mask",),
        overrides={"min_size": 48, "train_stages": 4, "niter": 1000},
        fills=True,
        presets=COMPOSING,
    ),
}


def fine_tuned(mode: Mode) -> Mode:
    """The same task trained on the user's own picture: z_0 of every iteration is that picture."""
    return dataclasses.replace(mode, source=mode.entry)
