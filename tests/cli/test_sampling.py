"""`consingan sample`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import save, scene

from consingan.cli import main


def test_it_makes_pictures_of_the_size_that_was_asked_for(tmp_path: Path) -> None:
    from PIL import Image

    picture = save(tmp_path / "a-b c.png", scene())
    words = ["sample", str(picture), "--size", "40x32", "-n", "1", "-o", str(tmp_path / "o")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "o" / "sample_0.png") as made:
        assert made.size == (40, 32)


def test_a_picture_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["sample", str(tmp_path / "no.png")])
    assert result.exit_code == 2
    assert result.output.count("Error:") == 1
    assert "There is no picture" in result.output


def test_a_size_smaller_than_a_patch_is_refused(tmp_path: Path) -> None:
    picture = save(tmp_path / "a.png", scene())
    words = ["sample", str(picture), "--size", "9x9", "-o", str(tmp_path / "o")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "smaller than a patch of 15 px" in result.output
    assert "train with --method patches and a smaller --patch" in result.output  # not here


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    picture = save(tmp_path / "a.png", scene())
    result = CliRunner().invoke(main, ["sample", str(picture), "--engine", "steam"])
    assert result.exit_code == 2
    assert "--engine steam is unknown" in result.output


def test_a_range_that_is_none_is_refused(tmp_path: Path) -> None:
    picture = save(tmp_path / "a.png", scene())
    words = ["sample", str(picture), "--range", "9,1", "-o", str(tmp_path / "o")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "--range 9,1 must be two numbers MIN,MAX" in result.output


def test_rows_mix_where_they_may(tmp_path: Path) -> None:
    picture = save(tmp_path / "a.png", scene())
    made = []
    for words in ((), ("--rows", "1"), ("--rows", "0")):
        output = tmp_path / "-".join(("o", *words))
        line = ["sample", str(picture), "-n", "1", "-o", str(output), *words]
        assert CliRunner().invoke(main, line).exit_code == 0
        made.append((output / "sample_0.png").read_bytes())
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize("beside", [("--retarget", "--size", "40x32"), ("--tile", "both")])
def test_rows_are_refused_where_they_do_nothing(tmp_path: Path, beside: tuple[str, ...]) -> None:
    picture = save(tmp_path / "a.png", scene())
    line = ["sample", str(picture), "--rows", "0.5", *beside, "-o", str(tmp_path / "o")]
    result = CliRunner().invoke(main, line)
    assert result.exit_code == 2
    assert f"--rows does nothing with {beside[0]}" in result.output
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("flag", "value", "said"), [("--seed", 2**31, "range"), ("--size", "²x3", "is no size")]
)
def test_what_is_refused_is_said_of_the_flag_that_was_typed(
    tmp_path: Path, flag: str, value: object, said: str
) -> None:
    picture = save(tmp_path / "a.png", scene())
    result = CliRunner().invoke(main, ["sample", str(picture), flag, str(value)])
    assert result.exit_code == 2
    assert f"Invalid value for '{flag}'" in result.output
    assert said in result.output
