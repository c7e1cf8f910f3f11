"""A closed walk through the noise: the start noise of every scale goes round a circle.

Every frame starts from the same matches (those of the picture itself), so that what moves is what
the noise moves; frames are averaged with their neighbors in time, which takes the last jumps of
single patches away.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import Tensor

from consingan.methods.patches.sampling import Noise

WALK_SCALE = 2
"""Films enter at the second coarsest scale: things move, the layout stays."""
KERNEL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


@dataclass(frozen=True)
class TurnedNoise:
    """cos(2 pi turn) * one + sin(2 pi turn) * other: standard normal at every turn."""

    one: Noise
    other: Noise
    turn: float

    def start(self, scale: int) -> Tensor:
        """What scale `scale` starts from."""
        return self._mixed(self.one.start(scale), self.other.start(scale))

    def fresh(self, scale: int, t: int) -> Tensor:
        """Z of step t."""
        return self._mixed(self.one.fresh(scale, t), self.other.fresh(scale, t))

    def _mixed(self, one: Tensor, other: Tensor) -> Tensor:
        angle = 2 * math.pi * self.turn
        return math.cos(angle) * one + math.sin(angle) * other


def turns(beta: float, count: int) -> int:
    """Rounds of the circle in a film of `count` frames: 1 for a smoothness of 0.9 and more.

    10 for none, but a round has as many frames as `KERNEL` at least: the mean of whole rounds, or
    of there and back, would stand still.
    """
    return max(1, min(round(10 * (1 - beta)), count // len(KERNEL)))


def smoothed(frames: Iterable[Tensor], count: int) -> Iterator[Tensor]:
    """Each of `count` frames averaged with two on either side, the film being closed.

    It begins with the third, the first that has two before it.
    """
    half = len(KERNEL) // 2
    if count < len(KERNEL):
        yield from frames
        return
    source = iter(frames)
    first = [next(source) for _ in range(2 * half)]  # wanted again at the end
    recent = list(first)
    for _ in range(half, count - half):
        recent.append(next(source))
        yield _mean(recent)
        recent.pop(0)
    around = [*recent, *first]
    for number in range(2 * half):
        yield _mean(around[number : number + len(KERNEL)])


def _mean(frames: list[Tensor]) -> Tensor:
    total = KERNEL[0] * frames[0]
    for weight, frame in zip(KERNEL[1:], frames[1:], strict=True):
        total = total + weight * frame
    return total
