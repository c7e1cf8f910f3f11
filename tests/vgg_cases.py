"""A VGG of two channels as a file, in torchvision's layout."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from consingan.nn import vgg


def small_vgg(monkeypatch: pytest.MonkeyPatch, folder: Path, depth: int = 19) -> Path:
    """Its file; the program takes widths of two for the published ones."""
    monkeypatch.setattr(vgg, "WIDTHS", (2,) * 5)
    rng, before, state = torch.Generator().manual_seed(0), 3, dict[str, Tensor]()
    for names in vgg.names_of(depth, 5):
        for name in names:
            state[f"{name}.weight"] = torch.randn(2, before, 3, 3, generator=rng)
            state[f"{name}.bias"] = torch.ones(2)
            before = 2
    path = folder / f"vgg{depth}.pth"
    torch.save(state, path)
    return path
