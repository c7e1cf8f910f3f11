"""The picture that patches are taken from, at every scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from consingan.errors import UserError
from consingan.methods.patches.config import LEAST_PATCH
from consingan.methods.patches.index import Index, build_index
from consingan.methods.patches.pyramid import (
    Size,
    build_pyramid,
    scale_count,
    scale_sizes,
    size_of,
)
from consingan.methods.patches.recipe import Recipe
from consingan.methods.patches.windows import cut
from consingan.nn.noise import stream

WITHIN = "Within --max_size the picture"  # a long strip may be wide enough in its file


@dataclass
class Source:
    """The pyramid of a picture; what an engine needs of a scale is made when it is first needed.

    Attributes:
        pyramid: pictures (C, h, w), finest first.
        patch: p in px.
    """

    pyramid: Sequence[Tensor]
    patch: int
    _patches: dict[int, Tensor] = field(default_factory=dict)
    _indices: dict[int, Index] = field(default_factory=dict)

    @property
    def scales(self) -> int:
        """S."""
        return len(self.pyramid)

    @property
    def held(self) -> int:
        """Bytes of the patches that are kept whole."""
        return sum(x.numel() * x.element_size() for x in self._patches.values())

    def patches(self, scale: int) -> Tensor:
        """Every patch of a scale, (N, D)."""
        if scale not in self._patches:
            self._patches[scale] = cut(self.pyramid[scale], self.patch)
        return self._patches[scale]

    def index(self, scale: int) -> Index:
        """Every patch of a scale in a few dimensions."""
        if scale not in self._indices:
            rng = stream("patches", "basis", scale)
            self._indices[scale] = build_index(self.pyramid[scale], self.patch, rng)
        return self._indices[scale]


def scales_for(sizes: Sequence[Size], recipe: Recipe) -> int:
    """S for pictures of `sizes` (h, w): the recipe's, or as many as its floor asks for."""
    return recipe.scales or scale_count(sizes, recipe.floor, recipe.patch)


def least_side(scales: int, recipe: Recipe) -> int:
    """The shortest side in px with which the coarsest of so many scales is as large as a patch."""
    return (recipe.patch - 1) * int(2 ** (scales - 1)) + 1


def source_of(image: Tensor, scales: int, recipe: Recipe) -> Source:
    """The pyramid of a picture (C, H, W).

    Raises:
        UserError: the picture is smaller than a patch at some scale.
    """
    sizes = canvas_sizes(size_of(image), scales, recipe, WITHIN)
    return Source(build_pyramid(image, sizes), recipe.patch)


def canvas_sizes(size: Size, scales: int, recipe: Recipe, what: str) -> list[Size]:
    """Size of each scale, finest first.

    Raises:
        UserError: a scale is smaller than a patch; the sentence begins with `what`.
    """
    if min(size) < recipe.patch:
        smaller = ", or train with --method patches and a smaller --patch"
        raise UserError(
            f"{what} of {size[1]}x{size[0]} px (WxH) is smaller than a patch of {recipe.patch} "
            f"px; use a larger one{smaller if min(size) >= LEAST_PATCH else ''}."
        )
    sizes = scale_sizes(size, scales, recipe.floor)
    if min(sizes[-1]) < recipe.patch:
        least = least_side(scales, recipe)
        raise UserError(
            f"{what} is {sizes[-1][1]}x{sizes[-1][0]} px (WxH) at its coarsest scale, smaller "
            f"than a patch of {recipe.patch} px; it takes {least} px or more on each "
            "side, or a smaller --patch."
        )
    return sizes
