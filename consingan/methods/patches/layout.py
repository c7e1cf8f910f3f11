"""Denoisers that keep a layout: mirrored canvases and tiles (the paper's constrained sampling)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from consingan.methods.patches.denoiser import Denoiser
from consingan.methods.patches.pyramid import Wrap

Side = Literal["left", "right", "top", "bottom"]


def mirror(x: Tensor, source: Side) -> Tensor:
    """One half of (C, H, W) mirrored onto the other; the middle line of an odd size stays."""
    axis = 2 if source in ("left", "right") else 1
    half = x.shape[axis] // 2
    flipped = x.flip(axis)
    out = x.clone()
    start = x.shape[axis] - half if source in ("left", "top") else 0
    out.narrow(axis, start, half).copy_(flipped.narrow(axis, start, half))
    return out


def laid_around(symmetric: str, seamless: Wrap) -> Callable[[int, Denoiser], Denoiser]:
    """What is laid around a scale's denoiser.

    Args:
        symmetric: a side, or "none".
        seamless: where a canvas that ends is to fit its other end: vertically, horizontally.
    """
    if symmetric != "none":
        return lambda _, denoise: Mirrored(denoise, symmetric)  # type: ignore[arg-type]
    if any(seamless):
        return lambda _, denoise: Shifted(denoise, *seamless)
    return lambda _, denoise: denoise


@dataclass(frozen=True)
class Mirrored:
    """A denoiser whose every result is mirrored, so that the noise is measured against it."""

    denoise: Denoiser
    source: Side

    def __call__(self, x: Tensor, alpha: float, sigma: float) -> Tensor:
        """The mirrored expected canvas."""
        return mirror(self.denoise(x, alpha, sigma), self.source)


@dataclass(frozen=True)
class Shifted:
    """A denoiser that sees the canvas rolled by half in several ways: tiles without a seam.

    Of each way only what lies far from the rolled canvas's border is kept. `shifts` 4 leaves out
    the corners' mean of two that the paper's 3 have; in one direction there are 2.
    """

    denoise: Denoiser
    vertical: bool = True
    horizontal: bool = True
    shifts: int = 4

    def __call__(self, x: Tensor, alpha: float, sigma: float) -> Tensor:
        """The sum over the shifts of mask * un-rolled denoise(rolled x)."""
        total = torch.zeros_like(x)
        for (down, right), mask in self._views(x):
            rolled = torch.roll(x, (down, right), (1, 2))
            clean = self.denoise(rolled, alpha, sigma)
            total += mask * torch.roll(clean, (-down, -right), (1, 2))
        return total

    def _views(self, x: Tensor) -> Sequence[tuple[tuple[int, int], Tensor]]:
        height, width = x.shape[1:]
        row = _middle(height, x)[:, None] if self.vertical else x.new_ones(1, 1)
        column = _middle(width, x)[None] if self.horizontal else x.new_ones(1, 1)
        down, right = height // 2, width // 2
        if not (self.vertical and self.horizontal):
            roll = (down, 0) if self.vertical else (0, right)
            return [((0, 0), row * column), (roll, 1 - row * column)]
        if self.shifts == 4:
            return [
                ((0, 0), row * column),
                ((0, right), row * (1 - column)),
                ((down, 0), (1 - row) * column),
                ((down, right), (1 - row) * (1 - column)),
            ]
        corner = (1 - row) * (1 - column) / 2
        return [
            ((0, 0), row * column),
            ((0, right), row * (1 - column) + corner),
            ((down, 0), (1 - row) * column + corner),
        ]


def _middle(n: int, like: Tensor) -> Tensor:
    """1 in [n // 4, 3 n // 4), else 0."""
    mask = like.new_zeros(n)
    mask[n // 4 : 3 * n // 4] = 1
    return mask


def opened(canvas: Tensor, wrap: Wrap) -> Tensor:
    """A canvas (C, H, W) that goes on at its other end, opened where its lines differ least.

    All its rolls are the same tiling; a border that runs along quiet lines is the easiest to use.
    """
    for axis, endless in zip((1, 2), wrap, strict=True):
        if endless:
            step = (canvas - canvas.roll(1, axis)).abs().mean((0, 3 - axis))
            canvas = canvas.roll(-int(step.argmin()), axis)
    return canvas
