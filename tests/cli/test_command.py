"""What is typed in two words where it is one thing."""

from __future__ import annotations

import pytest

from consingan.cli.command import joined


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["--mask", "auto_color", "255,0,0"], ["--mask", "auto_color:255,0,0"]),
        (["--mask", "auto_color", "--niter", "3"], ["--mask", "auto_color", "--niter", "3"]),
        (["--mask", "auto_color"], ["--mask", "auto_color"]),
        (["a", "b", "1,2,3"], ["a", "b", "1,2,3"]),
    ],
)
def test_a_color_of_a_mask_may_stand_apart(typed: list[str], read: list[str]) -> None:
    assert list(joined(typed)) == read
