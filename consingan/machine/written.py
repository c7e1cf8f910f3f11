"""Which files the program itself writes into a folder, as `files.atomic_path` notes each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

_ASKED: dict[int, tuple[Path, set[str]]] = {}  # whoever asks now: the folder, names so far


@contextlib.contextmanager
def written_into(folder: Path) -> Iterator[set[str]]:
    """Names of the files below `folder` that are written meanwhile, as `a/b.png`.

    Those of every thread, for pictures may be written beside the one that asks; none of other
    programs.
    """
    names: set[str] = set()
    _ASKED[id(names)] = (folder.resolve(), names)
    try:
        yield names
    finally:
        del _ASKED[id(names)]


def note_written(path: Path) -> None:
    """Say that a file is there, whole, or will be in this moment."""
    if not _ASKED:
        return
    whole = path.parent.resolve() / path.name
    for folder, names in list(_ASKED.values()):
        if whole.is_relative_to(folder):
            names.add(whole.relative_to(folder).as_posix())
