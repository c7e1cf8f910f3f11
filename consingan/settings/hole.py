"""The setting of methods that leave a region of the picture out. Imports no torch."""

from __future__ import annotations

from typing import Any

from consingan.settings.option import option

COLOR = "auto_color"  # before the three numbers of a color that marks a hole


def mask_option() -> Any:
    """The field `mask` of a method's Config."""
    return option(
        "",
        "The hole, or what must not be learned: a mask, white on black; alpha; auto_color:R,G,B.",
        group="hole",
    )


def pictures_of(config: Any) -> dict[str, str]:
    """The mask, if there is one, by its field of `Inputs`; see `contract.Method.pictures`."""
    return {"mask": config.mask} if config.mask else {}
