"""Curves of a form that was drawn are not drawn again: that takes longer than tiny trainings do.

What they are, how often, and whether matplotlib can draw them without a warning hangs on the form:
the losses, their iterations in every stage, whether all are finite, whether a logarithm is there.
Each form is drawn once in each process; curves of that form with other values get that drawing.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from consingan.report import figures
from consingan.runs import curves as kept

Form = tuple[Any, ...]


def form(curves: kept.Curves, logarithmic: Sequence[str]) -> Form:
    """What a drawing of these curves hangs on, but for where its lines run.

    Args:
        curves: of the finished stages.
        logarithmic: losses that go by powers of ten if any of their values is above 0.
    """
    return tuple(
        (stage, name, len(values), bool(np.isfinite(values).all()),
         name in logarithmic and bool((values > 0).any()))
        for stage, losses in curves.items()
        for name, values in losses.items()
    )  # fmt: skip


@dataclass(frozen=True)
class Drawing:
    """A figure that is made where none of its form was drawn."""

    make: Callable[[], Any]
    of: Form
    drawn: dict[Form, bytes]

    def savefig(self, file: Path, **options: Any) -> None:
        """As matplotlib's figures have it."""
        key = (*self.of, *options.items())
        if key not in self.drawn:
            buffer = io.BytesIO()
            self.make().savefig(buffer, **options)
            self.drawn[key] = buffer.getvalue()
        file.write_bytes(self.drawn[key])


def draw_once(patch: Any) -> None:
    """Replace what draws the curves of runs and reports; `patch` is pytest's MonkeyPatch."""
    patch.setattr(kept, "curves_figure", _figures(kept.curves_figure))
    patch.setattr(figures, "panel_svg", _panels(figures.panel_svg))


def draw_ahead(names: Sequence[str], reconstruction: str, stages: int, iterations: int) -> None:
    """Have the drawings of the first 1, 2, ... `stages` of a run, for processes that are forked."""
    curve = {name: np.ones(iterations) for name in names}
    for count in range(1, stages + 1):
        figure = kept.curves_figure(dict.fromkeys(range(count), curve), reconstruction)
        figure.savefig(Path(os.devnull), format="png", dpi=110)


def _figures(draw: Callable[..., Any]) -> Callable[..., Drawing]:
    drawn: dict[Form, bytes] = {}

    def figure(curves: kept.Curves, reconstruction: str = "") -> Drawing:
        of = (reconstruction, *form(curves, [reconstruction]))
        return Drawing(lambda: draw(curves, reconstruction), of, drawn)

    return figure


def _panels(draw: Callable[..., str]) -> Callable[..., str]:
    drawn: dict[Form, str] = {}

    def panel(curves: kept.Curves, wanted: Any) -> str:
        names = [name for line in wanted.lines.values() for name in line]
        key = (wanted.title, *names, *form(curves, names if wanted.log else []))
        if key not in drawn:
            drawn[key] = draw(curves, wanted)
        return drawn[key]

    return panel
