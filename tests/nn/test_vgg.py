"""Features of VGG: torchvision's layout is read, anything else is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.errors import UserError
from consingan.nn.vgg import LAYERS, load_vgg, names_of, normalized

PUBLISHED = [0, 2, 5, 7, 10, 12, 14]  # of torchvision's VGG16, up to the third pool


def weights(blocks: int) -> dict[str, Tensor]:
    rng, before, found = torch.Generator().manual_seed(0), 3, {}
    for names, width in zip(names_of(16, blocks), (64, 128, 256), strict=False):
        for name in names:
            found[f"{name}.weight"] = torch.randn(width, before, 3, 3, generator=rng) / before
            found[f"{name}.bias"] = torch.randn(width, generator=rng) / 10
            before = width
    return found


def test_names_are_torchvision_s() -> None:
    assert [n for block in names_of(16, 3) for n in block] == [f"features.{k}" for k in PUBLISHED]
    assert sum(LAYERS[19]) + 3 == 19  # with the layers that classify


def test_the_maps_are_those_of_the_layers_one_after_the_other(tmp_path: Path) -> None:
    state = weights(2)
    torch.save(state, tmp_path / "vgg.pth")
    image = torch.rand(1, 3, 13, 10) * 2 - 1
    x = normalized(image)
    for name in ("features.0", "features.2"):
        x = F.relu(F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=1))
    maps = load_vgg(tmp_path / "vgg.pth", 16, 2).pooled(image)
    torch.testing.assert_close(maps[0], F.max_pool2d(x, 2))
    assert maps[1].shape[1] == 128


def test_a_file_of_another_layout_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"conv1.weight": torch.zeros(3)}, path)
    with pytest.raises(UserError, match=r"torchvision's VGG16: features.0.weight is missing"):
        load_vgg(path, 16, 3)
    path.write_bytes(b"no weights")
    with pytest.raises(UserError, match="that can be read"):
        load_vgg(path, 16, 3)
    with pytest.raises(UserError, match="There is no file"):
        load_vgg(tmp_path / "nowhere.pth", 16, 3)
