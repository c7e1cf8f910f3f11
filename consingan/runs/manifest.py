"""A run's manifest: its format, what must be in it, where to look for one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consingan.errors import UserError

FORMAT = 2  # 2 adds method and losses
MANIFEST = "manifest.json"

Json = dict[str, Any]


def check_manifest(manifest: Json, run: Path) -> None:
    """What the program itself reads must be there and of its kind."""
    if isinstance(manifest.get("format"), int) and manifest["format"] > FORMAT:
        raise UserError(
            f"{run} was written in format {manifest['format']}, this program reads format "
            f"{FORMAT}; use the newer release of ConSinGAN."
        )
    kinds = {
        "format": int,
        "status": str,
        "finished_stages": int,
        "stages": int,
        "seconds_per_stage": list,
    }
    perhaps = {"execution": dict, "versions": dict}
    kinds |= {name: kind for name, kind in perhaps.items() if name in manifest}
    for name, kind in kinds.items():
        if not isinstance(manifest.get(name), kind):
            raise UserError(
                f"{run / MANIFEST} is damaged (its {name} is {manifest.get(name)!r}); restore it "
                "from a copy."
            )


def hint(path: Path) -> str:
    """Name the run that a folder is a stage of, or those below it."""
    if (path.resolve().parent / MANIFEST).is_file():
        return f"; did you mean {path.parent}?"
    runs = sorted(p.parent for p in path.glob(f"*/{MANIFEST}"))
    return f"; did you mean {runs[-1]}?" if runs else "."


def counts_of(manifest: Mapping[str, Any]) -> Json:
    """The counts of iterations that a run was last lengthened to; {} of one that never was.

    Raises:
        UserError: the entry is damaged.
    """
    entries = manifest.get("lengthened", [])
    if not isinstance(entries, list) or not all(_names_counts(entry) for entry in entries):
        raise UserError(f"{MANIFEST} is damaged (its lengthened is {entries!r:.80}).")
    return dict(entries[-1]["counts"]) if entries else {}


def _names_counts(entry: Any) -> bool:
    both = [entry.get(key) for key in ("before", "counts")] if isinstance(entry, dict) else [None]
    return all(
        isinstance(counts, dict) and all(type(value) is int for value in counts.values())
        for counts in both
    )
