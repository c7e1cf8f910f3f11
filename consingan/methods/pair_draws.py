"""What is done to a pair in each iteration, to A and B alike: mirrored, bent, pieces moved."""

from __future__ import annotations

import torch
from torch import Tensor

from consingan.images.warp import random_warp, warped
from consingan.methods.pairing import Pair
from consingan.methods.pairs import PairConfig

Size = tuple[int, int]

WARPED = 0.99  # share of the iterations (Vinker et al. 2021)


def drawn(pair: Pair, rng: torch.Generator, config: PairConfig) -> tuple[Tensor, Tensor]:
    """A and B as one iteration sees them: mirrored, bent, pieces laid elsewhere, A recolored.

    Not a layout, whose colors are names: others would be wrong ones.
    """
    condition, image = pair.condition, pair.image
    chance = torch.rand(4, generator=rng).tolist()
    if config.flips and chance[0] < 0.5:
        condition, image = condition.flip(3), image.flip(3)
    if config.warps and chance[1] < WARPED:
        read = random_warp((image.shape[-2], image.shape[-1]), rng)
        condition, image = warped(condition, read, pair.labels), warped(image, read)
    if chance[2] < config.cutmix:
        box, shift = _piece((image.shape[-2], image.shape[-1]), rng)
        condition, image = (_laid(x, box, shift) for x in (condition, image))
    if config.jitter and not pair.labels:
        gain, offset = (2 * torch.rand(2, 3, generator=rng) - 1)[:, None, :, None, None]
        changed = condition * (1 + config.jitter * gain).to(condition)
        condition = (changed + config.jitter * offset.to(condition)).clamp(-1, 1)
    return condition, image


def _piece(size: Size, rng: torch.Generator) -> tuple[tuple[slice, slice], tuple[int, int]]:
    """A rectangle of an eighth to three eighths of the sides, and how far the source lies."""
    spans, shifts = [], []
    for side in size:
        length = side // 8 + int(torch.randint(max(side // 4, 1), (1,), generator=rng))
        start = int(torch.randint(side - length + 1, (1,), generator=rng))
        spans.append(slice(start, start + length))
        shifts.append(int(torch.randint(side, (1,), generator=rng)))
    return (spans[0], spans[1]), (shifts[0], shifts[1])


def _laid(x: Tensor, box: tuple[slice, slice], shift: tuple[int, int]) -> Tensor:
    mixed = x.clone()
    mixed[..., box[0], box[1]] = x.roll(shift, (2, 3))[..., box[0], box[1]]
    return mixed
