"""Names from visitors never become paths, and what is no picture is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import pixels_of, save, scene
from hypothesis import given
from hypothesis import strategies as st

from consingan.errors import UserError
from consingan.web.pictures import LONGEST_NAME, at_hand, bring_in, keep, safe_name


@given(st.text(max_size=80))
def test_a_name_is_one_part_of_a_path_whatever_was_typed(name):
    made = safe_name(name)
    assert made
    assert len(made) <= LONGEST_NAME
    assert all(c.isalnum() or c in "-_" for c in made)
    assert Path(made).name == made


def test_a_usual_name_stays():
    assert safe_name("my-photo_2.jpeg") == "my-photo_2"
    assert safe_name("../../etc/passwd") == "passwd"


def test_the_copy_holds_the_same_and_a_small_one_is_shown(tmp_path):
    brought = bring_in(str(save(tmp_path / "x.y z.png", scene(30, 1200))), tmp_path / "own")
    assert brought.path == tmp_path / "own" / "x_y_z.png"
    assert brought.size == (30, 1200)
    assert pixels_of(brought.shown).shape == (25, 1000, 3)
    assert brought.size_within(600) == (15, 600)


def test_what_is_no_picture_is_refused_and_nothing_is_kept(tmp_path):
    wrong = tmp_path / "wrong.png"
    wrong.write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"^wrong\.png is not a picture that can be read"):
        bring_in(str(wrong), tmp_path / "own")
    with pytest.raises(UserError, match=r"^There is no picture gone\.png; check the path\.$"):
        bring_in(str(tmp_path / "gone.png"), tmp_path / "own")
    with pytest.raises(UserError, match="Drop a picture first"):
        bring_in(None, tmp_path / "own")
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize("part", ["path", "shown"])
def test_a_picture_that_is_gone_is_asked_for_again_and_no_folder_is_named(tmp_path, part):
    brought = bring_in(str(save(tmp_path / "a.png", scene())), tmp_path / "own")
    assert at_hand(brought) is brought
    getattr(brought, part).unlink()
    with pytest.raises(UserError) as refused:
        at_hand(brought)
    assert str(refused.value) == "That picture is gone from the page; drop it again."


def test_the_same_content_is_kept_once(tmp_path):
    picture = save(tmp_path / "a.png", scene())
    assert keep(picture, tmp_path / "runs") == keep(picture, tmp_path / "runs")
    assert len(list((tmp_path / "runs").rglob("a.png"))) == 1
