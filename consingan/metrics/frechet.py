"""Frechet distance between two sets of features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Gaussian:
    """Mean (D,) and covariance (D, D) of features, in float64."""

    mean: Tensor
    covariance: Tensor


def fit_gaussian(features: Tensor) -> Gaussian:
    """Fit a Gaussian to features (n, D), n at least 2; the covariance divides by n - 1."""
    features = features.double()
    mean = features.mean(0)
    centered = features - mean
    return Gaussian(mean, centered.T @ centered / (len(features) - 1))


def frechet_distance(a: Gaussian, b: Gaussian) -> Tensor:
    r"""Squared Frechet (Wasserstein-2) distance of two Gaussians.

    .. math:: |m_a - m_b|^2 + tr(C_a) + tr(C_b) - 2 \, tr((C_a C_b)^{1/2})

    The last trace is the sum of the singular values of :math:`C_a^{1/2} C_b^{1/2}`, from
    symmetric roots whose negative eigenvalues, which are rounding, are set to 0: singular
    covariances (flat pictures, fewer positions than channels) need no special case.

    Range: 0 upwards, lower is more similar. Symmetric.

    Source: Dowson and Landau, The Frechet Distance between Multivariate Normal Distributions
    (1982); Heusel et al. (2017).
    """
    cross = torch.linalg.svdvals(_root(a.covariance) @ _root(b.covariance)).sum()
    traces = a.covariance.trace() + b.covariance.trace()
    distance: Tensor = (a.mean - b.mean).square().sum() + traces - 2 * cross
    return distance.clamp_min(0)


def _root(covariance: Tensor) -> Tensor:
    """Symmetric square root of a positive semi-definite matrix."""
    values, vectors = torch.linalg.eigh((covariance + covariance.T) / 2)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root
