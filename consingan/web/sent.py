"""Files as browsers sent them: gradio keeps one for each content and name, whoever sends it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SentFiles:
    """Who sent which file, so that it goes with the last of them.

    An editor sends each state of a painting and names few of these files afterwards; nobody knows
    whose the others are, they go when nobody is there.

    Attributes:
        present: visitors who are there.
        senders: file -> those of them who have sent it.
    """

    present: set[str] = field(default_factory=set)
    senders: dict[Path, set[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, visitor: str, paths: Iterable[Path] = ()) -> None:
        """Remember who is there, and has sent files."""
        with self.lock:
            self.present.add(visitor)
            for path in paths:
                self.senders.setdefault(path, set()).add(visitor)

    def drop(self, visitor: str, folder: Path) -> None:
        """Delete what nobody but this visitor has sent into the folder."""
        with self.lock:
            self.present.discard(visitor)
            for path in [path for path, who in self.senders.items() if visitor in who]:
                self.senders[path].remove(visitor)
                if not self.senders[path]:
                    del self.senders[path]
                    _delete(path)
            if not self.present:
                for path in folder.glob("*/*"):
                    _delete(path)


def paths_in(inputs: Any) -> Iterator[Path]:
    """Files in what a browser says of parts of the page: {"path": ...} at any depth."""
    if isinstance(inputs, dict):
        if isinstance(path := inputs.get("path"), str):
            yield Path(path)
        inputs = list(inputs.values())
    if isinstance(inputs, list):
        for part in inputs:
            yield from paths_in(part)


def lies_below(path: Path, folder: Path) -> bool:
    """Whether a path that a visitor wrote leads into the folder, and no way round.

    It is not looked up: on Windows that alone would ask another machine.
    """
    homes = (folder, folder.resolve())  # gradio gives back either
    return ".." not in path.parts and any(path.is_relative_to(home) for home in homes)


def _delete(path: Path) -> None:
    """Unless it is gone, or a folder."""
    with contextlib.suppress(OSError):
        if path.is_file():
            path.unlink()
