"""What is trained of a picture, how it looks, and that files give it back."""

from __future__ import annotations

import pytest
import torch

from consingan.images.channels import eye, natural, seen, straight, trained
from consingan.images.picture import Picture, gray_as
from consingan.settings.reading import BANDS, GRAY, RGB, RGBA

RAMP = torch.linspace(-1, 1, 24 * 32).view(1, 1, 24, 32)
COLORS = torch.cat([RAMP, -RAMP, RAMP * 0.3], 1)
ALPHA = torch.linspace(0, 1, 24 * 32).view(1, 1, 24, 32)


def laid(colors: torch.Tensor, alpha: torch.Tensor, background: float) -> Picture:
    return Picture(colors * alpha + background * (1 - alpha), alpha, background)


@pytest.mark.parametrize(
    ("picture", "kind"),
    [
        (Picture(RAMP.expand(-1, 3, -1, -1)), GRAY),
        (Picture(COLORS), RGB),
        (laid(COLORS, ALPHA, 1.0), RGBA),
        (Picture(COLORS, bands=Picture(RAMP.expand(-1, 5, -1, -1))), BANDS),
    ],
)
def test_a_picture_is_what_it_has(picture, kind):
    assert natural(picture) == kind


def test_gray_is_one_of_equal_channels_to_the_bit():
    assert torch.equal(trained(Picture(RAMP.expand(-1, 3, -1, -1)), GRAY), RAMP)


@pytest.mark.parametrize("background", [1.0, -1.0])
def test_colors_are_multiplied_by_their_opacity_whatever_they_were_laid_over(background):
    made = trained(laid(COLORS, ALPHA, background), RGBA)
    assert torch.allclose((made[:, :3] + 1) / 2, (COLORS + 1) / 2 * ALPHA, atol=1e-6)
    assert torch.allclose((made[:, 3:] + 1) / 2, ALPHA)


def test_the_eye_sees_opacity_over_white():
    over_white = laid(COLORS, ALPHA, 1.0)
    assert torch.allclose(seen(trained(over_white, RGBA), RGBA), over_white.image, atol=1e-6)


@pytest.mark.parametrize(("color", "background"), [(1.0, -1.0), (-1.0, 1.0), (0.2, 1.0)])
def test_what_white_would_hide_is_seen_over_black_in_all_pictures_of_a_run(color, background):
    real, sample = (
        trained(laid(torch.full_like(COLORS, color), alpha, 1.0), RGBA)
        for alpha in (ALPHA, ALPHA.flip(3))
    )
    look = eye(real, RGBA)
    assert torch.equal(look(sample), seen(sample, RGBA, background))
    assert float(look(real).max() - look(real).min()) > 0.5


def test_dividing_by_the_opacity_gives_the_colors_back():
    made = straight(trained(laid(COLORS, ALPHA, 1.0), RGBA))
    there = (ALPHA > 0.05).expand(-1, 3, -1, -1)
    assert torch.allclose(made[:, :3][there], COLORS[there], atol=1e-5)


def test_what_is_all_but_transparent_has_no_color_and_no_opacity():
    made = straight(torch.full((1, 4, 8, 8), -0.99))
    assert torch.equal(made, torch.full((1, 4, 8, 8), -1.0))


@pytest.mark.parametrize(("count", "first"), [(1, 0), (2, 0), (5, [0, 1, 2])])
def test_of_bands_the_eye_sees_three_or_one(count, first):
    bands = torch.arange(count).view(1, -1, 1, 1).expand(-1, -1, 8, 8) / 10
    wanted = bands[:, first] if isinstance(first, list) else bands[:, :1].expand(-1, 3, -1, -1)
    assert torch.equal(seen(bands, BANDS), wanted)


def test_a_gray_sprite_gives_samples_without_color_fringes():
    real = trained(laid(RAMP.expand(-1, 3, -1, -1), ALPHA, 1.0), RGBA)
    made = gray_as(real, torch.cat([COLORS, RAMP], 1))
    assert torch.equal(made[:, 0], made[:, 2])
    assert torch.equal(made[:, 3:], RAMP)
