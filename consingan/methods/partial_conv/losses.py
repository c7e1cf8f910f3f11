"""The six terms that an inpainting network is trained by (Liu et al. 2018, eq. 3 to 7).

Mask and `known` are 1 where a pixel is shown to the network, and where there is truth at all. With
one picture there is none in the user's own hole: there the truth is the network's own output,
without gradients, so that features beside the hole see no invented pixels as right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Features = Callable[[Tensor], Sequence[Tensor]]


def gram(x: Tensor) -> Tensor:
    """F F^T / (C H W) of maps (N, C, h, w): (N, C, C)."""
    flat = x.flatten(2)
    return flat @ flat.transpose(1, 2) / (x.shape[1] * x.shape[2] * x.shape[3])


def variation(x: Tensor, where: Tensor | None = None) -> Tensor:
    """Mean difference of neighbours, down and across; of pairs inside of `where` (N, 1, h, w).

    The mean is over all pairs of the picture, as of all other terms.
    """
    down, across = (x[:, :, 1:] - x[:, :, :-1]).abs(), (x[..., 1:] - x[..., :-1]).abs()
    if where is not None:
        down = down * (where[:, :, 1:] * where[:, :, :-1])
        across = across * (where[..., 1:] * where[..., :-1])
    return down.mean() + across.mean()


def difference(one: Tensor, other: Tensor) -> Tensor:
    """Mean absolute difference."""
    return (one - other).abs().mean()


def terms(
    output: Tensor,
    truth: Tensor,
    mask: Tensor,
    features: Features | None,
    known: Tensor | None = None,
    near: Tensor | None = None,
) -> dict[str, Tensor]:
    """All six before their weights, by the names of `method.LOSSES`; 0 where there are no features.

    Args:
        output: of the network, (N, 3, h, w).
        truth: the picture.
        mask: (N, 1, h, w), 1 where the network saw the picture.
        features: maps of a picture, fine to coarse.
        known: (N, 1, h, w), 1 where `truth` is true; None is everywhere.
        near: where neighbours are to be alike, see `variation`; the paper has the hole grown by
            1 px.
    """
    apart = (output - truth).abs()
    if known is not None:
        apart = apart * known
        truth = torch.where(known > 0, truth, output.detach())
    composite = torch.where(mask > 0, truth, output)
    zero = output.new_zeros(())
    found = {
        "valid": (apart * mask).mean(),
        "hole": (apart * (1 - mask)).mean(),
        "perceptual": zero, "style_output": zero, "style_composite": zero,
        "variation": variation(composite, near),
    }  # fmt: skip
    if features is not None:
        found |= _of_features(output, truth, composite, features)
    return found


def _of_features(
    output: Tensor, truth: Tensor, composite: Tensor, features: Features
) -> dict[str, Tensor]:
    made, mixed = features(output), features(composite)
    with torch.no_grad():
        true = features(truth)
    total = {name: output.new_zeros(()) for name in ("perceptual", "style_output")}
    total["style_composite"] = output.new_zeros(())
    for o, c, t in zip(made, mixed, true, strict=True):
        total["perceptual"] = total["perceptual"] + difference(o, t) + difference(c, t)
        style = gram(t)
        total["style_output"] = total["style_output"] + difference(gram(o), style)
        total["style_composite"] = total["style_composite"] + difference(gram(c), style)
    return total


def grown(hole: Tensor) -> Tensor:
    """A hole (N, 1, h, w), 1 inside, wider by a pixel."""
    return F.max_pool2d(hole, 3, 1, 1)
