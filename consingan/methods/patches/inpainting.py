"""Filling a hole: what is known is kept, patches of the hole are never used.

Coarse to fine, as everywhere here, but with nothing drawn: each window that touches the hole takes
the known patch nearest to it, the hole becomes what these patches agree on (`gap`), and again. The
coarsest scale begins with a smooth fill. With noise, as a sample begins, the layout was often
another one than the surroundings ask for. The finest scale has smaller patches than the others:
these find the layout, those the texture. Last the rim is softened (`rim`).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.images.difference import mask_from_difference
from consingan.images.hole import emptied, hole_at, meant_by
from consingan.images.resize import resize_to
from consingan.methods.patches.fast import carried
from consingan.methods.patches.gap import Gap
from consingan.methods.patches.holes import hole_sizes, scales_around
from consingan.methods.patches.pyramid import Size, build_pyramid, resize, scale_sizes, size_of
from consingan.methods.patches.rim import softened
from consingan.methods.patches.windows import Windows
from consingan.nn.noise import stream

FLOOR = 24
ROUNDS = (12, 6)
"""At the coarsest and at finer scales."""
NEAR = 0.25
"""What a match across the whole picture costs, as mean squared difference of colors in [-1, 1]."""
LEVEL = 0.05
"""Noise on the smooth fill that the coarsest scale begins with: seeds give different fills."""
ALL = 2**24
"""So many pairs of window and patch are compared; above, carried and neighboring patches only."""
FINER = 2  # px that patches of the finest scale are smaller
LEAST = 3  # px of a patch
STILL = 2e-3  # mean change of the hole's pixels below which a scale is finished


def unlike(image: Tensor, real: Tensor) -> Tensor:
    """(1, 1, h, w), 1 where `image` differs from `real`, both (1, 3, h, w) in [-1, 1].

    The mask of what differs ends half-way up an edge; a pixel farther out still shows a part of it.
    """
    return F.max_pool2d(mask_from_difference(image, real), 3, 1, 1)


def known(image: Tensor, mask: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """A picture and its hole at `size` (h, w): no pixel there saw what lies in the hole.

    Args:
        image: (1, C, H, W) in [-1, 1].
        mask: (1, 1, H', W') in [0, 1], white inside, of any size.
        size: px.

    Returns:
        (1, C, h, w) and (h, w), bool, where the picture is.
    """
    hole = meant_by(mask.float().cpu())  # not every torch makes a hole smaller on an Apple GPU
    away = hole_at(hole, size_of(image)).to(image)
    around = resize_to(emptied(image, away), size).clamp(-1, 1)
    return around, hole_at(hole, size)[0, 0].to(image.device) > 0


@dataclass(frozen=True)
class Filling:
    """A picture with a hole, made ready once for any number of fills.

    Attributes:
        gaps: the picture and its hole at every scale, finest first.
    """

    gaps: list[Gap]

    @classmethod
    def of(
        cls, image: Tensor, hole: Tensor, patch: int = 9, floor: int = FLOOR, near: float = NEAR
    ) -> Filling:
        """Of a picture (C, H, W) in [-1, 1] and a hole (H, W), bool.

        Args:
            image: the picture; what lies in the hole does not matter.
            hole: true inside.
            patch: px of all scales but the finest.
            floor: px of the coarsest scale's shorter side.
            near: see `NEAR`.

        Raises:
            UserError: the hole leaves no known patch.
        """
        floor = max(floor, patch)
        scales = scales_around(hole, floor, patch)
        sizes = scale_sizes(size_of(image), scales, floor)
        pictures = build_pyramid(emptied(image[None], hole[None, None])[0], sizes)
        holes = hole_sizes(hole, sizes)
        patches = [max(LEAST, patch - FINER), *[patch] * (scales - 1)]
        made = zip(pictures, holes, patches, strict=True)
        return cls([Gap.of(x, h, side, near) for x, h, side in made])

    def fill(self, seed: int, index: int = 0) -> Tensor:
        """Fill `index` of `seed`, (C, H, W); known pixels are the picture's to the bit."""
        rng = stream(seed, "patches", index, "fill")
        coarsest = self.gaps[-1]
        noise = torch.randn(coarsest.picture.shape, generator=rng).to(coarsest.picture)
        canvas = torch.where(coarsest.hole, coarsest.picture + LEVEL * noise, coarsest.picture)
        matches = coarsest.own()
        for scale in range(len(self.gaps) - 1, -1, -1):
            gap = self.gaps[scale]
            if gap is not coarsest:
                matches = _carried(matches, self.gaps[scale + 1], gap)
                up = resize(canvas, size_of(gap.picture))
                canvas = gap.voted(matches[gap.open], up)
            rounds = ROUNDS[0] if gap is coarsest else ROUNDS[1]
            canvas = _settled(gap, canvas, matches, rounds, rng)
        finest = self.gaps[0]
        return softened(finest, canvas, matches[finest.open])


def _settled(
    gap: Gap, canvas: Tensor, matches: Tensor, rounds: int, rng: torch.Generator
) -> Tensor:
    """The canvas (C, h, w) that is its patches' own mean; renews `matches` (N,)."""
    every = len(gap.open) * len(gap.free) <= ALL
    for _ in range(rounds):
        found = gap.looked_up(canvas) if every else gap.improved(canvas, matches, rng)
        matches[gap.open] = found
        before, canvas = canvas, gap.voted(found, canvas)
        if float((canvas - before).abs().sum()) < STILL * len(canvas) * int(gap.hole.sum()):
            break
    return canvas


def _carried(matches: Tensor, coarse: Gap, fine: Gap) -> Tensor:
    """Matches of all windows (N,) at the finer scale."""
    patch = fine.lines.patch
    matches = _narrowed(matches.view(coarse.lines.grid), (coarse.lines.patch - patch) // 2)
    windows = [Windows(size_of(gap.picture), patch) for gap in (coarse, fine)]
    grids = (matches.shape[0], matches.shape[1]), fine.lines.grid
    found = carried(matches, windows[0], windows[1], grids).flatten()
    carried_ = fine.own()
    carried_[fine.open] = fine.nearest[found[fine.open]]
    return carried_


def _narrowed(matches: Tensor, off: int) -> Tensor:
    """Matches of windows that are `off` px smaller on each side, (r, c) to (r + 2 off, c + 2 off).

    Each takes the match of the larger window that it lies in the middle of, at the border in.
    """
    rows, columns = matches.shape
    row, column = torch.meshgrid(
        *(torch.arange(n + 2 * off, device=matches.device) for n in (rows, columns)), indexing="ij"
    )
    inside = (row - off).clamp(0, rows - 1), (column - off).clamp(0, columns - 1)
    found = matches[inside]
    down, right = found // columns + row - inside[0], found % columns + column - inside[1]
    return down * (columns + 2 * off) + right
