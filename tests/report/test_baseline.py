"""Samples without training beside those of a run."""

from __future__ import annotations

import torch

from consingan.report.baseline import SHOWN, untrained


def test_as_many_samples_are_judged_as_were_asked_for() -> None:
    real = torch.rand(1, 3, 26, 30, generator=torch.Generator().manual_seed(0)) * 2 - 1
    said: list[str] = []
    found = untrained(real, 5, 0, None, said.append)
    assert found is not None
    assert found.judgement.count == 5
    assert len(found.samples) == SHOWN
    assert "--no_baseline" in said[0]


def test_a_picture_smaller_than_a_patch_has_none() -> None:
    assert untrained(torch.zeros(1, 3, 12, 30), 1, 0, None, lambda _: None) is None
