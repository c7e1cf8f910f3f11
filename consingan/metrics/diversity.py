"""How much samples differ from each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .common import GRAY_LEVEL, checked, gray, seeded

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""The exponents of MS-SSIM from the finest scale to the coarsest (Wang et al. 2003)."""

MAX_PAIRS = 1225  # all pairs of 50 samples
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2
_BATCH = 16


@torch.no_grad()
def diversity(real: Tensor, samples: Tensor) -> Tensor:
    r"""Diversity as in SinGAN: how much the pixels vary from sample to sample.

    .. math:: mean_{x} \; std_n(g_n(x)) \; / \; std_x(g_{real}(x))

    with g the mean of the three channels and standard deviations that divide by the count. The
    real picture's deviation counts as one gray level (1/255) at least, so that a flat picture
    has a diversity, too.

    Range: 0 (all samples equal, or only one) upwards, about 1 for unrelated pictures of the same
    histogram; higher is better at equal quality.

    Source: Shaham et al., SinGAN (2019), section 3.

    Args:
        real: (1, 3, H, W) in [0, 1].
        samples: (N, 3, H', W') in [0, 1].

    Returns:
        A scalar.
    """
    real, samples = checked(real, samples)
    spread = gray(samples).std(0, unbiased=False).mean()
    return spread / _real_spread(real)


@torch.no_grad()
def diversity_resampled(real: Tensor, samples: Tensor, draws: Tensor) -> Tensor:
    """Diversity of resampled sets of samples, for a bootstrap interval.

    A set drawn with replacement varies less than the set that it is drawn from, in variance by
    (N - 1) / N on average, which is made up for here.

    Args:
        real: (1, 3, H, W) in [0, 1].
        samples: (N, 3, H', W') in [0, 1], N at least 2.
        draws: (B, N) integers, the numbers of the samples in each set.

    Returns:
        (B,), one diversity for each set.
    """
    real, samples = checked(real, samples)
    n = len(samples)
    values = gray(samples).flatten(1)
    values = values - values.mean(0)
    spread = []
    for some in torch.split(draws.to(values.device), _BATCH):
        share = F.one_hot(some, n).to(values).mean(1)
        variance = share @ values.square() - (share @ values).square()
        spread.append(variance.clamp_min(0).sqrt().mean(1))
    bias: float = (n / (n - 1)) ** 0.5
    return torch.cat(spread) * bias / _real_spread(real)


def _real_spread(real: Tensor) -> Tensor:
    return gray(real).std(unbiased=False).clamp_min(GRAY_LEVEL)


@dataclass(frozen=True)
class Pairs:
    """A value for each pair of samples: first (P,), second (P,), value (P,)."""

    first: Tensor
    second: Tensor
    value: Tensor


@torch.no_grad()
def ms_ssim_between(
    samples: Tensor, *, max_pairs: int = MAX_PAIRS, rng: torch.Generator | None = None
) -> Pairs:
    """MS-SSIM between samples: all pairs, or `max_pairs` random ones where there are more.

    Range and formula: see `ms_ssim`. Lower is more diverse; 1 where all samples are equal.

    Args:
        samples: (N, 3, H, W) in [0, 1], N at least 2.
        max_pairs: how many pairs at most; all pairs of 50 samples by default.
        rng: chooses among the pairs; by default a fixed seed.
    """
    samples = checked(samples[:1], samples)[1]
    pairs = torch.tensor(list(itertools.combinations(range(len(samples)), 2))).view(-1, 2)
    if len(pairs) > max_pairs:
        chosen = torch.randperm(len(pairs), generator=seeded(0) if rng is None else rng)
        pairs = pairs[chosen[:max_pairs].sort().values]
    moments = list(_moments(samples))
    values = [
        _compare([m[:, i] for m in moments], [m[:, j] for m in moments])
        for i, j in (some.unbind(1) for some in torch.split(pairs, _BATCH))
    ]
    value = torch.cat(values) if values else samples.new_zeros(0)
    return Pairs(pairs[:, 0], pairs[:, 1], value)


@torch.no_grad()
def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    r"""Multi-scale structural similarity of the gray values (mean of the channels).

    .. math:: l_M^{w_M} \prod_{j=1}^{M} (c_j s_j)^{w_j}

    with luminance l and contrast-structure cs of SSIM (Gaussian window, 11 px, sigma 1.5) at
    M = 5 scales, each half the size of the one before. Pictures under 176 px have fewer: as many
    as leave the window inside the picture, with weights that still add up to 1, so that figures
    of small and of large pictures are not comparable. Under 11 px the window shrinks. Negative
    factors count as 0.

    Range: [0, 1], 1 for equal pictures. Symmetric.

    Source: Wang, Simoncelli and Bovik, Multi-scale Structural Similarity for Image Quality
    Assessment (2003), equation 7.

    Args:
        a: (N, 3, H, W) in [0, 1].
        b: (N, 3, H, W) in [0, 1].

    Returns:
        (N,).
    """
    b = checked(a[:1], b)[1]
    a = checked(b[:1], a)[1]
    return _compare(list(_moments(a)), list(_moments(b)))


def _moments(pictures: Tensor) -> Iterator[Tensor]:
    """Yield at each scale the pictures and their windowed mean and square: (3, N, 1, h, w).

    The two moments are padded to the pictures' size, to travel in one tensor.
    """
    x = gray(pictures)
    for scale in range(_scale_count(min(x.shape[2:]))):
        x = F.avg_pool2d(x, 2) if scale else x
        pad = [0, _window(x) - 1, 0, _window(x) - 1]
        yield torch.stack([x, F.pad(_blur(x), pad), F.pad(_blur(x * x), pad)])


def _compare(a: list[Tensor], b: list[Tensor]) -> Tensor:
    """MS-SSIM from the moments of both sides."""
    weights = torch.tensor(SCALE_WEIGHTS[: len(a)], dtype=torch.float64)
    result = torch.ones((), device=a[0].device)
    for scale, weight in enumerate((weights / weights.sum()).tolist()):
        (x, x_mean, x_power), (y, y_mean, y_power) = a[scale], b[scale]
        cross = _blur(x * y)
        h, w = cross.shape[2:]
        x_mean, x_power, y_mean, y_power = (
            m[..., :h, :w] for m in (x_mean, x_power, y_mean, y_power)
        )
        variances = x_power - x_mean.square() + y_power - y_mean.square()
        factor = (2 * (cross - x_mean * y_mean) + _C2) / (variances + _C2)
        if scale == len(a) - 1:
            luminance = x_mean.square() + y_mean.square() + _C1
            factor = factor * (2 * x_mean * y_mean + _C1) / luminance
        result = result * factor.mean((1, 2, 3)).clamp(0, 1) ** weight
    return result


def _scale_count(short: int) -> int:
    return max(1, sum(short >> scale >= _WINDOW for scale in range(len(SCALE_WEIGHTS))))


def _window(x: Tensor) -> int:
    short = min(x.shape[2:])
    return min(_WINDOW, short - 1 + short % 2)


def _blur(x: Tensor) -> Tensor:
    """Gaussian window, where it lies inside the picture."""
    width = _window(x)
    place = torch.arange(width, dtype=x.dtype, device=x.device) - width // 2
    kernel = torch.softmax(-place.square() / (2 * _SIGMA**2), 0)
    return F.conv2d(F.conv2d(x, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
