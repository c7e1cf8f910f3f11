"""The run that was worked on last, for those who do not want to type its name."""

from __future__ import annotations

from pathlib import Path

from consingan.errors import UserError
from consingan.runs.draft import is_draft
from consingan.runs.manifest import MANIFEST
from consingan.settings.config import RUNS

LATEST = "latest"
DEPTH = 3  # folders below: TrainedModels/demo/<picture>/<run>


def newest_run(folder: Path) -> Path | None:
    """The run somewhere below `folder` whose training was begun or went on last."""
    newest = max(
        manifests_below(folder), key=lambda path: (path.stat().st_mtime_ns, str(path)), default=None
    )
    return newest.parent if newest else None


def manifests_below(folder: Path) -> list[Path]:
    """The manifests of all runs below `folder`, without folders that were still being made."""
    patterns = ("/".join(["*"] * depth + [MANIFEST]) for depth in range(1, DEPTH + 1))
    found = [path for pattern in patterns for path in folder.glob(pattern) if path.is_file()]
    return [path for path in found if not any(map(is_draft, path.relative_to(folder).parts))]


def find_run(path: Path, root: Path = RUNS) -> Path:
    """The run that is meant by `path`: itself, "latest", or the newest in a folder of runs.

    "FOLDER/..." is the folder: so guides write what has another name with everybody.

    Args:
        path: as the user named it; what is no run and holds none is given back.
        root: where runs are made, for "latest".

    Raises:
        UserError: there is no run yet.
    """
    if str(path) == LATEST and not path.exists():
        found = newest_run(root)
        if found is None:
            raise UserError(f"There is no run below {root} yet; train one first.")
        return found
    folder = path.parent if path.name == "..." else path
    if (folder / MANIFEST).is_file():
        return folder
    return newest_run(folder) or path
