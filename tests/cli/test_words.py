"""Words as they were typed, and as they are meant."""

from __future__ import annotations

import pytest

from consingan.cli.words import joined


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["--mask", "auto_color", "255,0,0"], ["--mask", "auto_color:255,0,0"]),
        (["--mask", "auto_color", "--niter", "3"], ["--mask", "auto_color", "--niter", "3"]),
        (["--mask", "auto_color"], ["--mask", "auto_color"]),
        (["a", "b", "1,2,3"], ["a", "b", "1,2,3"]),
    ],
)
def test_a_color_of_a_mask_may_stand_apart(typed: list[str], read: list[str]) -> None:
    assert list(joined(typed)) == read


def test_the_users_folder_is_meant_where_a_shell_leaves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("USERPROFILE", "/home/me")
    words = ["--model_dir", "~/run", "--naive_img=~/a=b.png", "~", "a~/b", "x=~/c"]
    assert list(joined(words)) == [
        "--model_dir", "/home/me/run", "--naive_img=/home/me/a=b.png", "~", "a~/b", "x=~/c",
    ]  # fmt: skip
