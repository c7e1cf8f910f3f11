"""Sheets of pictures, which stay small enough to be made."""

from __future__ import annotations

import pytest
import torch

from consingan.images import sheets
from consingan.images.sheets import GAP, LABEL_HEIGHT, labelled


def test_large_pictures_are_shown_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [torch.zeros(1, 3, 80, 200)] * 2
    whole = labelled(pictures, ["a", "b"])
    monkeypatch.setattr(sheets, "MOST", 80 * 200 // 2)
    made = labelled(pictures, ["a", "b"])
    assert whole.shape == (80 + LABEL_HEIGHT, 400 + GAP, 3)
    assert made.shape == (40 + LABEL_HEIGHT, 200 + GAP, 3)
