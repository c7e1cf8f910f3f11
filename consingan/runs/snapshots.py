"""Snapshots of a fine-tuning inside a run's folder: their names, and which there are."""

from __future__ import annotations

import re
from pathlib import Path

from consingan.errors import UserError

SNAPSHOTS = "snapshots"


def snapshot_file(iteration: int) -> str:
    """Name of the weights of one snapshot inside the run's folder."""
    return f"{SNAPSHOTS}/iteration_{iteration:05d}.safetensors"


def snapshots(run: Path) -> list[int]:
    """Iterations of which the run at `run` has snapshots, in order."""
    names = (path.name for path in (run / SNAPSHOTS).glob("iteration_*.safetensors"))
    return sorted(int(m.group(1)) for n in names if (m := re.match(r"iteration_(\d+)\.", n)))


def snapshot_name(iteration: int, run: Path) -> str:
    """File of a fine-tuning snapshot.

    Raises:
        UserError: there is no such snapshot; the sentence names those that exist.
    """
    found = snapshots(run)
    if not found:
        raise UserError(
            f"{run} has no snapshots, which only fine-tuned runs have; leave --iteration out."
        )
    if iteration not in found:
        there = ", ".join(str(n) for n in found)
        raise UserError(f"There is no snapshot of iteration {iteration}; there are: {there}.")
    return snapshot_file(iteration)
