"""By which weights of a run figures were made, and whether it still has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consingan.machine.files import fingerprint
from consingan.runs.folder import RunFolder
from consingan.runs.manifest import MANIFEST


def weights_digest(file: Path) -> str:
    """The SHA-256 of a file of weights; "" where nothing was learned."""
    return fingerprint(file) if file.is_file() else ""


def is_of_the_run(record: Mapping[str, Any], run: Path) -> bool:
    """Whether figures are of a run as it is now: one that was trained on has other weights.

    Args:
        record: of the figures; earlier releases did not note the weights in it. Of a run that was
            trained longer nothing tells then: times of files are those of a copy.
        run: the run's folder.

    Raises:
        OSError: a file cannot be read.
        UserError: the manifest cannot be used.
    """
    if not (run / MANIFEST).is_file():
        return True  # of the authors' program, which trains none longer
    folder = RunFolder.open(run)
    if folder.stages and record["stages"] != folder.finished_stages:
        return False
    weights = run / folder.last_weights
    if "weights" in record:
        return bool(record["weights"] == weights_digest(weights))
    return not (folder.manifest.get("lengthened") and weights.is_file())
