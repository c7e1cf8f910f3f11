"""The option for pictures whose ends meet. Imports no torch."""

from __future__ import annotations

from typing import Any

from consingan.settings.option import option

NONE = "none"
TILES = {NONE: (False, False), "both": (True, True), "horizontal": (False, True),
         "vertical": (True, False)}  # fmt: skip
"""Whether what is made goes on over its lower end at the upper one, and from right to left."""


def tile_option() -> Any:
    """The row of a table of options."""
    return option(NONE, "Seamless tiles: both, horizontal or vertical.", choices=TILES.keys())
