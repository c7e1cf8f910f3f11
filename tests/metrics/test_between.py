"""Metrics between samples, of the reconstruction, and the summaries over samples."""

from __future__ import annotations

import pytest
import torch
from judged_pictures import REAL, blurred, noisy, photo

from consingan.errors import UserError
from consingan.metrics.diversity import (
    SCALE_WEIGHTS,
    diversity,
    diversity_resampled,
    ms_ssim,
    ms_ssim_between,
)
from consingan.metrics.reconstruction import MAX_PSNR, reconstruction_quality
from consingan.metrics.summary import (
    bootstrap_draws,
    resampled_pair_means,
    summarize,
    summarize_set,
)

SCENES = torch.cat([photo(seed=seed) for seed in range(6)])


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# Diversity


def test_equal_samples_have_no_diversity() -> None:
    # Rounding of the mean, no more.
    assert diversity(REAL, REAL.repeat(5, 1, 1, 1)).item() < 1e-6


def test_diversity_of_two_flat_samples_has_a_closed_form() -> None:
    samples = torch.stack([torch.full((3, 20, 20), 0.2), torch.full((3, 20, 20), 0.6)])
    real = torch.zeros(1, 3, 10, 10)
    real[..., 5:] = 1
    torch.testing.assert_close(diversity(real, samples), torch.tensor(0.2 / 0.5))


def test_diversity_grows_with_the_differences_and_not_with_the_number() -> None:
    spreads = [
        diversity(REAL, torch.cat([noisy(REAL, sigma, seed) for seed in range(6)])).item()
        for sigma in (0.02, 0.05, 0.1)
    ]
    assert spreads == sorted(spreads)
    assert spreads[2] > 2 * spreads[0]
    assert diversity(REAL, SCENES.repeat(3, 1, 1, 1)).item() == pytest.approx(
        diversity(REAL, SCENES).item(), rel=1e-5
    )


def test_diversity_does_not_depend_on_order_precision_and_size_of_the_real_picture() -> None:
    value = diversity(REAL, SCENES)
    torch.testing.assert_close(diversity(REAL, SCENES.flip(0)), value)
    torch.testing.assert_close(diversity(REAL.double(), SCENES.double()).float(), value)
    larger = torch.nn.functional.interpolate(REAL, scale_factor=3, mode="nearest")
    torch.testing.assert_close(diversity(larger, SCENES), value)


def test_diversity_of_a_flat_picture_is_finite() -> None:
    flat = torch.full((1, 3, 20, 20), 0.5)
    assert diversity(flat, flat.repeat(3, 1, 1, 1)).item() < 1e-4
    assert diversity(flat, torch.rand(3, 3, 20, 20, generator=rng())).isfinite()


def test_resampled_diversity_is_that_of_the_resampled_sets() -> None:
    draws = bootstrap_draws(6, 40, rng())
    bias = (6 / 5) ** 0.5
    direct = torch.stack([diversity(REAL, SCENES[some]) for some in draws])
    torch.testing.assert_close(
        diversity_resampled(REAL, SCENES, draws), bias * direct, rtol=1e-4, atol=1e-5
    )


# MS-SSIM


def test_ms_ssim_of_equal_pictures_is_one_and_it_is_symmetric() -> None:
    torch.testing.assert_close(ms_ssim(SCENES, SCENES), torch.ones(6))
    there, back = ms_ssim(SCENES[:3], SCENES[3:]), ms_ssim(SCENES[3:], SCENES[:3])
    torch.testing.assert_close(there, back)
    assert (there < 0.8).all()


def test_ms_ssim_falls_with_the_damage() -> None:
    damaged = torch.cat([noisy(REAL, sigma) for sigma in (0.0, 0.05, 0.1, 0.3)])
    assert (ms_ssim(REAL.expand_as(damaged), damaged).diff() < 0).all()
    soft = torch.cat([blurred(REAL, radius) for radius in (1, 2, 4)])
    assert (ms_ssim(REAL.expand_as(soft), soft).diff() < 0).all()


@pytest.mark.parametrize(("height", "scales"), [(7, 1), (11, 1), (22, 2), (175, 4), (176, 5)])
def test_ms_ssim_of_flat_pictures_is_the_luminance_term(height: int, scales: int) -> None:
    # Without contrast only the last scale's luminance is left, to the power of its weight.
    a, b = (
        torch.full((1, 3, height, 200), 0.2),
        torch.full((1, 3, height, 200), 0.8),
    )
    luminance = (2 * 0.2 * 0.8 + 1e-4) / (0.2**2 + 0.8**2 + 1e-4)
    weight = SCALE_WEIGHTS[scales - 1] / sum(SCALE_WEIGHTS[:scales])
    assert ms_ssim(a, b).item() == pytest.approx(luminance**weight, rel=1e-3)


def test_of_one_scale_both_are_the_ssim_of_wang_et_al() -> None:
    from skimage.metrics import structural_similarity

    a, b = photo(20, 21), noisy(photo(20, 21), 0.1)
    x, y = (t.mean(1)[0].double().numpy() for t in (a, b))
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = structural_similarity(x, y, data_range=1.0, **options)
    assert ms_ssim(a, b).item() == pytest.approx(expected, abs=1e-4)
    grays = [t.mean(1, keepdim=True).expand(-1, 3, -1, -1) for t in (a, b)]
    assert reconstruction_quality(*grays).ssim == pytest.approx(expected, abs=1e-6)


def test_pairs_are_all_pairs_with_the_values_of_the_two() -> None:
    pairs = ms_ssim_between(SCENES)
    found = list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert len(found) == len(set(found)) == 15
    assert all(i < j for i, j in found)
    direct = ms_ssim(SCENES[pairs.first], SCENES[pairs.second])
    # In other batches, and a variance as a difference of moments magnifies their rounding.
    torch.testing.assert_close(pairs.value, direct, rtol=1e-3, atol=1e-4)


def test_pairs_are_limited_and_their_choice_is_seeded() -> None:
    some = [ms_ssim_between(SCENES, max_pairs=4, rng=rng(seed)) for seed in (0, 0, 1)]
    assert [len(pairs.value) for pairs in some] == [4, 4, 4]
    assert torch.equal(some[0].value, some[1].value)
    assert not torch.equal(some[0].value, some[2].value)


def test_opposite_pictures_give_no_nan() -> None:
    assert ms_ssim(REAL, 1 - REAL).item() == 0


# Reconstruction


def test_reconstruction_has_the_closed_form_of_psnr() -> None:
    dark = torch.full((1, 3, 20, 30), 0.4)
    found = reconstruction_quality(dark, dark + 0.1)
    assert found.psnr == pytest.approx(20, abs=1e-4)
    assert found.ssim < 1


def test_perfect_reconstruction_is_finite() -> None:
    found = reconstruction_quality(REAL, REAL.double())
    assert (found.psnr, found.ssim) == (MAX_PSNR, pytest.approx(1))


def test_reconstruction_falls_with_noise_even_in_tiny_pictures() -> None:
    for real in (REAL, photo(8, 9)):
        found = [reconstruction_quality(real, noisy(real, sigma)) for sigma in (0.01, 0.05, 0.2)]
        assert found[0].psnr > found[1].psnr > found[2].psnr
        assert found[0].ssim > found[1].ssim > found[2].ssim


def test_reconstruction_of_another_size_is_refused() -> None:
    with pytest.raises(UserError, match="size"):
        reconstruction_quality(REAL, REAL[..., 1:])


# Summaries


def test_summary_has_the_usual_figures() -> None:
    summary = summarize(torch.tensor([1.0, 2.0, 3.0, 10.0]), bootstrap_draws(4, 500, rng()))
    assert (summary.mean, summary.median, summary.count) == (4, 2.5, 4)
    assert summary.std == pytest.approx((50 / 3) ** 0.5)
    assert summary.low is not None
    assert summary.high is not None
    assert 1 <= summary.low < 4 < summary.high <= 10


def test_one_sample_has_no_interval() -> None:
    summary = summarize(torch.tensor([3.0]), bootstrap_draws(1, 10, rng()))
    assert (summary.mean, summary.std, summary.low, summary.high) == (3, 0, None, None)


def test_bootstrap_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    values = torch.randn(300, 40, generator=rng(1), dtype=torch.float64)
    draws = bootstrap_draws(40, 400, rng(2))
    summaries = [summarize(row, draws) for row in values]
    covered = sum(
        s.low <= 0 <= s.high for s in summaries if s.low is not None and s.high is not None
    )
    assert 0.88 <= covered / 300 <= 0.98


def test_interval_of_the_diversity_covers_the_diversity_of_a_large_set() -> None:
    # Pixels with a spread of their own in each sample: sets of 12 from a known distribution.
    generator = rng(3)
    many = (0.5 + 0.1 * torch.randn(600, 3, 8, 8, generator=generator)).clamp(0, 1)
    many *= torch.rand(600, 1, 1, 1, generator=generator)
    real, truth = many[:1], diversity(many[:1], many).item()
    draws = bootstrap_draws(12, 300, rng(4))
    covered = 0
    for some in torch.split(many, 12):
        value = diversity(real, some)
        summary = summarize_set(value, diversity_resampled(real, some, draws), 12)
        assert summary.low is not None
        assert summary.high is not None
        covered += summary.low <= truth <= summary.high
    assert covered >= 0.8 * 50


def test_resampled_pairs_leave_out_a_sample_with_itself() -> None:
    first, second = torch.tensor([0, 0, 1]), torch.tensor([1, 2, 2])
    value = torch.tensor([1.0, 2.0, 4.0])
    draws = torch.tensor([[0, 1, 2], [0, 0, 1], [2, 2, 2]])
    means = resampled_pair_means(first, second, value, draws)
    torch.testing.assert_close(means[:2], torch.tensor([7 / 3, 1.0], dtype=torch.float64))
    assert means[2].isnan()
    summary = summarize_set(value.mean(), means, 3)
    assert summary.low is not None
    assert summary.low < summary.mean
