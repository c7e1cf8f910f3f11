"""Errors of a call name what a program can give."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import picture

import consingan
from consingan.api.asked import arguments_named
from consingan.errors import UserError


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ("--max_size 3 must be 16 or more.", "max_size 3 must be 16 or more."),
        ("--range 5,3 must be two numbers", "value_range 5,3 must be two numbers"),
        ("leave out --no_warps", "leave out warps=False"),
        (
            "--x is not finished; go on with: python main_train.py --resume --model_dir y",
            "x is not finished; go on with: python main_train.py --resume --model_dir y",
        ),
        ("see `consingan train --help`", "see `consingan train --help`"),
    ],
)
def test_arguments_stand_in_place_of_flags(typed: str, given: str) -> None:
    assert arguments_named(typed) == given


def test_errors_of_calls_name_arguments(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^min_size 25 is above max_size 3;"):
        consingan.train(picture(), max_size=3)
    with pytest.raises(UserError, match=r"check the path\.$"):
        consingan.load(tmp_path / "none")
    crops = consingan.train(picture(), method="dcgan", niter=1, ngf=2, ndf=2, side=32, max_size=40)
    with pytest.raises(UserError, match=r"^start_stage 7 is not there"):
        crops.animate(2, start_stage=7)
