"""What a composite is: a picture of the user's own, what became of it, and both blended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from consingan.images import masks
from consingan.images.resize import resize_to, resized_strips

STRIP = 2**20  # px of a strip at the naive image's own size

Size = tuple[int, int]


@dataclass(frozen=True)
class Composite:
    """One picture worked on by a model; all (1, 3, h, w) in [-1, 1] but for the masks.

    Attributes:
        naive: the user's picture at its own size, as given.
        small: the same at the training size.
        mask: (1, 1, h, w) in [0, 1] at the training size; None means everywhere.
        result: what the model makes of it, the whole picture.
        blended: the result inside the softened mask, the naive image elsewhere.
        soft: (1, 1, h, w) in [0, 1] the softened mask at the naive image's own size.
        detailed: the result at that size with fine detail where it is seen; None: it gets none.
        sheet: (start stage, result) pairs, one for each start stage, that of `result` first.
        below: what is seen through a soft mask, the naive image without what lies in a hole; None:
            the naive image.
    """

    naive: Tensor
    small: Tensor
    mask: Tensor | None
    result: Tensor
    blended: Tensor
    soft: Tensor | None = None
    detailed: Tensor | None = None
    sheet: Sequence[tuple[int, Tensor]] = field(default_factory=tuple)
    below: Tensor | None = None

    @property
    def full_size(self) -> Size:
        """(h, w) in px of the naive image."""
        return self.naive.shape[-2], self.naive.shape[-1]

    @property
    def full(self) -> Tensor:
        """The result at the naive image's own size."""
        if self.detailed is not None:
            return self.detailed
        return resize_to(self.result, self.full_size).clamp(-1, 1)

    @property
    def full_blended(self) -> Tensor:
        """The same inside the softened mask, the naive image's very pixels elsewhere."""
        if self.soft is None:
            return self.full
        return masks.composite(self._background, self.full, self.soft)

    def full_strips(self) -> Iterator[Tensor]:
        """`full` from the top, (1, 3, rows, w) at a time."""
        rows = max(1, STRIP // self.full_size[1])
        if self.detailed is not None:
            yield from self.detailed.split(rows, 2)
            return
        for strip in resized_strips(self.result, self.full_size, rows):
            yield strip.clamp(-1, 1)

    def blended_strips(self) -> Iterator[Tensor]:
        """`full_blended` likewise."""
        top = 0
        for strip in self.full_strips():
            rows, top = slice(top, top + strip.shape[2]), top + strip.shape[2]
            if self.soft is not None:
                mask = self.soft[:, :, rows]
                strip = masks.composite(self._background[:, :, rows], strip, mask)
            yield strip

    @property
    def _background(self) -> Tensor:
        return self.naive if self.below is None else self.below
