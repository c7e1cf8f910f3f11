"""Smooth surfaces through what is known of a picture."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


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
