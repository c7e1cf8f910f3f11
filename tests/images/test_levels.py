"""Black and white are chosen by all channels alike, and by what has a value."""

from __future__ import annotations

import numpy as np
import pytest

from consingan.images import levels
from consingan.images.levels import levels_of, unit_values
from consingan.images.raster import Raster
from consingan.settings.reading import FULL_8, Reading


@pytest.mark.parametrize("samples", [300, 450, 10_000], ids=["step 6", "step 4", "all"])
@pytest.mark.parametrize("darkest", [0, 1, 2])
def test_all_channels_decide_in_a_large_picture_too(monkeypatch, samples, darkest):
    monkeypatch.setattr(levels, "SAMPLES", samples)
    colors = np.random.default_rng(0).integers(100, 4000, (20, 30, 3), dtype=np.uint16)
    colors[..., darkest] = colors[..., darkest] // 10
    found = levels_of(Raster(colors))
    assert found.low < 400
    assert found.high == colors.max()
    assert not any("lie below" in note for note in found.notes)


@pytest.mark.parametrize(("most", "said"), [(4000, True), (65535, False)])
def test_a_picture_read_as_by_release_1_0_says_where_today_it_would_be_another(most, said):
    colors = np.linspace(0, most, 600).astype(np.uint16).reshape(20, 30, 1)
    found = levels_of(Raster(colors), Reading(FULL_8))
    assert (found.low, found.high) == (0, 65535)
    assert any("0 to 65535 are black to white" in note for note in found.notes) == said


def test_a_range_that_was_typed_is_obeyed_and_the_rest_cut_off():
    colors = np.array([0, 100, 150, 200, 4000], np.uint16).reshape(1, 5, 1)
    full = levels_of(Raster(colors), Reading("full"))
    assert (full.low, full.high) == (0, 65535)
    found = levels_of(Raster(colors), Reading("100,200"))
    assert unit_values(colors.ravel(), found, False).tolist() == [0, 0, 0.5, 1, 1]
    assert unit_values(colors.ravel(), found, True).tolist() == [1, 1, 0.5, 0, 0]
