"""The resize and the sizes of the stages."""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from consingan.errors import UserError
from consingan.images.resize import resize, resize_to, scaled_size, training_scale
from consingan.methods.consingan import pyramid
from consingan.methods.consingan.pyramid import build_pyramid, stage_scales, stage_sizes

sides = st.integers(30, 900)
spacings = st.sampled_from(["log", "geometric"])


def picture(height, width, seed=0):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@given(sides, sides, st.integers(1, 12), st.floats(0, 1), st.integers(90, 500), spacings)
@settings(max_examples=200, deadline=None)
def test_stage_sizes(height, width, stages, part, max_size, spacing):
    finest = scaled_size((height, width), training_scale((height, width), max_size))
    min_size = 3 + math.floor(part * (min(finest) - 3))  # from 3 px to the shorter side
    sizes = stage_sizes((height, width), stages, min_size, max_size, spacing)
    assert len(sizes) == stages
    assert sizes[-1] == finest
    assert max(finest) <= max_size + 1  # ceil(scale * side) in floating point, as published
    if stages > 1:
        assert min_size <= min(sizes[0]) <= min_size + 1
    for (h0, w0), (h1, w1) in itertools.pairwise(sizes):
        assert h0 <= h1
        assert w0 <= w1


@given(sides, sides, st.integers(2, 12), st.integers(3, 29))
@settings(max_examples=100, deadline=None)
def test_log_spacing_puts_more_stages_at_low_resolution(height, width, stages, min_size):
    log, geometric = (
        stage_scales((height, width), stages, min_size, spacing) for spacing in ("log", "geometric")
    )
    assert log[0] == pytest.approx(geometric[0])
    assert log[-1] == geometric[-1] == 1
    assert all(a <= b + 1e-12 for a, b in zip(log, geometric, strict=True))


def test_geometric_spacing_has_one_ratio():
    scales = stage_scales((250, 188), 6, 25, "geometric")
    ratios = [b / a for a, b in itertools.pairwise(scales)]
    assert ratios == pytest.approx([(188 / 25) ** (1 / 5)] * 5)


@pytest.mark.parametrize("spacing", ["log", "geometric"])
def test_one_and_two_stages_divide_by_nothing(spacing):
    assert stage_scales((100, 80), 1, 20, spacing) == [1.0]
    assert stage_scales((100, 80), 2, 20, spacing) == pytest.approx([0.25, 1.0])


@given(sides, sides, st.integers(3, 500), st.integers(30, 400), st.integers(1, 20))
@settings(max_examples=200, deadline=None)
def test_the_sentence_on_a_small_picture_names_values_that_work(
    height, width, min_size, max_size, smallest
):
    size = (height, width)
    try:
        stage_sizes(size, 4, min_size, max_size, "log", smallest)
    except UserError as error:
        advice = str(error).split(";")[1]
    else:
        return  # the picture is large enough
    lower = re.search(r"--min_size (\d+)", advice)
    larger = re.search(r"--max_size (\d+)", advice)
    assert lower or larger or "larger image" in advice
    if lower:
        assert int(lower.group(1)) >= smallest
        stage_sizes(size, 4, int(lower.group(1)), max_size, "log", smallest)
    if larger:
        stage_sizes(size, 4, min_size, int(larger.group(1)), "log", smallest)


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.05, 4), st.floats(-1, 1))
@settings(max_examples=100, deadline=None)
def test_a_constant_picture_stays_constant(height, width, scale, value):
    image = torch.full((1, 3, height, width), value, dtype=torch.float64)
    resized = resize(image, scale)
    assert resized.shape[-2:] == (math.ceil(scale * height), math.ceil(scale * width))
    assert (resized - value).abs().max() < 1e-9
    assert (resize_to(image, (7, 9)) - value).abs().max() < 1e-9


@given(st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_scale_one_is_the_identity(height, width):
    image = picture(height, width)
    assert torch.equal(resize(image, 1.0), image)
    assert torch.equal(resize_to(image, (height, width)), image)


@given(st.integers(8, 60), st.integers(8, 60), st.integers(4, 80), st.integers(4, 80))
@settings(max_examples=50, deadline=None)
def test_resizing_treats_all_sides_alike(height, width, new_height, new_width):
    image = picture(height, width).double()
    resized = resize_to(image, (new_height, new_width))
    for flip in ((-1,), (-2,), (-1, -2)):
        mirrored = resize_to(image.flip(flip), (new_height, new_width)).flip(flip)
        assert (mirrored - resized).abs().max() < 1e-9
    turned = resize_to(image.transpose(-1, -2), (new_width, new_height)).transpose(-1, -2)
    assert (turned - resized).abs().max() < 1e-9


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_flips_commute_with_a_scale_that_divides(factor):
    image = picture(30, 60).double()
    resized = resize(image, 1 / factor)
    mirrored = resize(image.flip(-1, -2), 1 / factor).flip(-1, -2)
    assert (mirrored - resized).abs().max() < 1e-9


@given(st.integers(20, 80), st.integers(20, 80), st.floats(0.2, 1), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_the_mean_is_kept(height, width, scale, seed):
    image = picture(height, width, seed)
    kernel = 2 / scale / min(height, width)  # what lies so near to a border counts differently
    assert (resize(image, scale).mean() - image.mean()).abs() < 0.02 + 0.3 * kernel


def test_a_ramp_stays_a_ramp_inside():
    ramp = torch.linspace(-1, 1, 101, dtype=torch.float64).expand(1, 1, 8, 101)
    halved = resize_to(ramp, (8, 50))[0, 0, 0, 5:-5]
    steps = halved[1:] - halved[:-1]
    assert (steps - steps.mean()).abs().max() < 1e-4
    assert steps.mean() == pytest.approx(2 / 100 * 101 / 50, rel=1e-4)


def test_shrinking_does_not_alias():
    stripes = torch.ones(1, 1, 40, 40)
    stripes[..., ::2] = -1
    assert resize(stripes, 0.25)[..., 2:-2].abs().max() < 1e-5


@pytest.mark.parametrize("spacing", ["log", "geometric"])
def test_pyramid(spacing):
    image = picture(90, 120)
    reals = build_pyramid(image, 4, 20, 80, spacing)
    sizes = [(r.shape[-2], r.shape[-1]) for r in reals]
    assert sizes == stage_sizes((90, 120), 4, 20, 80, spacing)
    assert all(r.abs().max() <= 1 for r in reals)
    assert (reals[0].mean() - image.mean()).abs() < 0.03


def test_a_small_picture_is_not_enlarged():
    image = picture(40, 50)
    reals = build_pyramid(image, 3, 20, 250, "log")
    assert torch.equal(reals[-1], image)


def test_log_spacing_in_numbers():
    """Exponents (s-1)/ln(s) * ln(s-i) + 1 with s = 5 are 5, 4.445, 3.730, 2.723, 1."""
    scales = stage_scales((320, 320), 6, 10, "log")
    exponents = [math.log(scale) / math.log((10 / 320) ** (1 / 5)) for scale in scales]
    assert exponents == pytest.approx([5, 4.44541, 3.73041, 2.72271, 1, 0], abs=1e-4)


@given(st.integers(26, 5000), st.integers(8, 5000), st.integers(1, 3))
@settings(max_examples=200)
def test_the_longer_side_is_max_size_to_the_pixel(max_size: int, more: int, ratio: int) -> None:
    longer = max_size + more
    size = (longer, max(longer // ratio, 1))
    assert max(scaled_size(size, training_scale(size, max_size))) == max_size


def test_where_the_authors_rounding_gives_a_pixel_more_is_written_down() -> None:
    text = (Path(__file__).parents[3] / "docs/reproducing.md").read_text("utf-8")
    named = re.search(r"251 px in place of 250 for those\s+(\d+), (\d+) or (\d+) px wide", text)
    assert named is not None
    for longer in map(int, named.groups()):
        assert math.ceil(250 / longer * longer) == 251
        assert max(scaled_size((9, longer), training_scale((9, longer), 250))) == 250


@pytest.mark.parametrize("size", [(750, 1000), (3000, 4000), (400, 260), (300, 4000)])
def test_a_large_pyramid_goes_on_from_a_usual_one(size: tuple[int, int]) -> None:
    above = pyramid.stages_above(size, 25)
    scales = pyramid.continued_scales(size, 6 + above, 25, "log", above)
    longer = [max(scaled_size(size, scale)) for scale in scales]
    assert longer[-1] == max(size)
    assert all(
        later / earlier < 1.55 for earlier, later in itertools.pairwise(longer[-above - 1 :])
    )
    if min(size) / max(size) > 0.15:
        usual = scaled_size(size, training_scale(size, 250))
        alone = pyramid.stage_scales(usual, 6, 25, "log")
        expected = [max(scaled_size(usual, scale)) for scale in alone]
        assert longer[:6] == pytest.approx(expected, abs=1)


def test_too_few_stages_are_spread_over_all_sizes() -> None:
    made = pyramid.continued_scales((750, 1000), 6, 25, "log", 4)
    assert made == pyramid.stage_scales((750, 1000), 6, 25, "log")
