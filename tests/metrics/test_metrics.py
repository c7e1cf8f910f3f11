"""Metrics of patches: properties that hold for any picture, and cases with a known answer."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from judged_pictures import REAL, blurred, noisy, photo
from torch import Tensor

from consingan.errors import UserError
from consingan.metrics.bidirectional import bidirectional
from consingan.metrics.fieldmap import novelty_maps
from consingan.metrics.novelty import COPY_AREA, novelty
from consingan.metrics.patches import LONGEST, match, match_scales
from consingan.metrics.swd import (
    laplacian_pyramid,
    level_count,
    pooled_distance,
    sliced_wasserstein,
)


def shuffled_tiles(picture: Tensor, count: int, seed: int = 2) -> Tensor:
    """Cut into count x count tiles and put them together in another order."""
    rows = [row.chunk(count, 3) for row in picture.chunk(count, 2)]
    tiles = [tile for row in rows for tile in row]
    order = torch.randperm(len(tiles), generator=torch.Generator().manual_seed(seed)).tolist()
    mixed = [tiles[n] for n in order]
    return torch.cat([torch.cat(mixed[i : i + count], 3) for i in range(0, len(tiles), count)], 2)


LARGE = photo(128, 160)
GROWING_NOISE = torch.cat([noisy(REAL, sigma) for sigma in (0.0, 0.03, 0.08, 0.2)])
GROWING_BLUR = torch.cat([REAL, *(blurred(REAL, radius) for radius in (1, 3, 6))])


def increasing(values: Tensor) -> bool:
    return bool((values.diff() > 0).all())


# Sliced Wasserstein distance


def test_swd_of_a_picture_with_itself_is_zero() -> None:
    assert sliced_wasserstein(REAL, REAL).item() == 0


@pytest.mark.parametrize("samples", [GROWING_NOISE, GROWING_BLUR], ids=["noise", "blur"])
def test_swd_grows_with_the_damage(samples: Tensor) -> None:
    assert increasing(sliced_wasserstein(REAL, samples))


def test_swd_is_symmetric_even_between_sizes() -> None:
    other = photo(60, 110, seed=3)
    there = sliced_wasserstein(REAL, other)
    assert there.item() > 5
    torch.testing.assert_close(there, sliced_wasserstein(other, REAL))


def test_of_single_pictures_the_distance_of_sets_is_that_of_pictures() -> None:
    other = photo(60, 110, seed=3)
    assert pooled_distance(REAL, other) == pytest.approx(sliced_wasserstein(REAL, other).item())


def test_a_set_has_all_patches_of_its_pictures() -> None:
    whole = REAL[..., :80]
    halves = torch.cat([whole[..., :40], whole[..., 40:]])
    assert pooled_distance(halves, halves.flip(0)) == 0
    assert pooled_distance(halves, whole) < pooled_distance(halves[:1], whole) / 2


def test_swd_does_not_see_where_patches_are() -> None:
    tiled = REAL.repeat(1, 1, 1, 2)
    # Only patches across the seam are new; a picture of another scene is far from that.
    near = sliced_wasserstein(REAL, tiled).item()
    far = sliced_wasserstein(REAL, photo(seed=5)).item()
    assert near < 0.2 * far


def test_swd_of_a_brighter_flat_picture_has_a_closed_form() -> None:
    # All patches of flat pictures are equal: each projection moves by d * sum(w), and the mean
    # of |sum(w)| over unit vectors in n dimensions is sqrt(2 n / pi) * (1 + O(1 / n)) / sqrt(n).
    a, b = torch.full((1, 3, 13, 13), 0.3), torch.full((1, 3, 13, 13), 0.4)
    distance = sliced_wasserstein(a, b, directions=20000).item()
    assert distance == pytest.approx(1000 * 0.1 * (2 / torch.pi) ** 0.5, rel=0.02)


def test_swd_depends_on_the_directions_only_by_noise() -> None:
    other = photo(seed=4)
    draws = torch.stack(
        [
            sliced_wasserstein(REAL, other, rng=torch.Generator().manual_seed(seed))
            for seed in range(4)
        ]
    )
    assert 0 < draws.std() < 0.1 * draws.mean()


def test_swd_of_a_grid_of_patches_is_near_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    other = photo(128, 150, seed=4)
    exact = sliced_wasserstein(LARGE, other).item()
    monkeypatch.setattr("consingan.metrics.swd._MOST", 3000)
    assert sliced_wasserstein(LARGE, LARGE).item() == 0
    assert sliced_wasserstein(LARGE, other).item() == pytest.approx(exact, rel=0.05)


def test_pyramid_adds_up_to_the_picture() -> None:
    bands = laplacian_pyramid(REAL, 3)
    total = bands[-1]
    for band in bands[-2::-1]:
        total = band + F.interpolate(total, size=band.shape[2:], mode="bilinear")
    torch.testing.assert_close(total, REAL)


@pytest.mark.parametrize(
    ("short", "count"), [(7, 1), (27, 1), (28, 2), (111, 3), (112, 4), (2000, 4)]
)
def test_coarsest_level_has_fourteen_pixels(short: int, count: int) -> None:
    assert level_count(short) == count


# Coherence and completeness


def test_bidirectional_of_a_picture_with_itself_is_zero() -> None:
    both = bidirectional(REAL, REAL)
    assert (both.coherence.item(), both.completeness.item()) == (0, 0)


@pytest.mark.parametrize("samples", [GROWING_NOISE, GROWING_BLUR], ids=["noise", "blur"])
def test_bidirectional_grows_with_the_damage(samples: Tensor) -> None:
    both = bidirectional(REAL, samples)
    assert increasing(both.coherence)
    assert increasing(both.completeness)


def test_exchange_of_the_pictures_exchanges_coherence_and_completeness() -> None:
    other = photo(60, 110, seed=3)
    there, back = bidirectional(REAL, other), bidirectional(other, REAL)
    torch.testing.assert_close(there.coherence, back.completeness)
    torch.testing.assert_close(there.completeness, back.coherence)
    assert there.coherence.item() != pytest.approx(there.completeness.item(), rel=0.01)


def test_part_of_a_picture_is_coherent_but_not_complete() -> None:
    both = bidirectional(REAL, REAL[..., :48])  # a multiple of 4: the scales see the same pixels
    assert both.coherence.item() < 0.3 * both.completeness.item()


def test_match_agrees_with_all_distances_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = photo(20, 24), photo(26, 18, seed=1)
    rows, columns = (F.unfold(x, 7)[0].T.double() for x in (b, a))
    distances = torch.cdist(rows, columns) / rows.shape[1] ** 0.5
    monkeypatch.setattr("consingan.metrics.patches._CHUNK", 1000)  # several chunks
    found = match(a, b)
    assert torch.equal(found.index.flatten(), distances.argmin(1))
    for part, dim in ((found.to_real, 1), (found.to_sample, 0)):
        torch.testing.assert_close(part.flatten().double(), distances.amin(dim), rtol=1e-4, atol=0)


def test_matches_are_at_half_and_quarter_size_and_bounded() -> None:
    scales = match_scales(REAL, photo(60, 110))
    assert [tuple(m.real.shape[2:]) for m in scales] == [(36, 48), (18, 24)]
    assert [tuple(m.sample.shape[2:]) for m in scales] == [(30, 55), (15, 27)]
    large = photo(40, 3 * LONGEST)
    assert tuple(match_scales(large, large)[0].real.shape[2:]) == (13, LONGEST)
    narrow = photo(9, 2 * LONGEST)
    assert min(match_scales(narrow, narrow)[0].real.shape[2:]) == 7
    tiny = match_scales(photo(9, 9), photo(9, 9))
    assert [tuple(m.real.shape[2:]) for m in tiny] == [(9, 9)]


# Novelty


def figures(real: Tensor, sample: Tensor) -> tuple[float, float, float]:
    found = novelty(real, sample)
    return found.copied.item(), found.new_texture.item(), found.entropy.item()


def test_copy_is_caught() -> None:
    assert figures(LARGE, LARGE) == (1, 0, 0)


def test_copy_under_noise_is_caught() -> None:
    copied, new, _ = figures(LARGE, noisy(LARGE, 0.03))
    assert copied > 0.95
    assert new == 0


def test_copy_that_moved_is_caught() -> None:
    copied, new, entropy = figures(LARGE, LARGE[:, :, 8:, 20:])
    assert copied > 0.95
    assert new == 0
    assert entropy < 0.1


def piece(real: Tensor, sample: Tensor) -> float:
    return novelty(real, sample).piece.item()


def test_the_largest_piece_is_what_one_shift_explains() -> None:
    assert piece(LARGE, LARGE) == 1
    assert piece(LARGE, LARGE[:, :, 8:, 20:]) > 0.95
    assert piece(LARGE, torch.rand(LARGE.shape, generator=torch.Generator().manual_seed(3))) == 0
    halves = torch.cat([LARGE[..., 40:100], LARGE[..., :100]], 3)  # 60 and 100 px of two shifts
    assert piece(LARGE, halves) == pytest.approx(100 / 160, abs=0.06)
    parted = torch.cat([LARGE[..., :40], torch.rand(1, 3, 128, 80), LARGE[..., 120:]], 3)
    assert piece(LARGE, parted) == pytest.approx(
        2 * 14 / 74, abs=0.02
    )  # of 20 px at half size each
    assert piece(LARGE, shuffled_tiles(LARGE, 8)) < 0.2


def test_plain_areas_are_no_piece_unless_all_is_plain() -> None:
    sky = torch.cat([torch.full((1, 3, 60, 160), 0.5), LARGE[:, :, :68]], 2)
    moved = torch.cat([sky[:, :, :60], shuffled_tiles(LARGE[:, :, :64], 4), sky[:, :, :4]], 2)
    assert piece(sky, moved) < 0.3
    assert piece(sky[:, :, :40], sky[:, :, 10:50]) == 1


def test_copy_in_one_half_is_half_a_copy() -> None:
    half = torch.cat([LARGE[..., :80], torch.rand(1, 3, 128, 80)], 3)
    copied, new, _ = figures(LARGE, half)
    assert copied == pytest.approx(0.5, abs=0.05)
    assert new == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("count", [2, 4, 8])
def test_shuffled_tiles_are_not_new_texture(count: int) -> None:
    _, new, entropy = figures(LARGE, shuffled_tiles(LARGE, count))
    assert new < 0.05
    assert entropy > 0.1


def test_tiles_are_copies_only_where_they_are_large() -> None:
    large = figures(LARGE, shuffled_tiles(LARGE, 2))[0]
    small = figures(LARGE, shuffled_tiles(LARGE, 16))[0]
    assert large > 0.7
    assert small < COPY_AREA


def test_noise_and_another_scene_are_no_copies() -> None:
    noise = torch.rand(LARGE.shape, generator=torch.Generator().manual_seed(3))
    copied, new, entropy = figures(LARGE, noise)
    assert copied == 0
    assert new > 0.95
    assert entropy > 0.5
    assert figures(LARGE, photo(128, 160, seed=9))[0] == 0


def test_flat_pictures_have_finite_novelty() -> None:
    flat = torch.full((1, 3, 40, 50), 0.5)
    assert figures(flat, flat) == (1, 0, 0)
    assert figures(flat, flat + 0.4)[:2] == (0, 1)
    assert figures(LARGE, flat)[0] == 0


def test_field_is_white_for_a_copy_of_one_color_for_a_shift_and_dark_for_noise() -> None:
    shift = LARGE[:, :, :, 40:]
    assert (novelty_maps(LARGE, LARGE) == 1).all()
    colors = novelty_maps(LARGE, shift)
    assert colors.shape == shift.shape
    middle = colors[0, :, 64, 60]
    same = (colors == middle.view(1, 3, 1, 1)).all(1).float().mean()
    assert same > 0.9
    assert middle.max() - middle.min() > 0.3
    noise = torch.rand(LARGE.shape, generator=torch.Generator().manual_seed(3))
    dark = (novelty_maps(LARGE, noise) < 0.2).all(1).float().mean()
    assert dark > 0.9


def test_field_tells_opposite_ways_apart() -> None:
    left = novelty_maps(LARGE, LARGE[..., 40:])[0, :, 64, 60]
    right = novelty_maps(LARGE[..., 40:], LARGE)[0, :, 64, 100]
    assert (left - right).abs().max() > 0.3


# What all of them share

METRICS = {
    "swd": sliced_wasserstein,
    "coherence": lambda real, samples: bidirectional(real, samples).coherence,
    "completeness": lambda real, samples: bidirectional(real, samples).completeness,
    "copied": lambda real, samples: novelty(real, samples).copied,
    "new_texture": lambda real, samples: novelty(real, samples).new_texture,
    "piece": lambda real, samples: novelty(real, samples).piece,
    "entropy": lambda real, samples: novelty(real, samples).entropy,
}
each_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())


@each_metric
def test_order_of_samples_does_not_matter(metric) -> None:  # type: ignore[no-untyped-def]
    samples = torch.cat([GROWING_NOISE, photo(seed=3)])
    order = [3, 0, 4, 1, 2]
    values = metric(REAL, samples)
    assert len(set(values.tolist())) > 1
    torch.testing.assert_close(metric(REAL, samples[order]), values[order])


@each_metric
def test_precision_hardly_matters(metric) -> None:  # type: ignore[no-untyped-def]
    samples = torch.cat([GROWING_NOISE[1:3], photo(seed=3)])
    single, double = metric(REAL, samples), metric(REAL.double(), samples.double())
    torch.testing.assert_close(single.double(), double.double(), rtol=1e-3, atol=2e-3)


@each_metric
def test_half_precision_is_computed_in_single(metric) -> None:  # type: ignore[no-untyped-def]
    real, sample = REAL.half(), photo(seed=3).half()
    torch.testing.assert_close(metric(real, sample), metric(real.float(), sample.float()))


@each_metric
def test_flat_pictures_give_finite_values(metric) -> None:  # type: ignore[no-untyped-def]
    flat = torch.zeros(1, 3, 30, 30)
    for real, sample in ((flat, flat), (flat, REAL), (REAL, flat)):
        assert metric(real, sample).isfinite().all()


@each_metric
@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (2 * REAL - 1, "in \\[0, 1\\]"),
        (REAL[0], "tensor"),
        (REAL[:, :1], "3 channels and the samples have 1"),
        (REAL[..., :5], "at least 7 x 7"),
        (REAL * torch.nan, "in \\[0, 1\\]"),
        ((255 * REAL).byte(), "floats"),
    ],
)
def test_wrong_pictures_are_named(metric, samples: Tensor, sentence: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=sentence):
        metric(REAL, samples)


def test_several_real_pictures_are_refused() -> None:
    with pytest.raises(UserError, match="one real picture"):
        sliced_wasserstein(REAL.repeat(2, 1, 1, 1), REAL)
