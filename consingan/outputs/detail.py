"""A composite at the size of the user's picture: where its fine detail comes from."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from consingan.images.detail import Other, Own, Source, sharpened
from consingan.images.lookalikes import PATCH
from consingan.images.picture import gray_as
from consingan.nn.noise import stream
from consingan.outputs.own_mask import training_image

SEEN = 0.02  # share of the result below which its detail cannot be seen
MANY = 2_000_000  # px, of which one million takes about 20 CPU seconds

Size = tuple[int, int]

OWN, IMAGE = ("both", "own"), ("both", "image")


def with_detail(
    model: Any, naive: Tensor, result: Tensor, soft: Tensor | None, wanted: str
) -> Tensor | None:
    """A result at the size of the picture that it was made from, with fine detail of its own.

    Args:
        model: that made it.
        naive: the picture, (1, C, H, W) in [-1, 1].
        result: (1, C, h, w).
        soft: (1, 1, H, W), how much of the result is seen; None: all of it.
        wanted: one of `requests.DETAILS`.

    Returns:
        (1, C, H, W), with detail where the result is seen; None where there is none to add.
    """
    size = (naive.shape[-2], naive.shape[-1])
    region = torch.ones_like(naive[:, :1], dtype=torch.bool) if soft is None else soft > SEEN
    nothing = wanted == "none" or model.task.fills  # what a hole showed must not come back
    if nothing or not region.any() or max(size) <= max(result.shape[-2:]):
        return None
    result = result.to(naive)
    sources = _sources(model, naive, result, region, wanted)
    return gray_as(result, sharpened(result, size, region, sources))


def patience(naive: Tensor, mask: Tensor | None, wanted: str) -> list[str]:
    """What is to be said before detail is looked up for a large part of a picture."""
    part = naive[:, :1] if mask is None else mask[mask > SEEN]
    if wanted in ("own", "none") or part.numel() < MANY:
        return []
    return [
        f"Fine detail for {part.numel() / 1e6:.0f} megapixels is looked up, which can take "
        "minutes; --detail own takes seconds."
    ]


def _sources(
    model: Any, naive: Tensor, result: Tensor, region: Tensor, wanted: str
) -> list[Source]:
    """Of what is wanted what can be had; the user's picture alone where that is nothing."""
    if wanted == "auto":
        wanted = model.task.detail
    sources: list[Source] = []
    if wanted in IMAGE and min(*result.shape[-2:], *naive.shape[-2:]) >= PATCH:
        image = training_image(model).to(result)
        real: Size = model.sizes[-1]  # at which it looks like the result
        if max(image.shape[-2:]) > max(real):
            sources.append(Other.of((image, real), naive, result, region, stream(0, "detail")))
    if wanted in OWN or not sources:
        sources.insert(0, Own.of(naive, result))
    return sources
