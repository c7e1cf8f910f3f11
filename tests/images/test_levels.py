"""Black and white are chosen by all channels alike, and by what has a value."""

from __future__ import annotations

import numpy as np
import pytest

from consingan.images import levels
from consingan.images.levels import levels_of
from consingan.images.raster import Raster


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
