"""The further pictures of a training: A of a pair, and what is black and white in it."""

from __future__ import annotations

import warnings
from typing import Any

from torch import Tensor

from consingan.images.io import read_image, read_picture
from consingan.images.names import refuse_unknown_word
from consingan.methods.choose import MASK
from consingan.methods.pairs import CONDITION, WORDS
from consingan.methods.registry import method_of
from consingan.settings.layers import Chosen
from consingan.settings.reading import AUTO, BY_CONDITION, Reading, of_deep


def further_pictures(
    chosen: Chosen[Any], typed: str | None
) -> tuple[Chosen[Any], dict[str, Tensor]]:
    """By their fields of `Inputs`, but for the mask; the settings keep how A was read.

    Args:
        chosen: the settings.
        typed: the range that was typed for pictures; that of B, if it was found, is none of A's.

    Raises:
        UserError: one cannot be read.
    """
    files = dict(method_of(chosen.config.method).pictures(chosen.config))
    path = files.pop(CONDITION, None)
    found = {name: read_image(file) for name, file in files.items() if name != MASK}
    if path is None:
        return chosen, found
    chosen, found[CONDITION] = _condition(chosen, path, typed or AUTO)
    return chosen, found


def _condition(chosen: Chosen[Any], path: str, typed: str) -> tuple[Chosen[Any], Tensor]:
    """A, and settings that say which numbers of a deep one became black and white."""
    refuse_unknown_word(CONDITION, path, f"a picture, or {WORDS}")
    wanted, origin = chosen.config.condition_range, chosen.origin
    picture = read_picture(path, Reading(wanted, otherwise=BY_CONDITION))
    deep = picture.value_range != AUTO
    if deep and wanted == AUTO:
        wanted = typed
        picture = read_picture(path, Reading(wanted, otherwise=BY_CONDITION))
        origin = {**origin, "condition_range": "picture" if wanted == AUTO else "typed"}
        wanted = picture.value_range if wanted == AUTO else wanted
    if deep:
        wanted = of_deep(wanted)
    for note in picture.notes:
        warnings.warn(note.removesuffix("."), stacklevel=2)
    return Chosen(chosen.config.replace(condition_range=wanted), origin), picture.image
