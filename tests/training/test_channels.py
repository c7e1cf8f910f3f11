"""What of a picture is trained follows the picture, what is asked for, and what a method can."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from consingan.errors import UserError
from consingan.images.picture import Picture
from consingan.methods.choose import choose_settings
from consingan.settings.config import Config
from consingan.training.channels import choose_channels

RAMP = torch.linspace(-1, 1, 24 * 32).view(1, 1, 24, 32)
COLORS = Picture(torch.cat([RAMP, -RAMP, RAMP * 0.3], 1))
GRAY = Picture(RAMP.expand(-1, 3, -1, -1), notes=("kept.",))
SPRITE = Picture(COLORS.image, (RAMP > 0).float(), notes=("transparent parts are white.", "kept."))
BANDS = Picture(RAMP.expand(-1, 5, -1, -1), value_range="0,9000")
BANDED = Picture(COLORS.image, value_range="0,99", notes=("of them three.",), bands=BANDS)


def chosen(picture: Picture, **typed: Any) -> tuple[Any, Picture]:
    found, read = choose_channels(choose_settings({"input_name": "a.png", **typed}), picture)
    return found.config, read


@pytest.mark.parametrize(
    ("picture", "channels", "count"),
    [(COLORS, "auto", 3), (GRAY, "gray", 1), (SPRITE, "rgba", 4), (BANDED, "bands", 5)],
)
def test_channels_follow_the_picture(picture, channels, count):
    config, _ = chosen(picture)
    assert (config.channels, config.nc_im) == (channels, count)


@pytest.mark.parametrize("picture", [GRAY, SPRITE, BANDED])
def test_rgb_is_trained_of_anything_that_is_asked_for_it(picture):
    config, _ = chosen(picture, channels="rgb")
    assert (config.channels, config.nc_im) == ("rgb", 3)


def test_colors_can_be_trained_as_gray():
    assert chosen(COLORS, channels="gray")[0].nc_im == 1


@pytest.mark.parametrize(
    "typed",
    [{"method": "singan"}, {"train_mode": "harmonization"}, {"method": "patches"}],
)
def test_what_knows_rgb_alone_gets_rgb(typed):
    config, picture = chosen(SPRITE, **typed)
    assert config.channels == "auto"
    assert picture.notes == SPRITE.notes


@pytest.mark.parametrize(
    ("picture", "said"), [(GRAY, "three channels"), (SPRITE, "opacity is not learned")]
)
def test_what_a_hole_keeps_from_being_learned_is_said(picture, said):
    assert said in chosen(picture, mask="hole.png")[1].notes[-1]
    assert chosen(picture, mask="hole.png", channels="rgb")[1].notes == picture.notes
    for others in ({"method": "patches", "train_mode": "inpainting"}, {"method": "partial_conv"}):
        assert chosen(picture, mask="hole.png", **others)[1].notes == picture.notes


def test_where_opacity_is_learned_nobody_says_that_it_is_not():
    _, picture = chosen(SPRITE)
    assert picture.notes[0] == "kept."
    assert "opacity is learned" in picture.notes[1]


@pytest.mark.parametrize(
    ("picture", "typed", "said"),
    [
        (
            SPRITE,
            {"channels": "rgba", "method": "singan"},
            "or --method consingan for generation, retarget, animation.",
        ),
        (SPRITE, {"channels": "rgba", "mask": "hole.png"}, "around a --mask"),
        (COLORS, {"channels": "rgba"}, "no transparent pixel"),
        (COLORS, {"channels": "bands"}, "no bands beside its colors"),
        (COLORS, {"nc_im": 1}, "--channels chooses"),
    ],
)
def test_what_cannot_be_trained_is_refused(picture, typed, said):
    with pytest.raises(UserError, match=said):
        chosen(picture, **typed)


def test_bands_are_read_by_their_own_range():
    _, picture = chosen(BANDED)
    assert picture.value_range == "0,9000"
    assert "all of its bands are trained" in " ".join(picture.notes)
    assert "of them three." not in picture.notes
    assert chosen(BANDED, channels="rgb")[1].value_range == "0,99"


def test_a_method_that_drops_bits_says_so():
    deep = Picture(COLORS.image, bits=16)
    assert "8 bit of its 16" in chosen(deep, method="singan")[1].notes[-1]
    assert chosen(deep)[1].notes == ()


def test_settings_of_earlier_runs_stand_for_rgb():
    assert Config.from_json({}).channels == "auto"
