"""What the cascade is trained by (Chen and Koltun 2017, sections 3.2 and 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from consingan.methods.crn.networks import shrunk

BEST, MEAN = 0.999, 0.001  # weights of a label's best picture, and of the mean of all


def label_losses(made: Sequence[Tensor], real: Sequence[Tensor], layout: Tensor) -> list[Tensor]:
    """Eq. 1 by layer and label: the mean over all pixels of label * mean over channels |F(y)-F(x)|.

    Args:
        made: features of k pictures, (k, C, h, w) each; by the paper the picture itself first.
        real: of the real one, (1, C, h, w) each.
        layout: (1, L, H, W), one-hot.

    Returns:
        (k, L) for each layer.
    """
    found = []
    for y, x in zip(made, real, strict=True):
        difference = (y.float() - x.float()).abs().mean(1, keepdim=True)
        told = shrunk(layout, (x.shape[-2], x.shape[-1]))
        found.append((told * difference).mean((2, 3)))
    return found


def diversity_loss(content: Tensor) -> Tensor:
    """Eq. 3: each label chooses the best of k pictures; all of them are drawn along a little.

    Args:
        content: (k, L), summed over layers with their weights.
    """
    return BEST * content.min(0).values.sum() + MEAN * content.mean(0).sum()
