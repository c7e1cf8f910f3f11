"""Variations of a picture without a run's folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from commands import save, scene

from consingan.api.samples import Wish, make
from consingan.errors import UserError
from consingan.images.io import read_picture
from consingan.images.picture import is_gray
from consingan.machine.execution import Execution

HERE = Execution(torch.device("cpu"))
SIZE = (24, 28)  # px, (h, w), of the pictures


def test_each_picture_is_written_before_the_next_is_begun(tmp_path: Path) -> None:
    made = make(Wish(str(save(tmp_path / "a.png", scene(*SIZE))), count=2), HERE, tmp_path / "out")
    assert next(made).path == tmp_path / "out" / "sample_0.png"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sample_0.png"]
    assert next(made).path.is_file()


def test_a_tile_has_a_preview_and_a_seam(tmp_path: Path) -> None:
    wish = Wish(
        str(save(tmp_path / "a.png", scene(*SIZE))), count=1, tile="horizontal", size=(20, 22)
    )
    (made,) = make(wish, HERE, tmp_path / "out")
    assert made.picture.shape == (1, 3, 20, 22)
    assert made.seam is not None
    assert (tmp_path / "out" / "sample_0_2x2.png").is_file()


def test_of_a_deep_picture_samples_are_deep(tmp_path: Path) -> None:
    heights = scene(*SIZE)[..., 0].astype(np.uint16) * 200 + np.arange(SIZE[1], dtype=np.uint16)
    wish = Wish(str(save(tmp_path / "a.png", heights)), count=1)
    (made,) = make(wish, HERE, tmp_path / "out")
    picture = read_picture(made.path)
    assert picture.bits == 16
    assert is_gray(picture.image)


def test_the_engine_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    wish = Wish(str(save(tmp_path / "a.png", scene(*SIZE))), count=1)
    list(make(wish, Execution(torch.device("cpu"), engine="fast"), tmp_path, said.append))
    assert any("engine fast; nothing is trained" in line for line in said)


def test_retargeting_needs_a_shape(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--retarget needs --size"):
        list(make(Wish("skimage:coffee", retarget=True), HERE, tmp_path))
    with pytest.raises(UserError, match="--loosen needs --retarget"):
        list(make(Wish("skimage:coffee", loosen=0.5), HERE, tmp_path))
