"""The closed-form denoiser."""

from __future__ import annotations

import math

import pytest
import torch

from consingan.methods.patches import balance as module
from consingan.methods.patches.balance import potentials
from consingan.methods.patches.denoiser import (
    ClosedForm,
    balanced_means,
    exact,
    fused,
    scores,
    weights_of,
)
from consingan.methods.patches.windows import Windows, cut


def picture(seed: int = 0) -> torch.Tensor:
    return torch.rand(3, 16, 18, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("means", [exact, fused])
def test_without_noise_a_patch_is_its_own_mean(means: object) -> None:
    patches = cut(picture(), 5)
    clean = means(patches, patches, 1.0, 0.01)  # type: ignore[operator]
    torch.testing.assert_close(clean, patches, rtol=0, atol=1e-4)


def test_fused_and_exact_agree() -> None:
    patches, queries = cut(picture(), 5), cut(picture(1), 5)
    for alpha, sigma in ((0.2, 0.8), (0.7, 0.3)):
        torch.testing.assert_close(
            fused(queries, patches, alpha, sigma),
            exact(queries, patches, alpha, sigma),
            rtol=0,
            atol=1e-4,
        )


def test_the_weights_are_those_of_the_squared_distances() -> None:
    patches, queries = cut(picture(), 5), cut(picture(1), 5)[:4]
    alpha, sigma = 0.6, 0.4
    distance = (queries[:, None] - alpha * patches).square().sum(2)
    expected = torch.softmax(-distance / (2 * sigma**2), 1)
    found = weights_of(scores(queries, patches, alpha, sigma))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_at_alpha_0_it_is_the_mean_patch_everywhere() -> None:
    patches = cut(picture(), 5)
    windows = Windows((16, 18), 5)
    found = ClosedForm(patches, windows, exact)(picture(1), 0.0, 1.0)
    expected = windows.fold(patches.mean(0).expand(len(patches), -1))
    torch.testing.assert_close(found, expected)


def test_a_small_budget_gives_the_same() -> None:
    patches, windows = cut(picture(), 5), Windows((16, 18), 5)
    x = picture(1)
    for balance in (0, 3):
        one = ClosedForm(patches, windows, exact, balance)(x, 0.4, 0.6)
        other = ClosedForm(patches, windows, exact, balance, budget=20_000)(x, 0.4, 0.6)
        torch.testing.assert_close(one, other, rtol=0, atol=1e-4)


def test_scores_that_fit_are_made_once_for_all_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    module = "consingan.methods.patches.denoiser.scores"
    monkeypatch.setattr(module, lambda *given: asked.append(len(given[0])) or scores(*given))
    patches, queries = cut(picture(), 5), cut(picture(1), 5)
    balanced_means(queries, patches, (0.4, 0.6), 3, 4 * len(queries) * len(patches))
    assert asked == [len(queries)]


def test_balanced_weights_use_every_patch_alike() -> None:
    patches, queries = cut(picture(), 5), cut(picture(1), 5)
    table = scores(queries, patches, 0.3, 0.7)
    g = potentials(lambda: [table], len(queries), len(patches), 200)
    used = torch.softmax(table + g, 1).sum(0)
    torch.testing.assert_close(used, torch.ones_like(used), rtol=0, atol=0.05)


def plain_potentials(table: torch.Tensor, steps: int) -> torch.Tensor:
    g = torch.zeros(table.shape[1])
    share = math.log(table.shape[0] / table.shape[1])
    for _ in range(steps):
        free = table - torch.logsumexp(table + g, 1, keepdim=True)
        g = share - torch.logsumexp(free, 0)
    return g


def test_many_scores_are_balanced_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    table = torch.randn(300, 1000, generator=torch.Generator().manual_seed(0)) * 10
    assert table.numel() > module.BLOCK
    plain = module._used
    monkeypatch.setattr(module, "_used", lambda *given: asked.append(1) or plain(*given))
    found = potentials(lambda: [table[:100], table[100:]], 300, 1000, 5)
    torch.testing.assert_close(found, plain_potentials(table, 5), rtol=0, atol=1e-3)
    assert len(asked) == 1  # logarithms of sums take ten times as long


def test_many_steep_scores_are_balanced_too() -> None:
    table = torch.randn(300, 1000, generator=torch.Generator().manual_seed(0)) * 1e8
    found = potentials(lambda: [table], 300, 1000, 5)
    torch.testing.assert_close(found, plain_potentials(table, 5), rtol=0, atol=100)
