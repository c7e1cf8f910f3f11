"""What is said of a training before it begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import execution, picture

from consingan.images.io import write_image
from consingan.images.picture import Picture
from consingan.training.prepare import prepare

TINY = {"train_stages": 2, "nfc": 4, "min_size": 16, "manual_seed": 1}


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"max_size": 57}, 1), ({"max_size": 56}, 0), ({"max_size": 32}, 0), ({}, 0)],
)
def test_a_typed_size_that_the_picture_does_not_have_is_noted(
    typed: dict[str, Any], said: int
) -> None:
    job = prepare({**TINY, **typed}, execution(), picture(40, 56))
    notes = [note for note in job.notes if "is more than the 56 px of the picture" in note]
    assert len(notes) == said
    assert job.said_of_pictures == ()  # which are warnings in Python


@pytest.mark.parametrize(("method", "trained", "said"), [("dcgan", 64, 0), ("singan", 56, 1)])
def test_of_a_picture_that_is_enlarged_it_is_not_said_that_it_is_not(
    method: str, trained: int, said: int
) -> None:
    typed = {"method": method, "max_size": 80, "manual_seed": 1}
    job = prepare(typed, execution("auto"), picture(40, 56))
    assert max(job.training.sizes[-1]) == trained
    assert len([note for note in job.notes if "which is not enlarged" in note]) == said


@pytest.mark.parametrize(("mask", "said"), [("alpha", False), ("right.png", True)])
def test_of_transparent_parts_it_is_said_what_becomes_of_them_where_they_are_no_hole(
    mask: str, said: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    left, right = torch.zeros(2, 1, 1, 40, 56)
    left[..., 5:15, 5:15], right[..., 5:15, 40:50] = 1, 1
    write_image(tmp_path / "right.png", right.expand(-1, 3, -1, -1) * 2 - 1)
    clear = Picture(picture(40, 56), 1 - left, notes=("transparent parts are taken as white.",))
    notes = prepare({**TINY, "mask": mask}, execution(), clear).notes
    assert ("transparent parts are taken as white." in notes) is said
    assert any("its opacity is not learned" in note for note in notes) is said


@pytest.mark.parametrize(
    ("mask", "said"),
    [("alpha", "The hole"), ("left.png", "The hole, what counts as white in left.png,")],
)
def test_what_is_the_hole_and_how_much_it_takes_is_said(
    mask: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    left = torch.zeros(1, 1, 40, 56)
    left[..., 5:15, 5:19] = 1
    write_image(tmp_path / "left.png", left.expand(-1, 3, -1, -1) * 2 - 1)
    job = prepare({**TINY, "mask": mask}, execution(), Picture(picture(40, 56), 1 - left))
    assert f"{said} takes 6.2 % of the picture." in job.notes
    assert not any("takes" in note for note in job.said_of_pictures)


def test_where_a_hole_could_be_what_is_transparent_it_is_said_how() -> None:
    clear = Picture(picture(40, 56), (picture(40, 56)[:, :1] > 0).float())
    typed = {"method": "patches", "manual_seed": 1}
    said = "To have what is transparent filled, add --mask alpha."
    for task in ("inpainting", "generation"):
        notes = prepare({**typed, "train_mode": task}, execution("auto"), clear).notes
        assert (said in notes) is (task == "inpainting")


def test_a_gray_picture_around_a_hole_is_said_to_be_trained_as_a_colored_one() -> None:
    gray = picture(40, 56)[:, :1].expand(-1, 3, -1, -1).clone()
    gray[..., 5:15, 5:15] = torch.tensor([1.0, -1.0, -1.0])[None, :, None, None]
    job = prepare({**TINY, "mask": "auto_color:255,0,0"}, execution(), Picture(gray))
    assert job.training.config.nc_im == 3
    assert any("three channels" in note for note in job.notes)
