"""Tell a stage that is stuck at one flat color from one that still learns.

Adam's first steps are large. Now and then, more often with a large `lr_scale`, they drive the
generator's last activation so far that its gradient vanishes, for good.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

ENOUGH = 100
"""Iterations in which any stage that learns at all comes closer to the image than a flat color;
later stages start from it."""

SATURATED = 0.9  # of a picture's range, and of its pixels
SEEN = 1e-3  # mean squared error that is worth anything, of a picture in [-1, 1]
STUCK = 0.05
"""Relative change of the reconstruction loss within ENOUGH / 2 iterations. One that had collapsed
was seen to move by 3 %, ever worse than a flat color."""


def flat_loss(real: Tensor, alpha: float) -> float:
    """Reconstruction loss of a picture that has the mean color of `real` (1, 3, h, w)."""
    return alpha * real.var((2, 3)).mean().item()


def is_stuck(curve: Tensor, real: Tensor, alpha: float, reconstruct: Callable[[], Tensor]) -> bool:
    """Whether a stage gives one flat color and is stuck there.

    Args:
        curve: reconstruction losses of the last iterations, (n,).
        real: the stage's image, (1, 3, h, w) in [-1, 1].
        alpha: weight of the reconstruction in its loss.
        reconstruct: makes the picture of the fixed noise; asked for only where all else fits.
    """
    if len(curve) < ENOUGH // 2:
        return False
    recent = curve[-ENOUGH // 2 :]
    low, high = recent.min().item(), recent.max().item()
    if low <= flat_loss(real, alpha) + SEEN * alpha or high - low >= STUCK * low:
        return False
    return is_saturated(reconstruct())


def is_saturated(picture: Tensor) -> bool:
    """Whether a picture in [-1, 1] has nearly nothing but extremes; a slow learner's is gray."""
    return (picture.abs() > SATURATED).float().mean().item() > SATURATED
