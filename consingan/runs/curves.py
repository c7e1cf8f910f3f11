"""The loss curves that a run keeps: read, drawn, saved."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from consingan.errors import UserError
from consingan.machine.files import atomic_path, read_whole

Curves = Mapping[int, Mapping[str, np.ndarray[Any, Any]]]
"""Number of a stage -> loss -> (iterations,), in order; a fine-tuning has the last one alone."""

LARGEST = 2**28  # bytes of a table
# Of the figure's sides; to find them by matplotlib's layouts takes as long as to draw it all.
MARGINS = {"left": 0.08, "right": 0.985, "bottom": 0.08, "top": 0.98, "hspace": 0.06}


def read_curves(folder: Path) -> dict[int, dict[str, np.ndarray[Any, Any]]]:
    """Curves of a run's finished stages.

    Nothing, and a warning, where a file is damaged: curves are worth looking at, not failing for.
    """
    curves: dict[int, dict[str, np.ndarray[Any, Any]]] = {}
    first: set[str] = set()
    for stage in _stages_with_curves(folder):
        path = folder / str(stage) / "losses.csv"
        try:
            curves[stage] = read_table(path)
            first = first or set(curves[stage])
            if not first <= set(curves[stage]):  # a newer release may have added some
                raise ValueError("its losses are others than those of the first stage")
        except (OSError, ValueError, UserError) as error:
            warnings.warn(
                f"{path} is damaged ({error}), so that no curves are drawn.", stacklevel=2
            )
            return {}
    return curves


def _stages_with_curves(folder: Path) -> list[int]:
    names = (path.parent.name for path in folder.glob("*/losses.csv"))
    return sorted(int(name) for name in names if re.fullmatch("0|[1-9][0-9]{0,8}", name))


def length(losses: Mapping[str, np.ndarray[Any, Any]]) -> int:
    """Iterations of a stage."""
    return min((len(values) for values in losses.values()), default=0)


def read_table(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Columns of a stage's losses.csv, by the names in its first line.

    Raises:
        ValueError: it is not what a training writes.
    """
    text = read_whole(path, LARGEST).decode("utf-8")
    try:
        names, *rows = csv.reader(io.StringIO(text, newline=""))
    except csv.Error as error:
        raise ValueError(str(error)) from None
    if not all(names) or len(set(names)) < len(names):
        raise ValueError("its first line does not name the losses")
    if any(len(row) != len(names) for row in rows):
        raise ValueError("it has more or fewer columns than losses")
    values = np.array(rows, dtype=np.float64).reshape(-1, len(names))
    return {name: values[:, i] for i, name in enumerate(names)}


def curves_figure(curves: Curves, reconstruction: str = "") -> Any:
    """A matplotlib figure of all losses over all iterations, stages marked by lines.

    Args:
        curves: of the finished stages.
        reconstruction: the loss that gets a drawing of its own, by powers of ten.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6))
    figure.subplots_adjust(**MARGINS)
    first = next(iter(curves))
    alone = reconstruction in curves[first]
    axes = list(figure.subplots(2 if alone else 1, 1, sharex=True, squeeze=False)[:, 0])
    names = [name for name in curves[first] if name != reconstruction]
    start = 0
    for stage, losses in curves.items():
        steps = np.arange(start, start + length(losses))
        for number, name in enumerate(names):
            label = name.replace("_", " ") if stage == first else None
            axes[0].plot(steps, losses[name], f"C{number}", linewidth=0.7, label=label)
        if alone:
            axes[1].plot(steps, losses[reconstruction], f"C{len(names)}", linewidth=0.7)
        start += len(steps)
        for axis in axes:
            axis.axvline(start, color="0.8", linewidth=0.8)
        axes[-1].annotate(
            f"stage {stage + 1}", (start, 0.98), xycoords=("data", "axes fraction"),
            ha="right", va="top", fontsize=7,
        )  # fmt: skip
    axes[0].set_ylabel("adversarial losses" if alone else "losses")
    axes[0].legend(fontsize=7, loc="upper right")
    axes[-1].set_xlabel("iteration")
    if alone:
        axes[1].set_ylabel("reconstruction loss")
        if any((losses[reconstruction] > 0).any() for losses in curves.values()):
            axes[1].set_yscale("log")
    return figure


def save_curves(folder: Path, reconstruction: str) -> None:
    """Draw `losses.png` from the curves of the run in `folder`."""
    curves = {stage: losses for stage, losses in read_curves(folder).items() if length(losses)}
    if not curves:
        return
    with atomic_path(folder / "losses.png") as temporary:
        curves_figure(curves, reconstruction).savefig(temporary, format="png", dpi=110)
