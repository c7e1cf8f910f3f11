"""What people draw as a mask, understood: white on black, colors, palettes, labels, strokes.

White (1) is what is changed. A file that is none of these, such as a photograph, is refused.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from consingan.errors import UserError
from consingan.images.levels import opacity, opacity_top, percent
from consingan.images.raster import FloatPixels, Raster

Said = tuple[FloatPixels, tuple[str, ...]]

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
LEAST_STROKES = 0.001  # of all pixels


def understand(raster: Raster, photographs: Iterable[FloatPixels] = ()) -> Said:
    """Find out what a picture means as a mask.

    Args:
        raster: the file.
        photographs: (H, W, 3) in [0, 1] of the file's own size, which strokes may be drawn on.

    Returns:
        (H, W) in [0, 1], and what to tell the user.

    Raises:
        UserError: it is a photograph, on which no strokes are found.
    """
    colors = opacity(raster.colors, opacity_top(raster.colors))
    if raster.white_is_zero:
        colors = 1 - colors
    if colors.shape[2] == 1 and raster.alpha is None:
        return _gray(colors[:, :, 0])
    if raster.alpha is not None:
        alpha = opacity(raster.alpha, opacity_top(raster.alpha))
        if alpha.min() < 1:
            return _on_transparency(colors, alpha)
    spread = colors.max(axis=2) - colors.min(axis=2)
    if (spread > COLORED).mean() <= FEW_PIXELS:
        return _gray(colors.mean(axis=2))
    return _colored(colors, photographs)


def _on_transparency(colors: FloatPixels, alpha: FloatPixels) -> Said:
    """What is drawn on transparency, in whatever color; or a gray mask with transparent parts."""
    gray = colors.mean(axis=2)
    if alpha.min() == alpha.max():
        return gray * alpha, ()
    drawn = colors[alpha > 0]
    if np.ptp(drawn, axis=0).max() <= UNIFORM_SPREAD:
        return alpha, ()
    spread = drawn.max(axis=1) - drawn.min(axis=1)
    levels = drawn.mean(axis=1)
    ends = (levels < BLACK) | (levels > 1 - BLACK)
    if (spread <= COLORED).mean() > 0.95 and ends.mean() > 0.5:
        return gray * alpha, ()
    return alpha, ("what is not transparent in it counts as white, whatever its color",)


def _gray(gray: FloatPixels) -> Said:
    """A gray picture: two levels are black and white, labels are white, all else stays."""
    levels = np.unique((gray * 65535).round())
    least, most = levels[0] / 65535, levels[-1] / 65535
    if len(levels) == 1:
        white = most >= 1 or round(most * 255) == 1
        return np.full_like(gray, 1.0 if white else most), ()
    if len(levels) == 2:
        two = (gray > (least + most) / 2).astype(np.float64)
        said = f"its two levels {_level(least)} and {_level(most)} are taken as black and white"
        return two, () if least == 0 and most == 1 else (said,)
    marked = gray > 0
    if len(levels) <= FEW_LEVELS and (gray[marked] < FAINT).mean() > 0.5:
        said = "it has labels: every number but 0 counts as white"
        return marked.astype(np.float64), (said,)
    if most < 0.5:
        return gray / most, (f"it is dark: its brightest gray {_level(most)} is taken as white",)
    between = (gray > 0.02) & (gray < 0.98)
    if between.mean() > 0.9:
        return gray, ("it is gray nearly everywhere; a mask is white where the picture is changed",)
    return gray, ()


def _colored(colors: FloatPixels, photographs: Iterable[FloatPixels]) -> Said:
    """Strokes of color on a background of one color, or on a photograph."""
    black = colors.max(axis=2) < BLACK
    if black.mean() >= BACKGROUND or (black.any() and _has_few_colors(colors)):
        drawn = colors.max(axis=2) > max(BLACK, FAINT * colors.max())
        return drawn.astype(np.float64), ("what is not black in it counts as white",)
    border = np.concatenate([colors[0], colors[-1], colors[:, 0], colors[:, -1]])
    background = np.median(border, axis=0)
    drawn = _distance(colors, background) > STROKE
    if drawn.mean() <= 1 - BACKGROUND and (_distance(border, background) <= STROKE).mean() > 0.6:
        named = ",".join(_level(value) for value in background)
        return drawn.astype(np.float64), (f"what differs from its background ({named}) is white",)
    return _on_photograph(colors, photographs)


def _on_photograph(colors: FloatPixels, photographs: Iterable[FloatPixels]) -> Said:
    """Strokes that make a difference to a known photograph, or are of one pure color."""
    said = "what was drawn on the photograph in it counts as white"
    apart = [_distance(colors, photograph) > STROKE for photograph in photographs]
    if any(drawn.mean() <= LEAST_STROKES for drawn in apart):
        raise UserError("is the picture itself, not a mask; paint what is changed white on black.")
    found = [drawn for drawn in apart if drawn.mean() < 0.6]
    if found:
        drawn = min(found, key=lambda region: float(region.mean()))
        return drawn.astype(np.float64), (f"{said} ({percent(float(drawn.mean()))} of it)",)
    color = _commonest_pure_color(colors)
    if color is not None:
        drawn = _distance(colors, color) < STROKE
        named = ",".join(_level(value) for value in color)
        return drawn.astype(np.float64), (f"{said}: all that is nearly {named}",)
    raise UserError(
        "is a photograph, not a mask; paint what is changed white on black, or draw on it with "
        "one bright color."
    )


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
