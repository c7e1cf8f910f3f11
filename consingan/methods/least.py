"""The smallest picture that a network which halves it several times can be trained on."""

from __future__ import annotations

from consingan.errors import UserError

LEAST = 16  # px of a side

Size = tuple[int, int]


def refuse_small(size: Size, own: Size) -> None:
    """Refuse a picture that is too small in training.

    Args:
        size: (h, w) in px in training.
        own: of the picture itself.

    Raises:
        UserError: the sentence says what to use.
    """
    if min(size) >= LEAST:
        return
    larger = "--max_size" if min(own) >= LEAST else "image"
    raise UserError(
        f"The image is {size[1]}x{size[0]} px in training; it needs {LEAST} px on each side, use "
        f"a larger {larger}."
    )
