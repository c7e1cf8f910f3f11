"""Pictures that travel inside a page: photographs as data URIs, loss curves as SVG."""

from __future__ import annotations

import base64
import io
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from torch import Tensor

from consingan.images.animated import milliseconds
from consingan.images.io import to_pixels
from consingan.runs.curves import length

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from consingan.methods.contract import Panel
    from consingan.runs.curves import Curves


LONGEST = 512
"""Longer side of an embedded picture in px: twice the pixels that it fills on a page."""

LOSSLESS = 48 * 1024
"""Bytes up to which a picture stays PNG; a dozen such pictures weigh little over half a MB."""

POINTS = 160
"""Points drawn of a stage's curve: more than it has pixels, few enough to weigh little."""

INK = "#010203"
"""Stands for the page's own text color in figures, so that they suit light and dark pages."""

MARGINS = {"left": 0.15, "right": 0.955, "bottom": 0.17, "top": 0.92}
"""Of a panel of curves; to let matplotlib find them takes as long as to draw all."""

# Mid-tones, legible on white and on near-black.
BLUE = "#4a8fd0"
COLORS = ("#d9822b", "#3f9c6b", "#4a8fd0", "#b05fc0", "#8a8a3a")


def data_uri(picture: Tensor, longest: int = LONGEST, lossless: bool = False) -> str:
    """Return a picture (1, 3, h, w) in [-1, 1] as a data URI, PNG if small, JPEG otherwise.

    Args:
        picture: reduced to `longest` px if it is larger.
        longest: px.
        lossless: PNG whatever its weight, for drawings.
    """
    image = Image.fromarray(to_pixels(picture))
    if max(image.size) > longest:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    png = _encoded(image, "PNG", optimize=True)
    if lossless or len(png) <= LOSSLESS:
        return _uri("png", png)
    return _uri("jpeg", _encoded(image, "JPEG", quality=90, subsampling=0))


def moving_uri(frames: Sequence[Tensor], fps: float, longest: int = 320) -> str:
    """Return frames (1, 3, h, w) in [-1, 1] as an animated WebP in a data URI."""
    images = [Image.fromarray(to_pixels(frame)) for frame in frames]
    for image in images:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    durations = [milliseconds(number, fps) for number in range(len(images))]
    options = {"append_images": images[1:], "duration": durations, "loop": 0}
    return _uri("webp", _encoded(images[0], "WEBP", save_all=True, quality=85, **options))


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def thinned(values: np.ndarray[Any, Any], points: int = POINTS) -> tuple[Any, Any]:
    """Return positions and medians of at most `points` equal parts of a curve."""
    edges = np.linspace(0, len(values), min(points, len(values)) + 1).astype(int)
    parts = [values[a:b] for a, b in itertools.pairwise(edges)]
    return (edges[:-1] + edges[1:] - 1) / 2, np.array([np.median(part) for part in parts])


def panel_svg(curves: Curves, panel: Panel) -> str:
    """Draw losses of all stages as a method wants them shown."""
    figure, axes = _panel(curves, panel.title)
    alone = len(panel.lines) == 1
    colors = dict(zip(panel.lines, (BLUE,) if alone else COLORS, strict=False))
    positive = False
    for number, (start, losses) in enumerate(_stages(curves)):
        for label, names in panel.lines.items():
            total = sum(_signed(losses, name) for name in names)
            positive = positive or bool((total > 0).any())
            steps, values = thinned(total)
            axes.plot(
                start + steps,
                values,
                color=colors.get(label, INK),
                linewidth=1.4 if alone else 1.2,
                label=None if number or alone else label,
            )
    if panel.log and positive:
        _log_scale(axes)
    if not alone:
        axes.legend(frameon=False, labelcolor=INK, fontsize=8, loc="best", handlelength=1.2)
    return _svg(figure, re.sub(r"\W+", "-", panel.title))


def _signed(losses: Mapping[str, np.ndarray[Any, Any]], name: str) -> Any:
    return -losses[name[1:]] if name.startswith("-") else losses[name]


def _log_scale(axes: Axes) -> None:
    """Scale the vertical axis by powers of ten, with plain numbers on it."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    subs = (1.0,) if high / low > 50 else (1.0, 2.0, 5.0)
    axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=9))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _stages(curves: Curves) -> list[tuple[int, Mapping[str, np.ndarray[Any, Any]]]]:
    """Each stage with the number of iterations before it."""
    lengths = [length(losses) for losses in curves.values()]
    starts = [0, *np.cumsum(lengths)[:-1].tolist()]
    return list(zip(starts, curves.values(), strict=True))


def _panel(curves: Curves, label: str) -> tuple[Figure, Axes]:
    """Make a figure with quiet axes, its stages marked."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(5.2, 2.9))
    figure.subplots_adjust(**MARGINS)
    axes = figure.subplots()
    starts = _stages(curves)
    total = starts[-1][0] + length(starts[-1][1])
    for stage, (start, losses) in zip(curves, starts, strict=True):
        middle = start + length(losses) / 2
        if start:
            axes.axvline(start, color=INK, linewidth=0.6, alpha=0.25)
        axes.annotate(
            f"stage {stage + 1}" if len(starts) <= 6 else f"{stage + 1}", (middle, 1.01),
            xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=7.5,
            color=INK, alpha=0.7,
        )  # fmt: skip
    axes.set_xlim(0, max(total, 1))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel("iteration", fontsize=8.5, color=INK)
    axes.set_ylabel(label, fontsize=8.5, color=INK)
    axes.tick_params(which="both", colors=INK, labelsize=8, width=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set(color=INK, alpha=0.5, linewidth=0.8)
    return figure, axes


def _svg(figure: Figure, name: str) -> str:
    """Return a figure as SVG for the middle of a page, its text in the page's own font and color.

    Several of them stand in one page, so every id gets `name` in front.
    """
    import matplotlib

    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    # The page decides on family and size; matplotlib's own font need not be there.
    svg = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", svg)
    return re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', _open_svg(name), svg, count=1)


def _open_svg(name: str) -> str:
    return (
        r'<svg viewBox="\1" role="img" aria-label="' + name + ' loss" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
