"""Smooth surfaces through what is known of a picture."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from consingan.images.patch_fill import depth

RIM = 6
"""px from what is known within which the smooth surface is spanned, from there to the fill."""
REACH = 1.5  # px in which its share falls to a third


def biharmonic(image: Tensor, mask: Tensor) -> Tensor:
    """The smoothest surface through what is known, scikit-image's `inpaint_biharmonic`.

    Args:
        image: (1, 3, H, W) in [-1, 1].
        mask: (1, 1, H, W), above 0 where it is not known.
    """
    from skimage.restoration import inpaint_biharmonic

    pixels = image[0].permute(1, 2, 0).double().numpy()
    made = inpaint_biharmonic(  # type: ignore[no-untyped-call, unused-ignore]
        pixels, mask[0, 0].numpy() > 0, channel_axis=-1
    )
    smooth = torch.from_numpy(np.ascontiguousarray(made.transpose(2, 0, 1)))[None].to(image)
    return torch.where(mask > 0, smooth.clamp(-1, 1), image)


def smooth_rim(filled: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """What goes on smoothly from around a hole, and how near it is: 1 at its edge, 0 inside.

    Args:
        filled: (1, 3, H, W) in [-1, 1].
        hole: (1, 1, H, W), above 0 inside.

    Returns:
        (1, 3, H, W), equal to `filled` beyond the rim, and (1, 1, H, W).
    """
    far = depth(hole.cpu().float())
    rim = (far > 0) & (far <= RIM)
    smooth = biharmonic(filled.cpu(), rim)
    near = torch.exp(-(((far - 1) / REACH) ** 2)) * rim
    return smooth.to(filled), near.to(filled)


def softened(filled: Tensor, hole: Tensor, most: float) -> Tensor:
    """The fill with its rim moved towards what goes on smoothly, by `most` of it at the edge."""
    smooth, near = smooth_rim(filled, hole)
    return filled + most * near * (smooth - filled)
