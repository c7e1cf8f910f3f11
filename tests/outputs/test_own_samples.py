"""Which files `consingan sample` wrote, and what the next one does with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commands import files_below

from consingan.errors import UserError
from consingan.outputs.own_samples import RECORD, OwnSamples


def sample(folder: Path, *names: str, said: list[str] | None = None) -> None:
    own = OwnSamples(folder, names)
    own.make_way((said if said is not None else []).append)
    for name in names:
        (folder / name).write_text(f"{folder} {name} {len(names)}")
        own.own(folder / name)


def test_what_the_one_before_wrote_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_text("mine")
    sample(tmp_path, "sample_0.png", "sample_0_2x2.png", "sample_1.png")
    said: list[str] = []
    sample(tmp_path, "sample_0.png", said=said)
    assert files_below(tmp_path) == sorted([RECORD, "mine.png", "sample_0.png"])
    assert said == [replaced(tmp_path)]


def replaced(folder: Path) -> str:
    """Whoever samples a second picture must not wonder where those of the first are."""
    return (
        f"Note: the pictures that were made before in {folder} are replaced; -o FOLDER puts new "
        "ones elsewhere."
    )


def test_what_was_changed_or_is_of_somebody_else_stays_and_is_said(tmp_path: Path) -> None:
    sample(tmp_path, "sample_0.png", "sample_1.png")
    (tmp_path / "sample_1.png").write_text("painted on")
    (tmp_path / "sample_7.tif").write_text("of an older version")
    said: list[str] = []
    sample(tmp_path, "sample_0.png", said=said)
    assert (tmp_path / "sample_1.png").read_text() == "painted on"
    assert (tmp_path / "sample_7.tif").is_file()
    assert said == [
        replaced(tmp_path),
        f"Note: older pictures stay in {tmp_path} beside the new ones: sample_1.png, sample_7.tif.",
    ]


@pytest.mark.parametrize("text", ["{", '{"files": ["sample_0.png"]}', '{"files": {"../a": "x"}}'])
def test_a_record_that_is_damaged_removes_nothing(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "samples"
    folder.mkdir()
    for path in (tmp_path / "a", folder / "sample_0.png"):
        path.write_text("x")
    (folder / RECORD).write_text(text)
    OwnSamples(folder, ["sample_0.png"]).make_way(print)
    assert (tmp_path / "a").is_file()
    assert (folder / "sample_0.png").is_file()


@pytest.mark.parametrize("name", ["sample_0.png", "sample_1.png"])
def test_a_picture_that_is_a_target_or_an_earlier_result_is_refused(
    tmp_path: Path, name: str
) -> None:
    sample(tmp_path, "sample_0.png", "sample_1.png")
    own = OwnSamples(tmp_path, ["sample_0.png"])
    with pytest.raises(UserError, match="which new ones replace; name another folder with -o"):
        own.refuse_among_them(os.path.relpath(tmp_path / name))


def test_another_picture_is_taken(tmp_path: Path) -> None:
    sample(tmp_path, "sample_0.png")
    (tmp_path / "sample_9.png").write_text("of the user's own")
    own = OwnSamples(tmp_path, ["sample_0.png"])
    for picture in ("skimage:coffee", str(tmp_path / "sample_9.png"), "no\0file"):
        own.refuse_among_them(picture)
