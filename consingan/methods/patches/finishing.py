"""How much of a picture is made anew: no more than leaves it what it is, seen from afar.

What the coarsest scale makes of a picture decides where things are. Where that is too far from
the picture, the scale is made again with less noise, before the finer ones follow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from torch import Tensor

from consingan.methods.patches.engines import ClosedFormEngine, FastEngine
from consingan.methods.patches.entry import COARSEST, Door, entered
from consingan.methods.patches.pyramid import Size, Wrap, build_pyramid, resize, size_of
from consingan.methods.patches.sampling import Canvas, SeededNoise

AFAR = 8  # px of the shorter side at which a picture and what became of it are compared
SHARES = (1.0, 0.9, 0.8)  # of the level, one after another
GRAY_LEVEL = 2 / 255


@dataclass(frozen=True)
class Limit:
    """How far a picture may go.

    Attributes:
        within: root mean square of the change, in standard deviations of the image, above 0.
        own: the picture (C, h, w) in [-1, 1].
        real: the image (C, H, W).
        wrap: where the picture goes on at its other end.
    """

    within: float
    own: Tensor
    real: Tensor
    wrap: Wrap

    def keeps(self, made: Tensor) -> bool:
        """Whether what became of the picture, (C, h', w') of its shape, is near enough."""
        size = afar(size_of(made))
        change = resize(made, size, self.wrap) - resize(self.own, size, self.wrap)
        return float(change.square().mean().sqrt()) <= self.within * self._spread

    @property
    def _spread(self) -> float:
        image = resize(self.real, afar(size_of(self.real)))
        centered = image - image.mean((1, 2), keepdim=True)
        return max(float(centered.square().mean().sqrt()), GRAY_LEVEL)


def afar(size: Size) -> Size:
    """(h, w) reduced to `AFAR`; what is smaller stays."""
    share = min(1.0, AFAR / min(size))
    return round(size[0] * share), round(size[1] * share)


Prepared = Callable[[], tuple[Canvas, FastEngine | ClosedFormEngine]]
"""What is made and by what, the same each time."""


def begun(
    prepared: Prepared, own: Tensor, noise: tuple[int, int], level: float
) -> Iterator[Tensor]:
    """What becomes of a picture scale by scale, from the coarsest on.

    Args:
        prepared: what is made and by what.
        own: the picture (C, h, w) in [-1, 1].
        noise: seed and index.
        level: how much is made anew, above 0 to 1.
    """
    canvas, engine = prepared()
    pyramid = build_pyramid(own, canvas.sizes, canvas.wrap)
    drawn = SeededNoise(*noise, canvas.sizes, own)
    return entered(canvas, engine, drawn, pyramid, Door(COARSEST, level))


def finished(
    prepared: Prepared, own: Tensor, noise: tuple[int, int], level: float, limit: Limit | None
) -> Tensor:
    """What becomes of a picture at the finest scale, (C, h, w); arguments as `begun` has them.

    It begins again with less noise where the coarsest scale goes beyond the limit, at last with
    least; None: there is no limit.
    """
    for share in SHARES:
        way = begun(prepared, own, noise, share * level)
        made = next(way)
        if limit is None or limit.keeps(made):
            break
    return deque(chain([made], way), maxlen=1).pop()
