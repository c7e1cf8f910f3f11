"""A hole in a picture: where it is, and the picture without what lies in it.

A hole is (1, 1, H, W) float32, 1 inside and 0 where the picture is known, nothing between.
"""

from __future__ import annotations

import re

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.errors import UserError
from consingan.images.levels import percent
from consingan.images.mask_files import Mask, fit_mask, read_mask_file
from consingan.images.masks import with_lost
from consingan.images.names import refuse_unknown_word, shown
from consingan.images.picture import Picture
from consingan.images.resize import Size, same_shape
from consingan.settings.hole import COLOR

ALPHA = "alpha"
WORDS = "a picture that is white where the hole is, alpha, or auto_color:R,G,B"
NEAR = 32 / 255  # in [-1, 1], 16 of 256 levels: as much JPEG scatters a color
RIM = 2  # px around what is of that color: softened edges of a pen
MOST = 0.5  # share of a picture that a hole may take
BLACK, WHITE = 0.02, 0.98
HALF = 0.5  # of a mask's white, from which a pixel lies in the hole proper
FAINT = 0.25  # above it a pixel is no longer known; JPEG's noise in black does not reach it
RELAXED = 30  # steps of a smooth fill at every size
FAINTEST = 0.005  # share of a small pixel that a hole covers from which it is part of the hole


def by_color(words: str) -> bool:
    """Whether a hole is what has a color."""
    return words.partition(":")[0].partition(" ")[0] == COLOR


def read_hole(words: str, picture: Picture, seen: Tensor | None = None) -> Mask:
    """The hole that the user means, at the picture's size, with what is to be said of it.

    Args:
        words: the file of a mask, "alpha" or "auto_color:R,G,B".
        picture: that has the hole.
        seen: (1, 3, H, W) in [-1, 1], the picture as other programs show it, where that differs.

    Raises:
        UserError: the mask is missing, empty, full, of another shape, or takes more than is left.
    """
    found = _found(words, picture, seen)
    share = float(found.values.double().mean())
    if share == 0:
        raise UserError(f"--mask {shown(words)} marks nothing; a hole is white on black.")
    if share == 1:
        raise UserError(
            f"--mask {shown(words)} marks the whole picture, so nothing is known; mark the hole "
            "alone, white on black."
        )
    if share > MOST:
        raise UserError(
            f"--mask {shown(words)} marks {percent(share)} of the picture, more than is left to "
            "learn from; mark less, or invert the mask if black is the hole."
        )
    return found


def _found(words: str, picture: Picture, seen: Tensor | None) -> Mask:
    if words == ALPHA:
        return _transparent(picture)
    if by_color(words):
        first = None if seen is None else _of_color(words, seen)
        return first if first and bool(first.values.any()) else _of_color(words, picture.image)
    return _from_file(words, picture)


def _transparent(picture: Picture) -> Mask:
    if picture.alpha is None:
        raise UserError(
            "--mask alpha: the picture has no transparent pixels; erase the hole in a paint "
            "program and save as PNG."
        )
    return Mask((picture.alpha < 1).float(), ("What is transparent is the hole.",))


def _of_color(words: str, image: Tensor) -> Mask:
    match = re.fullmatch(COLOR + r"[: ](\d+),(\d+),(\d+)", words)
    levels = [int(number) for number in match.groups()] if match else []
    if not match or max(levels) > 255:
        raise UserError(
            f"--mask {shown(words)} must be auto_color:R,G,B with three numbers from 0 to 255, for "
            "example auto_color:255,0,0."
        )
    color = torch.tensor(levels).view(1, 3, 1, 1) / 127.5 - 1
    near = ((image - color.to(image)).abs().amax(1, keepdim=True) <= NEAR).float()
    if not near.any():
        raise UserError(
            f"--mask {shown(words)} marks nothing: no pixel has nearly that color; name the one "
            "that is painted, or paint in a color that the picture has not."
        )
    said = f"The hole is what is nearly {','.join(map(str, levels))}, and {RIM} px around."
    return Mask(F.max_pool2d(near, 2 * RIM + 1, 1, RIM), (said,))


def _from_file(words: str, picture: Picture) -> Mask:
    refuse_unknown_word("mask", words, WORDS)
    mask = read_mask_file(words, (picture.image,))
    notes, values = mask.notes, mask.values
    if bool(((values > BLACK) & (values < WHITE)).any()):
        notes = (*notes, "The mask is gray in part: what is half white or more is the hole.")
    hole = (values >= HALF).float()
    size, own = picture.size, (hole.shape[-2], hole.shape[-1])
    if own == size:
        return Mask(hole, notes)
    if not same_shape(own, size):
        fit_mask(Mask(hole), size)  # refuses it in a sentence
    said = f"The mask is brought from {own[1]}x{own[0]} to {size[1]}x{size[0]} px (nearest pixels)."
    fitted = with_lost(F.interpolate(hole, size, mode="nearest-exact"), hole)
    return Mask(fitted, (*notes, said))


def hole_at(hole: Tensor, size: Size) -> Tensor:
    """The hole at another size: every pixel that would have a part of it, be it ever so small."""
    if tuple(hole.shape[-2:]) == tuple(size):
        return hole
    soft = F.interpolate(hole, size, mode="bicubic", antialias=True, align_corners=False)
    return with_lost((soft.abs() > FAINTEST).to(hole), hole)


def meant_by(mask: Tensor) -> Tensor:
    """The hole of a mask in [0, 1], which may be soft: what it does not leave mostly known.

    A fainter pixel beside one of the hole proper is an antialiased edge: what it shows is in part
    what the hole is to be rid of.
    """
    rim = (F.max_pool2d(mask, 3, 1, 1) >= HALF) & (mask > BLACK)
    return ((mask > FAINT) | rim).to(mask)


def emptied(image: Tensor, hole: Tensor) -> Tensor:
    """The picture (N, C, H, W) with its hole, a membrane spanned between what is known.

    Means of what is known at half the size, and so on, each made smooth before it is enlarged: no
    pixel of the hole matters, bit for bit.

    Args:
        image: any numbers.
        hole: (N or 1, 1, H, W), of any type, above 0 inside.
    """
    inside = hole > 0
    return torch.where(inside, _spanned(torch.where(inside, 0, image), (~inside).to(image)), image)


def emptied_by_1_2(image: Tensor, hole: Tensor) -> Tensor:
    """The same as release 1.2 did it, which relaxed nothing: its runs are trained on that."""
    inside = hole > 0
    known = (~inside).to(image)
    return torch.where(inside, _spanned(torch.where(inside, 0, image), known, 0), image)


def _spanned(total: Tensor, weight: Tensor, relaxed: int = RELAXED) -> Tensor:
    """Total / weight, and where the weight is 0 the same at half the size, relaxed."""
    value = total / weight.clamp_min(1e-6)
    if min(total.shape[2:]) == 1 or bool((weight > 0).all()):
        return value
    half, share = (F.avg_pool2d(x, 2, ceil_mode=True) for x in (total, weight))
    below = _spanned(half, share, relaxed)
    up = F.interpolate(below, size=total.shape[2:], mode="bilinear")
    value = torch.where(weight > 0, value, up)
    for _ in range(relaxed):  # Jacobi's steps towards the solution of Laplace's equation
        around = F.pad(value, (1, 1, 1, 1), mode="replicate")
        mean = around[..., :-2, 1:-1] + around[..., 2:, 1:-1] + around[..., 1:-1, :-2]
        mean = (mean + around[..., 1:-1, 2:]) / 4
        value = torch.where(weight > 0, value, mean)
    return value
