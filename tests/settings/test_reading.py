"""Which ranges say that they are of deep pictures."""

from __future__ import annotations

import pytest

from consingan.settings.reading import of_deep, parse_range


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("20,170", "20,170,deep"),
        ("20,170,deep", "20,170,deep"),
        ("0,255", "0,255"),
        ("0,1", "0,1"),
        ("-60,200", "-60,200"),
        ("0,4095", "0,4095"),
        ("full", "full"),
        ("full,8", "full,8"),
        ("auto", "auto"),
    ],
)
def test_a_range_is_marked_where_numbers_of_8_bit_could_be_meant(text, marked):
    assert of_deep(text) == marked
    assert parse_range(marked) == parse_range(text)
