"""Tell a finished scale that gives the image back no better than one flat color does."""

from __future__ import annotations

from torch import Tensor

ENOUGH = 100  # iterations in which any scale that learns at all comes closer than a flat color


def is_flat(losses: Tensor, real: Tensor, alpha: float) -> bool:
    """Whether the reconstruction loss at the end is that of a picture of one color.

    Args:
        losses: the scale's reconstruction losses, (iterations,).
        real: (1, 3, h, w) in [-1, 1].
        alpha: weight in the loss.
    """
    if alpha == 0 or len(losses) < ENOUGH:
        return False
    flat = alpha * real.var((2, 3)).mean().item()
    return losses[-len(losses) // 10 :].median().item() > flat
