"""Files as browsers sent them: gradio keeps one for each content and name, whoever sends it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SentFiles:
    """Who sent which file, so that it goes with the last of them.

    Attributes:
        senders: file -> visitors who have sent it and are still there.
        written: file -> when, in ns, it was when the last of them sent it.
    """

    senders: dict[Path, set[str]] = field(default_factory=dict)
    written: dict[Path, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, path: Path, visitor: str) -> None:
        """Remember who sent a file that lies there."""
        with self.lock, contextlib.suppress(OSError):
            self.written[path] = path.stat().st_mtime_ns
            self.senders.setdefault(path, set()).add(visitor)

    def drop(self, visitor: str) -> None:
        """Delete what nobody but this visitor has sent."""
        with self.lock:
            for path in [path for path, who in self.senders.items() if visitor in who]:
                self.senders[path].remove(visitor)
                if not self.senders[path]:
                    del self.senders[path]
                    _delete(path, self.written.pop(path))


def paths_in(inputs: Any) -> Iterator[Path]:
    """Files in what a browser says of parts of the page: {"path": ...} at any depth."""
    if isinstance(inputs, dict):
        if isinstance(path := inputs.get("path"), str):
            yield Path(path)
        inputs = list(inputs.values())
    if isinstance(inputs, list):
        for part in inputs:
            yield from paths_in(part)


def _delete(path: Path, written: int) -> None:
    """Unless it was sent again just now, by somebody of whom we shall be told in a moment."""
    with contextlib.suppress(OSError):
        if path.stat().st_mtime_ns == written:
            path.unlink()
