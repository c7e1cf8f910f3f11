"""What a report says of the seams of tiles."""

from __future__ import annotations

import pytest
import torch

from consingan.outputs.samples import RandomSamples
from consingan.outputs.tiles import Seams, seam_of
from consingan.report.kinds import KINDS
from consingan.report.material import Facts
from consingan.settings.config import Config

NOISE = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
RAMP = torch.linspace(-1, 1, 20).expand(1, 3, 16, 20)


@pytest.mark.parametrize(
    ("tile", "wraps", "level", "said"),
    [
        (NOISE, (True, True), "good", "show no seam"),
        (RAMP, (False, True), "fair", "can be seen (seam error 19.00)"),
        (RAMP, (True, False), "good", "show no seam"),
    ],
)
def test_only_a_seam_where_ends_meet_is_told(tile, wraps, level, said):
    facts = Facts(Config(), made=RandomSamples([tile], seams=Seams([seam_of(tile, wraps)], [])))
    (verdict,) = KINDS["samples"].verdicts(facts)
    assert verdict.level == level
    assert said in verdict.text


def test_pictures_that_end_have_no_seams():
    assert KINDS["samples"].figures(RandomSamples([NOISE])) == {}


def test_figures_are_of_all_tiles():
    seams = Seams([seam_of(tile, (False, True)) for tile in (NOISE, RAMP)], [])
    figures = KINDS["samples"].figures(RandomSamples([NOISE], seams=seams))["seams"]
    assert figures["worst"] == pytest.approx(19)
    assert figures["mean"] == pytest.approx(sum(seams.errors) / 2)
