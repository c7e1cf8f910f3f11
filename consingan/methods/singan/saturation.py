"""Tell a finished scale that gives the image back no better than one flat color does."""

from __future__ import annotations

from torch import Tensor

from consingan.images.picture import is_flat as of_one_color

ENOUGH = 100  # iterations in which any scale that learns at all comes closer than a flat color
SEEN = 1e-3  # mean squared error that is worth anything, of a picture in [-1, 1]


def is_flat(losses: Tensor, real: Tensor, alpha: float) -> bool:
    """Whether the reconstruction loss at the end is that of a picture of one color.

    Of an image that has one color itself that tells nothing.

    Args:
        losses: the scale's reconstruction losses, (iterations,).
        real: (1, 3, h, w) in [-1, 1].
        alpha: weight in the loss.
    """
    if alpha == 0 or len(losses) < ENOUGH or of_one_color(real):
        return False
    flat = alpha * (real.var((2, 3)).mean().item() + SEEN)
    return losses[-len(losses) // 10 :].median().item() > flat
