"""What training-free patch diffusion can make. Imports no torch."""

from __future__ import annotations

from consingan.methods.contract import Task

TASKS: dict[str, Task] = {
    "generation": Task(
        output="samples", summary="variations of any size, tiles, mirrored pictures", tiles=True
    ),
    "retarget": Task(
        output="samples",
        summary="the same picture in other shapes, its layout kept",
        tiles=True,
        overrides={"sw_steps": 0},
    ),
    "animation": Task(output="film", summary="a short film from a still"),
    "harmonization": Task(
        output="composite",
        summary="a pasted object takes on the picture's colors and texture",
        takes=("naive",),
        result="harmonized",
        overrides={"patch": 5, "level": 0.3, "keep": 0.5},
        mask_dilation=3,
        detail="both",
    ),
    "editing": Task(
        output="composite",
        summary="seams of moved or copied parts vanish",
        takes=("naive",),
        result="edited",
        overrides={"level": 0.5},
        mask_dilation=20,
    ),
    "inpainting": Task(
        output="composite",
        summary="a hole (--mask) is filled from what is known around it",
        takes=("naive", "mask"),
        result="filled",
        overrides={"patch": 9},
        mask_dilation=12,
        fills=True,
        filled="fill",
    ),
    "translation": Task(
        output="translation",
        summary="a picture from a new layout or drawing, nothing learned but one pair looked up",
        takes=("naive",),
        overrides={"patch": 7, "balance": 0, "sw_steps": 0},
    ),
    "analogy": Task(
        output="composite",
        summary="the picture's patches on the layout of another (--naive_img)",
        takes=("naive",),
        result="analogous",
        own_shape=True,
        overrides={"patch": 11, "level": 0.5, "sw_steps": 0},
    ),
}
