"""The option for pictures whose ends meet. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from consingan.errors import UserError
from consingan.settings.option import option

Wraps = tuple[bool, bool]
ENDS: Wraps = (False, False)  # of pictures with four borders
NONE = "none"
TILES: dict[str, Wraps] = {NONE: ENDS, "both": (True, True), "horizontal": (False, True),
         "vertical": (True, False)}  # fmt: skip
"""Whether what is made goes on over its lower end at the upper one, and from right to left."""


def tile_option() -> Any:
    """The row of a table of options."""
    return option(NONE, "Seamless tiles: both, horizontal or vertical.", choices=TILES.keys())


def check_tile(tile: str, task: str, able: Iterable[str]) -> None:
    """Refuse tiles for a task that is not among those that are `able` to make them.

    Raises:
        UserError: it is not.
    """
    names = list(able)
    if tile != NONE and task not in names:
        raise UserError(
            f"--tile does not go with --train_mode {task}; use one of {', '.join(names)}."
        )
