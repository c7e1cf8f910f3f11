"""The loss curves that a run keeps: read, drawn, saved."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from consingan.machine.files import atomic_path
from consingan.methods.consingan.engine import LOSSES

Curves = Sequence[Mapping[str, np.ndarray[Any, Any]]]


def read_curves(folder: Path) -> list[dict[str, np.ndarray[Any, Any]]]:
    """Curves of a run's finished stages: for each stage, loss -> (iterations,).

    Nothing, and a warning, where a file is damaged: curves are worth looking at, not failing for.
    """
    curves: list[dict[str, np.ndarray[Any, Any]]] = []
    while (path := folder / str(len(curves)) / "losses.csv").is_file():
        try:
            curves.append(_read_table(path))
        except (OSError, ValueError) as error:
            warnings.warn(
                f"{path} is damaged ({error}), so that no curves are drawn.", stacklevel=2
            )
            return []
    return curves


def _read_table(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Columns of a stage's losses.csv.

    Raises:
        ValueError: it is not what a training writes.
    """
    with path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    if not set(LOSSES) <= set(names):
        raise ValueError("it lacks some losses")
    values = np.array(rows, dtype=np.float64).reshape(-1, len(names))
    return {name: values[:, i] for i, name in enumerate(names)}


def curves_figure(curves: Sequence[dict[str, np.ndarray[Any, Any]]]) -> Any:
    """A matplotlib figure of all losses over all iterations, stages marked by lines."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    critic, reconstruction = figure.subplots(2, 1, sharex=True)
    start = 0
    colors = {"d_real": "C0", "d_fake": "C1", "gradient_penalty": "C2", "g_adversarial": "C3"}
    for stage, losses in enumerate(curves):
        steps = np.arange(start, start + len(losses["d_real"]))
        for name, color in colors.items():
            label = name.replace("_", " ") if stage == 0 else None
            critic.plot(steps, losses[name], color=color, linewidth=0.7, label=label)
        reconstruction.plot(steps, losses["g_reconstruction"], color="C4", linewidth=0.7)
        start += len(steps)
        for axis in (critic, reconstruction):
            axis.axvline(start, color="0.8", linewidth=0.8)
        reconstruction.annotate(
            f"stage {stage + 1}", (start, 0.98), xycoords=("data", "axes fraction"),
            ha="right", va="top", fontsize=7,
        )  # fmt: skip
    critic.set_ylabel("adversarial losses")
    critic.legend(fontsize=7, loc="upper right")
    reconstruction.set_ylabel("reconstruction loss")
    reconstruction.set_xlabel("iteration")
    if any((c["g_reconstruction"] > 0).any() for c in curves):
        reconstruction.set_yscale("log")
    return figure


def save_curves(folder: Path) -> None:
    """Draw `losses.png` from the curves of the run in `folder`."""
    curves = [c for c in read_curves(folder) if len(c["d_real"])]
    if not curves:
        return
    with atomic_path(folder / "losses.png") as temporary:
        curves_figure(curves).savefig(temporary, format="png", dpi=110)
