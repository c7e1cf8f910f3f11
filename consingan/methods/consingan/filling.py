"""Fill a hole: noise in it, the picture around it, and what the generator makes of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.errors import UserError
from consingan.images.hole import emptied, hole_at
from consingan.images.patch_fill import seamless
from consingan.images.resize import resize_to
from consingan.images.smooth import softened
from consingan.methods.holes import Holed
from consingan.nn import noise
from consingan.nn.architecture import Architecture
from consingan.nn.noise_field import whole
from consingan.nn.regions import EVERYTHING, Around, Region

if TYPE_CHECKING:
    from consingan.methods.consingan.model import ConSinGAN

Size = tuple[int, int]

SMOOTH = 0.6
"""Share of what goes on smoothly at the edge of a fill: without it the seams of two were 2.2 and
1.8 and their PSNR 15.5 and 14.6 dB, with it 1.1 and 0.9, 15.9 and 14.8 dB."""


def regions_of(
    holed: Holed | None, sizes: list[Size], shape: Architecture, device: torch.device
) -> list[Region]:
    """What counts at each stage.

    Raises:
        UserError: at one of them the discriminator finds no place without a pixel of the hole.
    """
    if holed is None:
        return [EVERYTHING] * len(sizes)
    found: list[Region] = []
    for size in sizes:
        region = Around.of(holed.at(size).to(device), shape)
        if not len(region.seen):
            raise UserError(
                f"At {size[1]}x{size[0]} px the hole leaves no place that the discriminator could "
                "learn from; use a larger --min_size or a smaller hole."
            )
        found.append(region)
    return found


@torch.no_grad()
def fill(model: ConSinGAN, image: Tensor, mask: Tensor, seed: int) -> Tensor:
    """`image` (1, 3, H, W) with a hole made anew, (1, 3, h, w) on the CPU.

    Around the hole the fixed noise holds the picture, in it the noise is that of `seed`. What is
    made is moved at the seam to what lies around it, and mixed with what goes on smoothly there.
    """
    sizes, fixed = model.sizes, model.fixed_noises
    image = emptied(image.to(model.device), mask.to(model.device))
    rng = noise.stream(seed, "fill", device=model.device)
    start = in_hole(resize_to(image, sizes[0]).clamp(-1, 1), hole_at(mask, sizes[0]), rng)
    noises = [start]
    for size, z in zip(sizes[1:], map(whole, fixed[1:]), strict=True):
        frame = (z.shape[-1] - size[1]) // 2
        hole = F.pad(hole_at(mask, size).to(z), (frame,) * 4)
        noises.append(torch.where(hole > 0, noise.gaussian(z.shape, rng), z))
    made = model.generator(noises, model.amplitudes)
    own = resize_to(image, sizes[-1]).clamp(-1, 1)
    hole = hole_at(mask, sizes[-1]).to(own)
    return softened(seamless(made, own, hole), hole, SMOOTH).cpu()


def in_hole(image: Tensor, hole: Tensor, rng: torch.Generator) -> Tensor:
    """The picture with N(0, 1) in the hole."""
    return torch.where(hole.to(image) > 0, noise.gaussian(image.shape, rng, image.device), image)
