"""Detail of a result that was made small: the picture's own, and the training picture's."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.images.detail import Other, Own, Source, octaves, sharpened
from consingan.images.resize import resize_large, resize_to

SIZE, SMALL = (64, 80), (16, 20)
EVERYWHERE = torch.ones(1, 1, *SIZE, dtype=torch.bool)


def stones(seed: int = 0) -> Tensor:
    """(1, 3, *SIZE): flat stones of any color with hard edges, and grain."""
    rng = torch.Generator().manual_seed(seed)
    places = torch.rand(60, 2, generator=rng) * torch.tensor(SIZE)
    colors = torch.rand(60, 3, generator=rng) * 1.4 - 0.7
    pixels = torch.stack(torch.meshgrid(*map(torch.arange, SIZE), indexing="ij"), -1).float()
    nearest = torch.cdist(pixels.view(-1, 2), places).argmin(1)
    picture = colors[nearest].T.reshape(1, 3, *SIZE)
    return picture + 0.08 * torch.randn(1, 1, *SIZE, generator=rng)


def sharpness(picture: Tensor) -> float:
    down = picture[..., 1:, :-1] - picture[..., :-1, :-1]
    right = picture[..., :-1, 1:] - picture[..., :-1, :-1]
    return float(torch.hypot(down, right).mean())


def of_other(picture: Tensor, small: Tensor, region: Tensor = EVERYWHERE) -> Source:
    rng = torch.Generator().manual_seed(0)
    return Other.of((picture, SMALL), stones(1), small, region, rng)


def test_an_unchanged_picture_comes_back_whole() -> None:
    picture = stones()
    half = resize_to(picture, (32, 40))
    made = sharpened(half, SIZE, EVERYWHERE, [Own.of(picture, half)])
    torch.testing.assert_close(made, picture.clamp(-1, 1), atol=1e-4, rtol=0)


def test_detail_takes_on_the_contrast_of_the_result() -> None:
    picture = stones()
    small = 0.3 * resize_to(picture, SMALL)
    made = sharpened(small, SIZE, EVERYWHERE, [Own.of(picture, small)])
    assert sharpness(made) == pytest.approx(0.3 * sharpness(picture), rel=0.15)


def test_detail_of_what_the_result_does_not_show_is_left_out() -> None:
    small = resize_to(stones(1), SMALL)
    made = sharpened(small, SIZE, EVERYWHERE, [Own.of(stones(), small)])
    same = sharpened(small, SIZE, EVERYWHERE, [Own.of(stones(1), small)])
    assert sharpness(made) < 0.6 * sharpness(same)


def test_a_picture_of_the_same_kind_makes_a_result_as_sharp_as_itself() -> None:
    other, small = stones(), resize_to(stones(1), SMALL)
    plain = sharpened(small, SIZE, EVERYWHERE, [])
    made = sharpened(small, SIZE, EVERYWHERE, [of_other(other, small)])
    assert sharpness(plain) < 0.5 * sharpness(other)
    assert sharpness(made) > 0.8 * sharpness(other)


def test_detail_of_a_picture_of_another_shape_is_not_stretched() -> None:
    """Half of a picture finds its own detail in the whole."""
    whole = stones()
    half, size = whole[..., : SIZE[1] // 2], (SIZE[0], SIZE[1] // 2)
    small, region = resize_to(whole, SMALL)[..., : SMALL[1] // 2], EVERYWHERE[..., : size[1]]
    plain = sharpened(small, size, region, [])
    other = Other.of((whole, SMALL), torch.zeros_like(half), small, region, torch.Generator())
    made = sharpened(small, size, region, [other])
    assert (made - half).square().mean() < 0.3 * (plain - half).square().mean()


def test_a_very_long_picture_is_not_made_much_larger_than_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only its memory would grow: there is no more detail in it."""
    made = []
    monkeypatch.setattr(
        "consingan.images.detail.resize_large",
        lambda image, size: made.append(math.prod(size)) or resize_large(image, size),
    )
    long, small = stones()[..., :24, :].repeat(1, 1, 1, 4), resize_to(stones(1), SMALL)
    other = Other.of((long, (16, 213)), stones(1), small, EVERYWHERE, torch.Generator())
    size = (256, 320)
    region = torch.ones(1, 1, *size, dtype=torch.bool)
    result = sharpened(small, size, region, [other])
    assert result.shape[-2:] == size
    assert max(made) <= max(4 * long.shape[-2] * long.shape[-1], math.prod(size))


def test_edges_of_the_own_picture_stay_in_the_others_grain() -> None:
    own, small = stones(1), resize_to(stones(1), SMALL)
    alone = sharpened(small, SIZE, EVERYWHERE, [of_other(stones(), small)])
    both = sharpened(small, SIZE, EVERYWHERE, [Own.of(own, small), of_other(stones(), small)])
    assert (both - own).square().mean() < 0.6 * (alone - own).square().mean()


def test_a_thin_thing_that_was_taken_away_does_not_come_back() -> None:
    """At the training size a wire is hardly seen, so that what hides it looks like it."""
    grain = 0.6 * torch.randn(1, 1, *SIZE, generator=torch.Generator().manual_seed(0))
    without = F.avg_pool2d(grain, 3, 1, 1).expand(-1, 3, -1, -1)
    wire = without.clone()
    wire[..., 30, :] -= 0.4
    small = resize_to(without, SMALL)
    made = sharpened(
        small, SIZE, EVERYWHERE,
        [Other.of((wire, SMALL), without, small, EVERYWHERE, torch.Generator().manual_seed(0))],
    )  # fmt: skip
    assert (made - without)[..., 30, :].mean() > -0.1


def test_beyond_the_region_a_result_is_only_enlarged() -> None:
    small, region = resize_to(stones(1), SMALL), torch.zeros_like(EVERYWHERE)
    region[..., 20:30, 30:44] = True
    sources = [Own.of(stones(1), small), of_other(stones(), small, region)]
    made, plain = sharpened(small, SIZE, region, sources), sharpened(small, SIZE, region, [])
    assert torch.equal(made[..., :10, :], plain[..., :10, :])
    assert not torch.equal(made[..., 20:30, 30:44], plain[..., 20:30, 30:44])


def test_the_own_picture_larger_than_the_others_is_as_sharp_as_it_is() -> None:
    """Beyond the size of the training picture only the own one knows anything."""
    own, small = stones(1), resize_to(stones(1), SMALL)
    other = resize_to(stones(), (24, 30))
    made = sharpened(small, SIZE, EVERYWHERE, [Own.of(own, small), of_other(other, small)])
    assert sharpness(made) > 0.75 * sharpness(own)


@pytest.mark.parametrize("size", [(16, 21), (32, 40), (33, 41), (64, 80), (500, 625)])
def test_octaves_lead_to_the_size_and_never_more_than_double(size: tuple[int, int]) -> None:
    sizes = list(octaves(SMALL, size))
    assert sizes[0] == SMALL
    assert sizes[-1] == size
    for before, now in itertools.pairwise(sizes):
        assert all(a <= b <= 2 * a + 1 for a, b in zip(before, now, strict=True))
