"""The pyramid's sizes (paper, section 3; supplement), as the authors' program rounds them.

f is `scale_factor`, m and M the shorter and longer side of the file. N + 1 scales, coarse to fine;
scale i is the picture resized by r^(N - i), with r chosen so that the coarsest has `min_size`.
Everything in double precision as written: rounding decides whether a side has 25 or 26 px.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from consingan.errors import UserError

Size = tuple[int, int]

ENLARGEMENT_STEP = 2 ** (1 / 3)  # about which super-resolution enlarges at a time
LARGEST_USUAL = 8.5  # times that somebody enlarges a picture, with room for rounding
MOST_STEPS = 18  # of an enlargement, 64 times
USUAL_ENLARGEMENT = 4.0


@dataclass(frozen=True)
class Pyramid:
    """What of a picture is trained.

    Attributes:
        first: factor that brings the file to its training size.
        ratio: r, the exact factor between neighboring scales.
        sizes: (h, w) in px of scales 0..N, coarsest first.
    """

    first: float
    ratio: float
    sizes: tuple[Size, ...]

    @property
    def last(self) -> int:
        """N, the number of the finest scale."""
        return len(self.sizes) - 1

    def factor(self, scale: int) -> float:
        """What the picture at training size is resized by for `scale`."""
        return math.pow(self.ratio, self.last - scale)


def plan_pyramid(size: Size, scale_factor: float, min_size: int, max_size: int) -> Pyramid:
    """The pyramid of a picture of `size` (h, w) px.

    Raises:
        UserError: the picture is too small for two scales.
    """
    shorter, longer = min(size), max(size)
    scales = math.ceil(math.log(min_size / shorter, scale_factor)) + 1
    left_out = math.ceil(math.log(min(max_size, longer) / longer, scale_factor))
    return _pyramid(size, scales - left_out, min_size, max_size)


def plan_enlarging_pyramid(size: Size, step: float, min_size: int, max_size: int) -> Pyramid:
    """The pyramid for super-resolution in steps of `step` > 1.

    The authors round towards zero here and take the width where the longer side is meant, so that
    upright pictures get more scales.

    Raises:
        UserError: the picture is too small for two scales.
    """
    factor = 1 / step
    scales = int(math.log(min_size / min(size), factor)) + 1
    left_out = int(math.log(min(max_size, max(size)) / max(size[1], 1), factor))
    return _pyramid(size, scales - left_out, min_size, max_size)


def _pyramid(size: Size, last: int, min_size: int, max_size: int) -> Pyramid:
    first = min(max_size / max(size), 1.0)
    height, width = math.ceil(size[0] * first), math.ceil(size[1] * first)
    if last < 1:
        raise UserError(
            f"The image is {size[1]}x{size[0]} (WxH) and would be trained at {width}x{height}, "
            f"too small for a pyramid that begins at --min_size {min_size}; use a smaller "
            f"--min_size, a larger --max_size or a larger image."
        )
    ratio = math.pow(min_size / min(height, width), 1 / last)
    factors = [math.pow(ratio, last - scale) for scale in range(last + 1)]
    return Pyramid(
        first, ratio, tuple((math.ceil(height * f), math.ceil(width * f)) for f in factors)
    )


@dataclass(frozen=True)
class Enlargement:
    """How super-resolution by `factor` is cut into `steps` enlargements by `step` each."""

    factor: float
    steps: int
    step: float

    def sizes(self, size: Size) -> list[Size]:
        """(h, w) after each step, from a picture of `size`."""
        found = []
        for _ in range(self.steps):
            size = (math.ceil(size[0] * self.step), math.ceil(size[1] * self.step))
            found.append(size)
        return found

    def output(self, size: Size) -> Size:
        """(h, w) of the result, cut from the last step's."""
        return int(self.factor * size[0]), int(self.factor * size[1])


def plan_enlargement(factor: float) -> Enlargement:
    """Steps of about 2^(1/3) that multiply to `factor` > 1 (paper, section 4)."""
    # Factors below 1.13, which the authors' program divides by zero for, take one step.
    steps = max(round(math.log(1 / factor) / math.log(1 / ENLARGEMENT_STEP)), 1)
    return Enlargement(factor, steps, math.pow(factor, 1 / steps))


def enlargement_in_steps_of(scale_factor: float) -> float | None:
    """The factor of the super-resolution that trains with `scale_factor`, the step's inverse.

    Compared with the six decimals that the authors' folders have. Several factors can share their
    steps, as 2, 4 and 8 do: the authors' default 4 is taken, else a usual one before a large one,
    which can fit by chance, and of these the one with the fewest digits. None where no factor of
    three decimals or fewer has these steps.
    """
    powers = [scale_factor**-steps for steps in range(1, MOST_STEPS + 1)]
    usual = [power for power in powers if power <= LARGEST_USUAL]
    ways = [(usual, range(3)), (powers, range(4))]
    rounded = (round(power, n) for some, digits in ways for n in digits for power in some)
    for factor in (USUAL_ENLARGEMENT, *rounded):
        if factor > 1 and f"{1 / plan_enlargement(factor).step:f}" == f"{scale_factor:f}":
            return factor
    return None
