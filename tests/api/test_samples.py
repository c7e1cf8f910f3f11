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
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["sample_0.png"]
    assert next(made).path.is_file()


@pytest.mark.parametrize("longest", [None, 500])
def test_only_a_typed_size_is_said_to_be_more_than_the_picture_has(
    longest: int | None, tmp_path: Path
) -> None:
    said: list[str] = []
    wish = Wish(str(save(tmp_path / "a.png", scene(*SIZE))), count=1, max_size=longest)
    list(make(wish, HERE, tmp_path / "out", said.append))
    assert any("which is not enlarged" in line for line in said) == (longest is not None)


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


def test_the_picture_is_not_written_over(tmp_path: Path) -> None:
    picture = save(tmp_path / "sample_0.png", scene(*SIZE))
    before = picture.read_bytes()
    with pytest.raises(UserError, match=r"sample_0\.png lies among the results"):
        list(make(Wish(str(picture), count=1), HERE, tmp_path))
    assert picture.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["sample_0.png"]


def test_results_are_of_one_wish(tmp_path: Path) -> None:
    picture = str(save(tmp_path / "a.png", scene(*SIZE)))
    out = tmp_path / "out"
    list(make(Wish(picture, count=2, tile="both"), HERE, out))
    list(make(Wish(picture, count=1), HERE, out))
    assert [path.name for path in out.glob("*.png")] == ["sample_0.png"]


def test_a_size_that_cannot_be_made_costs_no_earlier_results(tmp_path: Path) -> None:
    picture = str(save(tmp_path / "a.png", scene(*SIZE)))
    (made,) = make(Wish(picture, count=1), HERE, tmp_path / "out")
    for size, words in (((5, 9), "The output of 9x5 px"), ((10**5, 10**5), "a smaller --size")):
        with pytest.raises(UserError, match=words):
            list(make(Wish(picture, count=1, size=size), HERE, tmp_path / "out"))
    assert made.path.is_file()


def test_the_engine_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    wish = Wish(str(save(tmp_path / "a.png", scene(*SIZE))), count=1)
    list(make(wish, Execution(torch.device("cpu"), engine="fast"), tmp_path, said.append))
    assert any("engine fast; nothing is trained" in line for line in said)
    assert not any("precision" in line for line in said)  # patches compute in float32 throughout


def test_how_the_picture_was_read_is_said_and_can_be_chosen(tmp_path: Path) -> None:
    heights = scene(*SIZE)[..., 0].astype(np.uint16) * 4 + 100
    picture = str(save(tmp_path / "a.png", heights))
    said: dict[str, list[str]] = {"auto": [], "0,4095": []}
    for value_range, lines in said.items():
        wish = Wish(picture, count=1, value_range=value_range)
        list(make(wish, HERE, tmp_path / "out", lines.append))
    assert any("--range MIN,MAX" in line for line in said["auto"])
    assert "16 bit: 0 and 65535 stand for 0 and 4095 of the image." in said["0,4095"]


def test_the_engine_is_that_of_the_size_that_is_made(tmp_path: Path) -> None:
    said: list[str] = []
    wish = Wish(str(save(tmp_path / "a.png", scene(*SIZE))), count=1, size=(66, 66))
    next(make(wish, HERE, tmp_path / "out", said.append))
    assert any("engine fast; nothing is trained" in line for line in said)
    assert not any("precision" in line for line in said)  # patches compute in float32 throughout


def test_retargeting_needs_a_shape(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--retarget needs --size"):
        list(make(Wish("skimage:coffee", retarget=True), HERE, tmp_path))
    with pytest.raises(UserError, match="--loosen needs --retarget"):
        list(make(Wish("skimage:coffee", loosen=0.5), HERE, tmp_path))
