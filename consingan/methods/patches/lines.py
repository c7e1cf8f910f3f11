"""The patches of a picture without the matrix of them: a patch is p lines of p px."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.methods.patches.pyramid import Size, size_of


@dataclass(frozen=True)
class Lines:
    """All patches of a picture (C, H, W), numbered row by row of their upper left corners.

    Attributes:
        patch: p in px.
        grid: (rows, columns) of patches.
        rows: (H * W - p + 1, C * p), the p px of a line from each pixel on.
        width: W in px.
    """

    patch: int
    grid: Size
    rows: Tensor
    width: int

    @classmethod
    def of(cls, image: Tensor, patch: int, dtype: torch.dtype | None = None) -> Lines:
        """Those of a picture (C, H, W), kept in `dtype`, by default the picture's."""
        channels = len(image)
        height, width = size_of(image)
        flat = image.permute(1, 2, 0).to(dtype or image.dtype).contiguous().flatten()
        count = height * width - patch + 1
        rows = flat.as_strided((count, patch * channels), (channels, 1)).contiguous()
        return cls(patch, (height - patch + 1, width - patch + 1), rows, width)

    @property
    def channels(self) -> int:
        """C."""
        return self.rows.shape[1] // self.patch

    def numbers(self, patches: Tensor) -> Tensor:
        """Of patches (...) the numbers of their lines, (..., p)."""
        start = patches // self.grid[1] * self.width + patches % self.grid[1]
        return start[..., None] + torch.arange(self.patch, device=start.device) * self.width

    def pixels(self, patches: Tensor) -> Tensor:
        """Of patches (...) the numbers of their pixels in the picture, (..., p * p)."""
        steps = torch.arange(self.patch, device=patches.device)
        return (self.numbers(patches)[..., None] + steps).flatten(-2)

    def whole(self, patches: Tensor) -> Tensor:
        """Whole patches, (...) to (..., p * p, C)."""
        lines = self.rows[self.numbers(patches)]
        return lines.reshape(*patches.shape, self.patch**2, self.channels)
