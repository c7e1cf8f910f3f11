"""Training on windows of a large picture: where they lie, and what an iteration sees.

Stages of more pixels than `WHOLE_WINDOWS` windows are trained on one window an iteration, so that
an iteration takes the same time and memory whatever the picture's size. Windows come in rounds: a
round covers the picture with windows that overlap here and there, at random, so that every pixel is
seen in each round and what lies at one window's edge lies inside of a later one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.draws import Sight
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.windows import Part, Windowed, part_of, parts
from consingan.nn.noise import derive_seed, stream
from consingan.nn.noise_field import Box, NoiseField
from consingan.nn.regions import EVERYTHING, Region

Size = tuple[int, int]
WHOLE_WINDOWS = 4  # a picture of so many windows' pixels is still trained on whole


@dataclass(frozen=True)
class Crops:
    """How one stage is trained on windows.

    Attributes:
        config: of the training.
        sizes: (h, w) of the stages up to this one.
    """

    config: ConSinGANConfig
    sizes: Sequence[Size]

    @property
    def size(self) -> Size:
        """(h, w) of every window."""
        height, width = self.sizes[-1]
        return min(self.config.crop, height), min(self.config.crop, width)

    @property
    def stage(self) -> int:
        """Its number, from 0."""
        return len(self.sizes) - 1

    def fixed_noise(self, shape: Sequence[int], device: torch.device) -> NoiseField:
        """The stage's fixed z of `shape` (1, C, h, w)."""
        seed = derive_seed(self.config.manual_seed, "fixed field", self.stage)
        return NoiseField.shaped(seed, shape, device)

    def window(self, number: int) -> Box:
        """Rows and columns that iteration `number` sees, counted through all attempts."""
        keys = (self.config.manual_seed, "windows", self.stage)
        height, width = self.size
        here, place = divmod(number, self.windows_in_a_round)
        rng = stream(*keys, here)
        rows, columns = (_line(n, side, rng) for n, side in self._sides)
        order = torch.randperm(self.windows_in_a_round, generator=rng)
        row, column = divmod(int(order[place]), len(columns))
        top, left = rows[row], columns[column]
        return (top, top + height), (left, left + width)

    @property
    def windows_in_a_round(self) -> int:
        """After so many iterations every pixel has been seen."""
        return math.prod(_count(n, side) for n, side in self._sides)

    @property
    def _sides(self) -> list[tuple[int, int]]:
        return list(zip(self.sizes[-1], self.size, strict=True))

    def parts(self, window: Box) -> list[Part]:
        """What `window` needs of each stage."""
        return parts(self.config.architecture, self.config.border, self.sizes, window)

    def shapes(self, sight: Sight) -> list[tuple[int, ...]]:
        """Of the random noises of what an iteration sees; where ends meet no more than once around.

        `spread` makes of them what the window needs.
        """
        found: list[tuple[int, ...]] = []
        for z, size in zip(sight.fixed, self.sizes, strict=True):
            sides = zip(z.shape[-2:], size, self.config.wraps, strict=True)
            found.append((*z.shape[:2], *(min(n, m) if wrapped else n for n, m, wrapped in sides)))
        return found

    def spread(self, noises: Sequence[Tensor], sight: Sight) -> list[Tensor]:
        """Noises of `shapes` going on around the ring as far as the window sees."""
        return [
            part_of(drawn, ((0, z.shape[-2]), (0, z.shape[-1])))
            for drawn, z in zip(noises, sight.fixed, strict=True)
        ]

    def sight(
        self,
        generator: Generator,
        real: Tensor,
        fixed: Sequence[Tensor | NoiseField],
        number: int,
        region: Region = EVERYTHING,
    ) -> Sight:
        """What iteration `number` sees of `real` and of the fixed noises of all stages.

        `region` is what counts of `real`. Where nothing does in a window the next one is taken.
        """
        box = self.window(number)
        while (part := region.part(box, self.config.architecture)) is None:
            number += 1
            box = self.window(number)
        needed = self.parts(box)
        first, *later = fixed
        assert isinstance(first, Tensor)
        seen = [part_of(z, part.noise) for z, part in zip(later, needed[1:], strict=True)]
        return Sight(Windowed(generator, needed, box), part_of(real, box), [first, *seen], part)


def crops_of(config: ConSinGANConfig, sizes: Sequence[Size]) -> Crops | None:
    """How the last of the stages of `sizes` (h, w) is trained on windows; None: on the whole."""
    height, width = sizes[-1]
    if not config.crop or len(sizes) == 1 or height * width <= WHOLE_WINDOWS * config.crop**2:
        return None
    return Crops(config, tuple(sizes))


def _count(length: int, side: int) -> int:
    """How many windows of `side` px cover a line of `length` px and half a window more."""
    return 1 if side >= length else math.ceil(length / side + 0.5)


def _line(length: int, side: int, rng: torch.Generator) -> list[int]:
    """Where windows of `side` px begin that cover a line of `length` px, at random.

    What there is to spare is spread over the overlaps; none goes beyond the line's ends.
    """
    count = _count(length, side)
    spare = torch.randint(0, max(count * side - length, 0) + 1, (count,), generator=rng).sort()[0]
    spare[0], spare[-1] = 0, max(count * side - length, 0)
    firsts = (k * side - int(before) for k, before in enumerate(spare))
    return [min(max(first, 0), length - side) for first in firsts]
