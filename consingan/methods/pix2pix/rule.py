"""What pix2pix's two networks are trained by (Isola et al. 2017, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from consingan.nn.gan import ADVERSARIAL, feature_matching, over_critics


@dataclass(frozen=True)
class Rule:
    """The terms and their weights.

    Attributes:
        adversarial: a key of `gan.ADVERSARIAL`.
        l1: weight of the mean absolute difference, 100 as published.
        features: weight of feature matching, 10 in pix2pixHD, else 0.
    """

    adversarial: str
    l1: float
    features: float


@dataclass(frozen=True)
class GeneratorLoss:
    """The terms before their weights, and what is minimized."""

    adversarial: Tensor
    l1: Tensor
    features: Tensor
    total: Tensor


def generator_loss(
    rule: Rule, critics: nn.Module, condition: Tensor, image: Tensor, made: Tensor
) -> GeneratorLoss:
    """Of G(A) = `made`, after the critics' step: eq. 4, and where wanted feature matching."""
    maps = critics(torch.cat([condition, made], 1))
    adversarial = over_critics(ADVERSARIAL[rule.adversarial], maps, 1.0)
    l1 = (made - image).abs().mean()
    features = torch.zeros_like(l1)
    if rule.features:
        with torch.no_grad():
            real = critics(torch.cat([condition, image], 1))
        features = feature_matching(maps, real)
    total = adversarial + rule.l1 * l1 + rule.features * features
    return GeneratorLoss(adversarial, l1, features, total)
