"""What pix2pix's two networks are trained by (Isola et al. 2017, section 3.1)."""

from __future__ import annotations

from collections.abc import Callable
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
        perceptual: weight of what `compared` says, 10 in pix2pixHD.
        compared: how much two pictures differ by VGG's features; None leaves that out.
    """

    adversarial: str
    l1: float
    features: float
    perceptual: float = 0.0
    compared: Callable[[Tensor, Tensor], Tensor] | None = None


@dataclass(frozen=True)
class GeneratorLoss:
    """The terms before their weights, and what is minimized."""

    adversarial: Tensor
    l1: Tensor
    features: Tensor
    perceptual: Tensor
    total: Tensor


def generator_loss(
    rule: Rule, critics: nn.Module, condition: Tensor, image: Tensor, made: Tensor
) -> GeneratorLoss:
    """Of G(A) = `made`, after the critics' step: eq. 4, and where wanted more terms."""
    maps = critics(torch.cat([condition, made], 1))
    adversarial = over_critics(ADVERSARIAL[rule.adversarial], maps, 1.0)
    l1 = (made - image).abs().mean()
    features = perceptual = torch.zeros_like(l1)
    if rule.features:
        with torch.no_grad():
            real = critics(torch.cat([condition, image], 1))
        features = feature_matching(maps, real)
    total = adversarial + rule.l1 * l1 + rule.features * features
    if rule.compared is not None:
        perceptual = rule.compared(made, image)
        total = total + rule.perceptual * perceptual
    return GeneratorLoss(adversarial, l1, features, perceptual, total)
