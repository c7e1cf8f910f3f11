"""The runs below a folder, and how one of them is removed."""

from __future__ import annotations

import shutil
from pathlib import Path

from consingan.errors import UserError
from consingan.runs.folder import RunFolder
from consingan.runs.manifest import MANIFEST
from consingan.runs.newest import manifests_below
from consingan.runs.progress import read_progress


def runs_below(root: Path) -> dict[str, Path]:
    """Every run below `root` by its name from there, the one that was worked on last first."""
    within = root.resolve()
    runs = [path.parent for path in manifests_below(root)]
    inside = [run for run in runs if run.resolve().is_relative_to(within)]  # links may lead out
    newest = sorted(inside, key=_worked_on, reverse=True)
    return {path.relative_to(root).as_posix(): path for path in newest}


def run_called(root: Path, name: str | None) -> Path:
    """The run of that name.

    Raises:
        UserError: there is none; whatever else the name is, it never becomes a path.
    """
    found = runs_below(root).get(name or "")
    if found is None:
        raise UserError("Choose a run first." if not name else "That run is gone; choose another.")
    return found


def remove_run(root: Path, name: str | None) -> None:
    """Delete a run with everything in its folder, and the picture's folder if that is empty then.

    Raises:
        UserError: there is none of that name, or a training is going on in it.
    """
    path = run_called(root, name)
    if read_progress(path) is not None:
        raise UserError(f"A training is going on in {path}; stop it first.")
    with RunFolder(path).locked():
        (path / MANIFEST).unlink()
    shutil.rmtree(path, ignore_errors=True)
    if path.parent != root and not any(path.parent.iterdir()):
        path.parent.rmdir()


def _worked_on(run: Path) -> tuple[int, str]:
    try:
        return (run / MANIFEST).stat().st_mtime_ns, str(run)
    except OSError:
        return 0, str(run)
