"""Losses of critics that tell real from made: by cross entropy, by squares, by their features.

All take maps of scores of any shape, before a sigmoid.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

Loss = Callable[[Tensor, float], Tensor]


def cross_entropy(scores: Tensor, wanted: float) -> Tensor:
    """Goodfellow et al. 2014, eq. 1: -log D where 1 is `wanted`, -log(1 - D) where 0 is."""
    scores = scores.float()
    return F.binary_cross_entropy_with_logits(scores, torch.full_like(scores, wanted))


def squares(scores: Tensor, wanted: float) -> Tensor:
    """Mao et al. 2017, eq. 2: mean (D - wanted)^2."""
    return (scores.float() - wanted).square().mean()


ADVERSARIAL: dict[str, Loss] = {"bce": cross_entropy, "lsgan": squares}


def over_critics(loss: Loss, maps: Sequence[Sequence[Tensor]], wanted: float) -> Tensor:
    """The sum over several critics of a loss of their scores, the last of each one's maps."""
    return torch.stack([loss(each[-1], wanted) for each in maps]).sum()


def critics_step(
    loss: Loss, critics: nn.Module, optimizer: Optimizer, real: Tensor, made: Tensor
) -> tuple[Tensor, Tensor]:
    """One step of the critics on half the sum of their losses of what is real and what is made.

    Args:
        loss: a value of `ADVERSARIAL`.
        critics: give the maps of every critic, see `patch_critic.PatchCritics`.
        optimizer: of the critics.
        real: what they see, (N, C, h, w).
        made: likewise, (M, C, h, w); no gradient goes there.

    Returns:
        The two losses, of real and of made, before the step.
    """
    of_made = over_critics(loss, critics(made.detach()), 0.0)
    of_real = over_critics(loss, critics(real), 1.0)
    optimizer.zero_grad()
    (0.5 * (of_real + of_made)).backward()
    optimizer.step()
    return of_real, of_made


@contextlib.contextmanager
def frozen(critics: nn.Module) -> Iterator[None]:
    """Critics that only pass gradients on to what they judge: their own weights get none."""
    critics.requires_grad_(False)
    try:
        yield
    finally:
        critics.requires_grad_(True)


def feature_matching(made: Sequence[Sequence[Tensor]], real: Sequence[Sequence[Tensor]]) -> Tensor:
    """pix2pixHD, eq. 4: L1 of all inner maps of all critics, each 4/(layers + 1), mean of critics.

    A critic of so many layers of stride 2 has one inner map more.

    Args:
        made: maps of every critic of what was made.
        real: the same of the real picture; no gradient goes there.
    """
    terms = [
        (x.float() - y.detach().float()).abs().mean()
        for one, other in zip(made, real, strict=True)
        for x, y in zip(one[:-1], other[:-1], strict=True)
    ]
    return torch.stack(terms).sum() * 4 / len(terms)
