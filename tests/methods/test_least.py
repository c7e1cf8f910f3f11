"""The smallest picture of networks that halve it: refused with what to use."""

from __future__ import annotations

import pytest

from consingan.errors import UserError
from consingan.methods.least import refuse_small


@pytest.mark.parametrize(
    ("own", "advice"), [((7, 400), "a larger image"), ((40, 400), "a larger --max_size")]
)
def test_a_picture_too_small_in_training_is_refused_with_what_helps(
    own: tuple[int, int], advice: str
) -> None:
    with pytest.raises(UserError, match=f"4x200 px in training; .* use {advice}\\.$"):
        refuse_small((200, 4), own)


def test_sixteen_pixels_are_enough() -> None:
    refuse_small((16, 90), (16, 90))
