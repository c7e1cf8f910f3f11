"""What training-free patch diffusion can make. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from consingan.methods.contract import Task


@dataclass(frozen=True)
class PatchesTask(Task):
    """One task, with what is to be known of how its pictures begin.

    Attributes:
        stretched: the coarsest scale is the picture stretched to the output's size, and made anew
            as far as `loosen` says.
        enters_below: a picture enters below the coarsest scale, if there is more than one, where
            only matches are asked and not all patches.
    """

    stretched: bool = False
    enters_below: bool = False


TASKS: dict[str, PatchesTask] = {
    "generation": PatchesTask(
        output="samples", summary="variations of any size, tiles, mirrored pictures", tiles=True
    ),
    "retarget": PatchesTask(
        output="samples",
        summary="the same picture in other shapes, its layout kept",
        tiles=True,
        overrides={"sw_steps": 0},
        stretched=True,
    ),
    "animation": PatchesTask(output="film", summary="a short film from a still", enters_below=True),
    "harmonization": PatchesTask(
        output="composite",
        summary="a pasted object takes on the picture's colors and texture",
        takes=("naive",),
        result="harmonized",
        overrides={"patch": 5, "level": 0.3, "keep": 0.5},
        mask_dilation=3,
        detail="both",
        enters_below=True,
    ),
    "editing": PatchesTask(
        output="composite",
        summary="seams of moved or copied parts vanish",
        takes=("naive",),
        result="edited",
        overrides={"level": 0.5},
        mask_dilation=20,
        enters_below=True,
    ),
    "inpainting": PatchesTask(
        output="composite",
        summary="a hole (--mask) is filled from what is known around it",
        takes=("naive", "mask"),
        result="filled",
        overrides={"patch": 9},
        mask_dilation=12,
        fills=True,
        filled="fill",
    ),
    "translation": PatchesTask(
        output="translation",
        summary="a picture from a new layout or drawing, nothing learned but one pair looked up",
        takes=("naive",),
        overrides={"patch": 7, "balance": 0, "sw_steps": 0},
    ),
    "analogy": PatchesTask(
        output="composite",
        summary="the picture's patches on the layout of another (--naive_img)",
        takes=("naive",),
        result="analogous",
        own_shape=True,
        overrides={"patch": 11, "level": 0.5, "sw_steps": 0},
    ),
}
