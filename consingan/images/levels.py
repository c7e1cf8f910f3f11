"""Which of a file's numbers is black and which is white.

Eight-bit files are taken as they are. Deeper ones often use a small part of what their numbers
could be (heights, scanners, 12-bit cameras, reflectances): then the values themselves decide,
without the few that lie far from all others, and without those that stand for no value at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from consingan.errors import UserError
from consingan.images.raster import FloatPixels, Pixels, Raster
from consingan.settings.reading import (
    AS_IT_IS,
    DEEP,
    FULL,
    FULL_8,
    Reading,
    could_be_of_8_bit,
    parse_range,
)

OUTLIERS = 0.5  # percent at either end that may be cut off ...
MARGIN = 0.25  # ... if they lie further out than this part of the others' span
LEAST_USED = 1 / 2  # of the type's range: below it the values decide
LEAST_USED_OF_FLOATS = 3 / 4  # the same; what they can be is a habit only
NEARLY_ALL = 3 / 4  # of a smaller range (8 bit in 16): above it that range is meant
SMALLER_RANGES = (255.0, 65535.0)
NO_VALUE = (-9999.0, -99999.0, -32768.0, -32767.0, -2147483648.0)  # without a tag, by habit
HUGE = 1e30  # floats beyond it stand for no value: -3.4e38, 9.97e36
SAMPLES = 1_000_000  # numbers that the percentiles are taken of


@dataclass(frozen=True)
class Levels:
    """Numbers of black and white, those that stand for no value, and what to tell the user."""

    low: float
    high: float
    nodata: float | None = None
    notes: tuple[str, ...] = ()


def levels_of(raster: Raster, reading: Reading = AS_IT_IS) -> Levels:
    """Choose black and white for a picture.

    Args:
        raster: the picture.
        reading: with the range that was typed.

    Raises:
        UserError: no pixel holds a finite value, or the range is malformed.
    """
    typed, colors = parse_range(reading.value_range), raster.colors
    own = _own_range(colors.dtype)
    if raster.bits <= 8 and colors.dtype.kind in "bu":
        return _of_8_bit(typed, own, reading)
    values, nodata, notes = _with_value(raster)
    if typed is not None:
        return Levels(*typed, nodata, (*notes, *_outside(values, typed)))
    if reading.value_range == FULL:
        return Levels(*own, nodata, (*notes, *_outside(values, own)))
    chosen, otherwise = _by_values(values, own), reading.otherwise
    if chosen == own:
        return Levels(*own, nodata, notes)
    said = f"its values {_span(chosen)} ({_kind(colors)})"
    if reading.value_range == FULL_8:
        said += f" are not stretched: {_span(own)} are black to white, as release 1.0 read it"
        return Levels(*own, nodata, (f"{said}; {otherwise}", *notes, *_outside(values, own)))
    said += f" become black to white; {otherwise}"
    return Levels(*chosen, nodata, (said, *notes, *_outside(values, chosen)))


def _of_8_bit(
    typed: tuple[float, float] | None, own: tuple[float, float], reading: Reading
) -> Levels:
    """As it is, unless its own numbers can be meant by the range and are."""
    if typed is None or typed == own:
        return Levels(*own)
    meant = reading.value_range.removesuffix(DEEP)
    if not could_be_of_8_bit(typed):
        return Levels(*own, notes=(f"it has 8 bit; the range {meant} is not applied",))
    if reading.value_range != meant:
        said = f"it has 8 bit and is taken as it is; the range {meant} is of deeper numbers"
        return Levels(*own, notes=(said,))
    return Levels(*typed)


def unit_table(levels: Levels, dtype: np.dtype[Any], white_is_zero: bool) -> FloatPixels:
    """What each number of a type of at most 16 bit becomes, in [0, 1], the smallest first."""
    if dtype == np.bool_:
        numbers = np.arange(2)
    else:
        numbers = np.arange(np.iinfo(dtype).min, np.iinfo(dtype).max + 1)
    return unit_values(numbers, levels, white_is_zero)


def unit_values(values: Pixels, levels: Levels, white_is_zero: bool) -> FloatPixels:
    """Numbers as float64 in [0, 1]; those without a value are black."""
    with np.errstate(all="ignore"):
        numbers = values.astype(np.float64)
        unit = np.clip((numbers - levels.low) / (levels.high - levels.low), 0, 1)
    if white_is_zero:
        unit = 1 - unit
    missing = np.isnan(unit)
    if values.dtype.kind == "f":
        missing |= (np.abs(numbers) > HUGE) & np.isfinite(numbers)
    if levels.nodata is not None:
        missing |= numbers == levels.nodata
    unit[missing] = 0
    return np.asarray(unit, dtype=np.float64)


def opacity_top(alpha: Pixels) -> float:
    """The number that stands for opaque: the end of the range that the largest one lies in."""
    if alpha.dtype == np.bool_:
        return 1.0
    if alpha.dtype == np.uint8:
        return 255.0
    finite = alpha[np.isfinite(alpha)] if alpha.dtype.kind == "f" else alpha
    largest = float(finite.max(initial=0))
    tops = (1.0, *SMALLER_RANGES, _own_range(alpha.dtype)[1])
    return next((top for top in tops if largest <= top), largest)


def opacity(alpha: Pixels, top: float) -> FloatPixels:
    """Opacity of any type in [0, 1]; a number that is not finite is transparent."""
    with np.errstate(invalid="ignore", over="ignore"):
        numbers = np.nan_to_num(alpha.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        return np.asarray(np.clip(numbers / top, 0, 1))


def _own_range(dtype: np.dtype[Any]) -> tuple[float, float]:
    """What numbers of a type can be; floats mean 0 to 1."""
    if dtype.kind in "ui":
        return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    return 0.0, 1.0


def _with_value(raster: Raster) -> tuple[FloatPixels, float | None, tuple[str, ...]]:
    """The numbers that mean something, the one that stands for none, and what to say of the rest.

    At most about `SAMPLES` numbers, evenly over the picture, with the smallest and the largest.
    """
    flat = raster.colors.reshape(-1)
    values = _sample(flat, raster.colors.shape[2])
    nodata = raster.nodata if raster.nodata is not None else _habitual(values)
    counts = []
    if nodata is not None and np.isfinite(nodata):
        counts.append((f"{plain_number(nodata)} (no value)", _share(flat, nodata)))
        values = values[values != nodata]
    if raster.colors.dtype.kind == "f":
        for words, chosen in (
            ("NaN", np.isnan), ("infinite", np.isinf), ("beyond 1e30 (no value)", _is_huge),
        ):  # fmt: skip
            counts.append((words, float(np.mean(chosen(flat)))))
        values = values[np.abs(values) <= HUGE]
    if not values.size:
        raise UserError("holds no values, all of them are missing or not finite")
    said = [f"{percent(share)} {words}" for words, share in counts if share]
    infinite = " (infinite ones black or white by their sign)" if np.isinf(flat).any() else ""
    notes = (f"of its values {', '.join(said)}: read as black{infinite}",) if said else ()
    return values, nodata, notes


def _sample(flat: Pixels, channels: int) -> FloatPixels:
    """Whole pixels: of single numbers a step could meet one channel alone."""
    step = max(1, flat.size // SAMPLES)
    with np.errstate(invalid="ignore"):  # a NaN of another precision
        values = flat.reshape(-1, channels)[::step].astype(np.float64).reshape(-1)
    finite = flat[np.isfinite(flat)] if flat.dtype.kind == "f" else flat
    if step == 1 or not finite.size:
        return values
    return np.concatenate([values, [float(finite.min()), float(finite.max())]])


def _habitual(values: FloatPixels) -> float | None:
    """A number that people take for "no value", if it is far below all others."""
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() not in NO_VALUE:
        return None
    rest = finite[finite != finite.min()]
    if not rest.size or rest.min() - finite.min() <= (rest.max() - rest.min()) / 2:
        return None
    return float(finite.min())


def _by_values(values: FloatPixels, own: tuple[float, float]) -> tuple[float, float]:
    """The type's range, a smaller one that is nearly used up, or what the values span."""
    least, most = _robust(values)
    signed = own[0] < 0
    inside = own[0] <= values.min() and values.max() <= own[1]
    least_used = LEAST_USED_OF_FLOATS if own == (0.0, 1.0) else LEAST_USED
    if inside and not signed and most - least >= least_used * (own[1] - own[0]):
        return own
    for top in SMALLER_RANGES:
        if values.min() >= 0 and NEARLY_ALL * top <= most and values.max() <= top < own[1] + signed:
            return 0.0, top
    if own == (0.0, 1.0) and values.min() >= 0 and NEARLY_ALL * 255 <= most <= values.max() <= 255:
        return 0.0, 255.0
    if most > least:
        return least, most
    return own if inside and not signed else (least - 0.5, least + 0.5)


def _robust(values: FloatPixels) -> tuple[float, float]:
    """Smallest and largest number, unless those few lie far from all others."""
    low, high = np.percentile(values, (OUTLIERS, 100 - OUTLIERS))
    if low == high:
        return float(values.min()), float(values.max())
    reach = MARGIN * (high - low)
    return float(max(values.min(), low - reach)), float(min(values.max(), high + reach))


def _outside(values: FloatPixels, chosen: tuple[float, float]) -> tuple[str, ...]:
    """Say how much lies outside of the range and becomes plain black or white."""
    below, above = float((values < chosen[0]).mean()), float((values > chosen[1]).mean())
    if not below + above:
        return ()
    return (
        f"{percent(below)} of its values lie below {plain_number(chosen[0])} (black), "
        f"{percent(above)} above {plain_number(chosen[1])} (white)",
    )


def _share(flat: Pixels, number: float) -> float:
    return float(np.mean(flat == number))


def _is_huge(flat: Pixels) -> Pixels:
    if float(np.finfo(flat.dtype).max) < HUGE:
        return np.zeros(flat.shape, np.bool_)
    return np.isfinite(flat) & (np.abs(flat) > HUGE)


def _kind(colors: Pixels) -> str:
    """As "16 bit" and "32-bit floating point"."""
    bits = 8 * colors.dtype.itemsize
    return f"{bits}-bit floating point" if colors.dtype.kind == "f" else f"{bits} bit"


def percent(share: float) -> str:
    """As "12 %", "0.3 %" and "less than 0.1 %"."""
    if 0 < share < 0.001:
        return "less than 0.1 %"
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def _span(ends: tuple[float, float]) -> str:
    return f"{plain_number(ends[0])} to {plain_number(ends[1])}"


def plain_number(value: float) -> str:
    """As a person writes it: 1740, 0.31, -9999."""
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.6g}"
