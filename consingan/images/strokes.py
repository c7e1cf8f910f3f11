"""What people draw as a mask, understood: white on black, colors, palettes, labels, strokes.

White (1) is what is changed. A file that is none of these, such as a photograph, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from consingan.errors import UserError
from consingan.images.levels import percent
from consingan.images.raster import FloatPixels

Region = npt.NDArray[np.bool_]

# Lossy formats scatter a uniform color by a few of 256 levels.
UNIFORM_SPREAD = 8 / 255
COLORED = 0.2  # difference of channels above which a pixel is of a color, not gray
FEW_PIXELS = 0.0002  # of all: fewer colored ones are noise
BLACK = 0.1  # below it a pixel is black
STROKE = 0.15  # distance from the background's color above which a pixel was drawn
FEW_LEVELS = 32  # a map of labels has no more numbers
FAINT = 0.25  # where most of what is not black is fainter, it is labels
FEW_COLORS = 64
BACKGROUND = 0.3  # of all pixels: a background covers as much
PURE = 0.8  # difference of channels of what somebody paints with over a photograph
LEAST_STROKES = 0.001  # of all pixels; what differs from a photograph in fewer may be noise
LOSSLESS = 1 / 255  # differences of a channel below it are of rounding


@dataclass(frozen=True)
class Part:
    """Pixels of a file that may be a mask: some of them, or all.

    Attributes:
        colors: (h, w, 1 or 3) in [0, 1].
        alpha: (h, w) in [0, 1], if it has transparent parts.
        photographs: each gives (h, w, 3) in [0, 1] of the same place, that strokes may lie on.
    """

    colors: FloatPixels
    alpha: FloatPixels | None = None
    photographs: Sequence[Callable[[], FloatPixels]] = ()

    @property
    def gray(self) -> FloatPixels:
        """(h, w)."""
        return np.asarray(self.colors.mean(axis=2))


Rule = Callable[[Part], FloatPixels]
"""How white each pixel is as a mask, (h, w), of any part of the file."""
Said = tuple[Rule, tuple[str, ...]]


def understand(part: Part) -> Said:
    """Find out what a picture means as a mask.

    Args:
        part: so many of its pixels that its kind is seen.

    Returns:
        What is white in it, and what to tell the user.

    Raises:
        UserError: it is a photograph, on which no strokes are found.
    """
    colors = part.colors
    if part.alpha is not None and part.alpha.min() < 1:
        return _on_transparency(colors, part.alpha)
    if colors.shape[2] == 1:
        return _gray(part.gray)
    spread = colors.max(axis=2) - colors.min(axis=2)
    if (spread > COLORED).mean() <= FEW_PIXELS:
        return _gray(part.gray)
    return _colored(part)


def _alpha(part: Part) -> FloatPixels:
    assert part.alpha is not None
    return part.alpha


def _on_transparency(colors: FloatPixels, alpha: FloatPixels) -> Said:
    """What is drawn on transparency, in whatever color; or a gray mask with transparent parts."""
    if alpha.min() == alpha.max():
        return lambda part: part.gray * _alpha(part), ()
    drawn = colors[alpha > 0]
    if np.ptp(drawn, axis=0).max() <= UNIFORM_SPREAD:
        return _alpha, ()
    spread = drawn.max(axis=1) - drawn.min(axis=1)
    levels = drawn.mean(axis=1)
    ends = (levels < BLACK) | (levels > 1 - BLACK)
    if (spread <= COLORED).mean() > 0.95 and ends.mean() > 0.5:
        return lambda part: part.gray * _alpha(part), ()
    return _alpha, ("what is not transparent in it counts as white, whatever its color",)


def _gray(gray: FloatPixels) -> Said:
    """A gray picture: two levels are black and white, labels are white, all else stays."""
    levels = np.unique((gray * 65535).round())
    least, most = levels[0] / 65535, levels[-1] / 65535
    if len(levels) == 1:
        white = 1.0 if most >= 1 or round(most * 255) == 1 else most
        return lambda part: np.full_like(part.gray, white), ()
    if len(levels) == 2:
        middle = (least + most) / 2
        said = f"its two levels {_level(least)} and {_level(most)} are taken as black and white"
        return _white_where(lambda part: part.gray > middle), (
            () if least == 0 and most == 1 else (said,)
        )
    marked = gray > 0
    if len(levels) <= FEW_LEVELS and (gray[marked] < FAINT).mean() > 0.5:
        said = "it has labels: every number but 0 counts as white"
        return _white_where(lambda part: part.gray > 0), (said,)
    if most < 0.5:
        said = f"it is dark: its brightest gray {_level(most)} is taken as white"
        return lambda part: part.gray / most, (said,)
    between = (gray > 0.02) & (gray < 0.98)
    said = "it is gray nearly everywhere; a mask is white where the picture is changed"
    return lambda part: part.gray, ((said,) if between.mean() > 0.9 else ())


def _white_where(found: Callable[[Part], Region]) -> Rule:
    """White there, black elsewhere."""
    return lambda part: found(part).astype(np.float64)


def _colored(part: Part) -> Said:
    """Strokes of color on a photograph that is known, a background of one color, or another."""
    colors = part.colors
    photographs = [photograph() for photograph in part.photographs]
    apart = [_distance(colors, photograph) for photograph in photographs]
    shown = [_shows(far, known) for far, known in zip(apart, photographs, strict=True)]
    if any(shown):
        return _on_photograph(colors, apart, shown)
    black = colors.max(axis=2) < BLACK
    if black.mean() >= BACKGROUND or (black.any() and _has_few_colors(colors)):
        least = max(BLACK, FAINT * colors.max())
        drawn = _white_where(lambda part: part.colors.max(axis=2) > least)
        return drawn, ("what is not black in it counts as white",)
    border = _border(colors)
    background = np.median(border, axis=0)
    share = (_distance(colors, background) > STROKE).mean()
    if share <= 1 - BACKGROUND and (_distance(border, background) <= STROKE).mean() > 0.6:
        named = ",".join(_level(value) for value in background)
        drawn = _white_where(lambda part: _distance(part.colors, background) > STROKE)
        return drawn, (f"what differs from its background ({named}) is white",)
    return _on_photograph(colors, apart, [True] * len(apart))


def _shows(far: FloatPixels, photograph: FloatPixels) -> bool:
    """Whether a picture that differs so much from a photograph has most of what is on it.

    What is black on the photograph or of its background's color is on many masks.
    """
    background = np.median(_border(photograph), axis=0)
    told = (photograph.max(axis=2) >= BLACK) & (_distance(photograph, background) > STROKE)
    return bool(told.mean() > FEW_PIXELS and (far[told] <= STROKE).mean() > 0.5)


def _border(colors: FloatPixels) -> FloatPixels:
    return np.concatenate([colors[0], colors[-1], colors[:, 0], colors[:, -1]])


def _on_photograph(
    colors: FloatPixels, apart: Sequence[FloatPixels], shown: Sequence[bool]
) -> Said:
    """Strokes that make a difference to a known photograph, or are of one pure color."""
    said = "what was drawn on the photograph in it counts as white"
    if any(_is_the_same(far) for far in apart):
        raise UserError("is the picture itself, not a mask; paint what is changed white on black.")
    shares = [
        float((far > STROKE).mean()) if on else 1.0 for far, on in zip(apart, shown, strict=True)
    ]
    share = min(shares, default=1.0)
    if share < 0.6:
        number = shares.index(share)
        drawn = _white_where(
            lambda part: _distance(part.colors, part.photographs[number]()) > STROKE
        )
        return drawn, (f"{said} ({percent(share)} of it)",)
    color = _commonest_pure_color(colors)
    if color is not None:
        named = ",".join(_level(value) for value in color)
        drawn = _white_where(lambda part: _distance(part.colors, color) < STROKE)
        return drawn, (f"{said}: all that is nearly {named}",)
    raise UserError(
        "is a photograph, not a mask; paint what is changed white on black, or draw on it with "
        "one bright color."
    )


def _is_the_same(far: FloatPixels) -> bool:
    """Whether what differs from a photograph can be noise of JPEG.

    Noise touches most pixels, and nowhere 3x3 of them as much as a stroke: not so in four
    photographs at qualities 75 to 95.
    """
    drawn = far > STROKE
    if drawn.mean() > LEAST_STROKES:
        return False
    if drawn.any() and far[~drawn].max(initial=0) < LOSSLESS:
        return False
    return not ndimage.binary_erosion(drawn, np.ones((3, 3))).any()


def _commonest_pure_color(colors: FloatPixels) -> FloatPixels | None:
    """The color that somebody paints with: bright, and exactly the same over and over."""
    whole = (colors.reshape(-1, 3) * 31).round().astype(np.int64)
    pure = whole[(whole.max(axis=1) - whole.min(axis=1)) >= PURE * 31]
    if len(pure) <= LEAST_STROKES * len(whole):
        return None
    codes = pure @ np.array([1024, 32, 1])
    values, counts = np.unique(codes, return_counts=True)
    if counts.max() <= LEAST_STROKES * len(whole) or counts.max() < len(pure) / 3:
        return None
    code = values[counts.argmax()]
    return np.array([code // 1024, code // 32 % 32, code % 32]) / 31


def _has_few_colors(colors: FloatPixels) -> bool:
    whole = (colors.reshape(-1, 3) * 255).round().astype(np.int64) @ np.array([65536, 256, 1])
    return len(np.unique(whole)) <= FEW_COLORS


def _distance(colors: FloatPixels, other: npt.NDArray[np.float64]) -> FloatPixels:
    """Largest difference of a channel."""
    return np.asarray(np.abs(colors - other).max(axis=-1))


def _level(value: float) -> str:
    """As one of 256 levels."""
    return f"{255 * value:.0f}" if value >= 1 / 255 or not value else f"{255 * value:.2g}"
