"""The settings of training-free patch diffusion. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from consingan.errors import UserError
from consingan.methods.pairs import condition_option, condition_range_option, recipe_of
from consingan.methods.patches.presets import PRESETS
from consingan.methods.patches.tasks import TASKS
from consingan.settings.config import Config
from consingan.settings.hole import mask_option
from consingan.settings.option import option
from consingan.settings.reading import parse_range
from consingan.settings.tiles import TILES, tile_option

LEAST_PATCH = 3  # px
SYMMETRIES = ("none", "left", "right", "top", "bottom")


@dataclass(frozen=True, kw_only=True)
class PatchesConfig(Config):
    """All settings that decide what is made. Sizes are in px; `check` holds them to ranges."""

    method: str = option("patches", "How: see `consingan methods`.")
    train_mode: str = option(
        "generation", "What is to be made of the picture.", choices=TASKS.keys()
    )
    preset: str = option(
        "paper",
        "paper, with balance, transport and rows; published: without, as the authors have it.",
        choices=PRESETS.keys(),
    )
    niter: int = option(
        2000, "Does nothing here: nothing is trained.", minimum=1, maximum=10**9, shown="none"
    )
    mask: str = mask_option()
    patch: int = option(
        15, "Side of a patch (px, odd): larger keeps larger things whole.", minimum=LEAST_PATCH
    )
    min_side: int = option(
        0,
        "Shorter side of the coarsest scale (px): lower follows the picture more, but in retarget "
        "less. 0: by the task.",
        minimum=0,
    )
    balance: int = option(
        10,
        "Steps that make all parts of the picture appear about equally often; 0: none.",
        minimum=0,
        maximum=1000,
    )
    sw_steps: int = option(
        2,
        "Steps of sliced transport to the picture's shares of small patches, at each noise level "
        "of the coarsest scale; 0: none.",
        minimum=0,
        maximum=1000,
        before=0,
    )
    rows: float = option(
        1.0,
        "How far rows keep their height (sky above, ground below), 0 (as published) to 1.",
        minimum=0,
        maximum=1,
        before=0.0,
    )
    loosen: float = option(
        0.0,
        "How much of the stretched layout is made anew (retarget), 0 (as published) to 1.",
        minimum=0,
        maximum=1,
    )
    tile: str = tile_option()
    symmetric: str = option(
        "none", "Mirror the left, right, top or bottom half onto the other.", choices=SYMMETRIES
    )
    level: float = option(
        0.8,
        "How much of a picture that enters is made anew (own pictures, films), 0 to 1.",
        above=0,
        maximum=1,
    )
    keep: float = option(
        0.0,
        "Share of the own picture's colors and shapes that stays (harmonization).",
        minimum=0,
        maximum=1,
        group="own picture",
    )

    condition: str = condition_option()
    condition_range: str = condition_range_option()
    guidance: float = option(
        4.0,
        "How much more the new A decides than what grows beside it (translation).",
        above=0,
        maximum=100,
        group="pair",
    )

    @property
    def wraps(self) -> tuple[bool, bool]:
        """See `Config.wraps`."""
        return TILES[self.formed[0]]

    @property
    def formed(self) -> tuple[str, str]:
        """`tile` and `symmetric`, of tasks that take none "none" each."""
        return (self.tile, self.symmetric) if TASKS[self.train_mode].tiles else ("none", "none")

    @property
    def layered(self) -> bool:
        """Whether samples begin with nothing but their rows; an endless canvas has no top."""
        return self.train_mode == "generation" and not self.wraps[0]

    @property
    def keeps_layout(self) -> bool:
        """Whether the coarsest scale is the stretched picture, as it is."""
        return TASKS[self.train_mode].stretched and not self.loosen

    def check(self) -> None:
        """Refuse values that cannot work.

        Raises:
            UserError: one sentence that names the flag, the value and what would be right.
        """
        super().check()
        recipe_of(self.condition)
        parse_range(self.condition_range, "condition_range")
        if self.patch % 2 == 0:
            raise UserError(f"--patch {self.patch} must be odd, for example {self.patch + 1}.")
        if 0 < self.min_side < self.patch:
            raise UserError(
                f"--min_side {self.min_side} is smaller than --patch {self.patch}; "
                f"use {self.patch} or more, or 0."
            )
        if self.tile != "none" and self.symmetric != "none":
            raise UserError("--tile and --symmetric do not go together; leave one of them out.")
