"""What is trained of a picture: gray, RGB, RGB with opacity, or all bands of a file.

Pictures (N, C, H, W) in [-1, 1]. With opacity, the fourth channel, colors are multiplied by it:
where nothing is all four are -1. So what is resized, learned and mixed is the light that a pixel
adds, and no color of a transparent pixel can shine through an edge (Porter and Duff 1984).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from consingan.images.picture import Picture, is_flat, is_gray
from consingan.settings.reading import BANDS, GRAY, RGB, RGBA

LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601
LEAST, MOST = 0.02, 0.98  # opacity beyond which a network meant nothing or all


def natural(picture: Picture) -> str:
    """Which of `settings.reading.CHANNELS` a picture is."""
    if picture.bands is not None:
        return BANDS
    if picture.alpha is not None:
        return RGBA
    return GRAY if is_gray(picture.image) else RGB


def trained(picture: Picture, channels: str) -> Tensor:
    """A picture as it is trained, (1, C, H, W)."""
    if channels == GRAY:
        return _gray(picture.image)
    if channels == RGBA and picture.alpha is not None:
        unseen = (1 - picture.alpha) * (picture.background + 1)
        colors = (picture.image - unseen).clamp(-1, 1)
        return torch.cat([colors, 2 * picture.alpha - 1], 1)
    if channels == BANDS and picture.bands is not None:
        return picture.bands.image
    return picture.image


def consists_of(image: Tensor, channels: str) -> bool:
    """Whether a trained picture (1, C, H, W) can be of that kind."""
    counts = {GRAY: 1, RGB: 3, RGBA: 4}
    return image.shape[1] == counts.get(channels, image.shape[1])


def eye(real: Tensor, channels: str) -> Callable[[Tensor], Tensor]:
    """How a model's pictures are shown, see `seen`, all over what suits the trained one.

    Args:
        real: the trained picture, (1, C, H, W).
        channels: what they are.
    """
    return partial(seen, channels=channels, background=_background(real, channels))


def seen(image: Tensor, channels: str, background: float = 1.0) -> Tensor:
    """A trained picture for the eye, (N, 3, H, W): over one gray, of bands the first three."""
    count = image.shape[1]
    if channels == RGBA and count == 4:
        return (image[:, :3] + (1 - image[:, 3:]) * (background + 1) / 2).clamp(-1, 1)
    return image[:, :3] if count >= 3 else image[:, :1].expand(-1, 3, -1, -1)


def straight(image: Tensor) -> Tensor:
    """RGBA (1, 4, H, W) whose colors are not multiplied any more, for files.

    What is all but transparent, or all but opaque, becomes so: a network hits neither exactly.
    """
    alpha = (image[:, 3:].clamp(-1, 1) + 1) / 2
    light = (image[:, :3].clamp(-1, 1) + 1) / 2
    colors = torch.where(alpha < LEAST, 0, light / alpha.clamp(min=LEAST)).clamp(0, 1)
    clean = torch.where(alpha < LEAST, 0, torch.where(alpha > MOST, 1, alpha))
    return torch.cat([colors, clean], 1) * 2 - 1


def _background(real: Tensor, channels: str) -> float:
    """White, or black where white hides the trained picture, as in reading its file."""
    if channels != RGBA or real.shape[1] != 4:
        return 1.0  # nothing is seen of it
    white, black = (is_flat(seen(real, channels, background)) for background in (1.0, -1.0))
    return -1.0 if white and not black else 1.0


def _gray(image: Tensor) -> Tensor:
    """One channel of (1, 3, H, W): where all are alike that one to the bit, else the luminance."""
    first = image[:, :1]
    if bool((image[:, 1:] == first).all()):
        return first.clone()
    return (image * image.new_tensor(LUMINANCE)[None, :, None, None]).sum(1, keepdim=True)
