"""The masks of harmonization and editing, as the authors widen and blur them."""

from __future__ import annotations

from torch import Tensor

from consingan.images import masks
from consingan.methods.singan.pyramid import Pyramid
from consingan.methods.singan.resize import crop, resize_to, to_unit_bytes

DILATION = {"harmonization": 7, "editing": 20}  # px, radius of the disk


def soften(mask: Tensor, task: str) -> Tensor:
    """A mask of 0 and 1, (1, 1, h, w), with the soft edge of `task`."""
    return masks.soften(mask, DILATION[task])


def authors_mask(pixels: Tensor, pyramid: Pyramid) -> Tensor:
    """A mask's file (h, w, 3) as 0 and 1, (1, 1, h_N, w_N); every byte above 0 counts."""
    image = pixels[..., :1].permute(2, 0, 1)[None].float().div(255).sub(0.5).mul(2)
    size = pyramid.sizes[-1]
    if image.shape[-2:] != size:
        image = crop(resize_to(image, size), size)
    return (to_unit_bytes(image) > 0).float()
