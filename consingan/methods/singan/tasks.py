"""The tasks of SinGAN as data (paper, section 4). Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from consingan.methods.contract import Task


@dataclass(frozen=True)
class SinGANTask(Task):
    """One task, with what the training needs to know of it.

    Attributes:
        noise_to_border: noise fills the frame of 5 px too, so that diversity reaches the border.
    """

    noise_to_border: bool = False


TASKS: dict[str, SinGANTask] = {
    "generation": SinGANTask(summary="variations of any size, from any scale on", tiles=True),
    "animation": SinGANTask(
        summary="a short film from a still",
        output="film",
        overrides={"min_size": 20},
        noise_to_border=True,
        tiles=True,
    ),
    "harmonization": SinGANTask(
        summary="a pasted object becomes part of a picture",
        output="composite",
        takes=("naive",),
        result="harmonized",
        mask_dilation=7,
        detail="both",
    ),
    "editing": SinGANTask(
        summary="seams of moved or copied parts vanish",
        output="composite",
        takes=("naive",),
        result="edited",
        mask_dilation=20,
    ),
    "paint2image": SinGANTask(
        summary="a painted sketch becomes a picture",
        output="composite",
        takes=("naive",),
        result="painted",
    ),
    "super_resolution": SinGANTask(
        summary="the picture enlarged, with detail of its own kind",
        output="enlargement",
        overrides={"min_size": 18, "alpha": 100.0},
        enlarging=True,
    ),
}
