"""How pictures are read: which numbers are black and white, which page and channels are taken."""

from __future__ import annotations

import math
from dataclasses import dataclass

from consingan.errors import UserError

AUTO, FULL = "auto", "full"
FULL_8 = "full,8"
"""As release 1.0 read every picture, which kept no range: "full", and results have 8 bit."""
DEEP = ",deep"
"""What a range ends with that is of numbers deeper than 8 bit: a copy with 8 bit has others."""
GRAY, RGB, RGBA, BANDS = "gray", "rgb", "rgba", "bands"
MOST_BANDS = 1024
OTHERWISE = "a copy with 8 bit is taken as it is"
BY_FLAG = "--range MIN,MAX or --range full says otherwise"
BY_CONDITION = BY_FLAG.replace("--range", "--condition_range")
CHANNELS = (GRAY, RGB, RGBA, BANDS)
"""What a training picture can consist of, see `images.channels`."""


@dataclass(frozen=True)
class Reading:
    """How a picture is to be read.

    Attributes:
        value_range: "auto", "full" (that of the type; also "full,8") or "MIN,MAX", the values of
            black and white; "MIN,MAX,deep" leaves pictures of 8 bit as they are.
        page: which page, frame or, in a file of one page with many bands, band; from 1, 0 is the
            first page with its colors.
        otherwise: what the user can do where a range that was found is not the one that is meant.
    """

    value_range: str = AUTO
    page: int = 0
    otherwise: str = OTHERWISE


AS_IT_IS = Reading()


def of_deep(text: str) -> str:
    """A range of a picture deeper than 8 bit, marked as that where 8-bit numbers could be meant."""
    ends = parse_range(text)
    if ends is None or text.endswith(DEEP) or not could_be_of_8_bit(ends):
        return text
    return text + DEEP


def could_be_of_8_bit(ends: tuple[float, float]) -> bool:
    """Whether black and white can be numbers of an 8-bit picture, too, and others than its own."""
    return ends[0] >= 0 and 2 <= ends[1] <= 255 and ends != (0, 255)


def parse_range(text: str, flag: str = "range") -> tuple[float, float] | None:
    """The two numbers of "MIN,MAX" or "MIN,MAX,deep"; None for "auto", "full" and "full,8".

    Args:
        text: what was typed.
        flag: with which it was, for the sentence.

    Raises:
        UserError: it is neither.
    """
    if text in (AUTO, FULL, FULL_8):
        return None
    try:
        low, high = (float(part) for part in text.removesuffix(DEEP).split(","))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UserError(
            f"--{flag} {text or repr(text)} must be two numbers MIN,MAX, the values that become "
            "black and white, for example 0,4095; or full, or auto."
        )
    return low, high
