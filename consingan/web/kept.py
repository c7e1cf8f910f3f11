"""Orders that wait are kept in a file, so that another server of the same folder goes on with them.

A server holds a lock as long as it runs; one that comes second keeps nothing, and its orders end
with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from consingan.errors import UserError
from consingan.machine.files import make_folder, read_json, write_json

FILE, LOCK = "queue.json", "queue.lock"
ALLOWED = ("train", "evaluate")  # commands that a page orders; a file may ask for no others

Words = tuple[str, ...]


@dataclass(frozen=True)
class Waiting:
    """An order that has not begun, or what is left of one that has.

    Attributes:
        title: what it is, in words.
        commands: words after `consingan`, of each.
        run: folder of the run that the first ones made.
    """

    title: str
    commands: Sequence[Words]
    run: Path | None = None


@dataclass
class KeptOrders:
    """The file of a folder of runs; `own` is whether this server may write it."""

    root: Path
    own: bool = False
    lock: FileLock | None = field(default=None, repr=False)

    def take_up(self) -> list[Waiting]:
        """What a server that has ended left; nothing where another one is at work."""
        self.lock = FileLock(make_folder(self.root) / LOCK)
        with contextlib.suppress(Timeout, OSError, NotImplementedError):
            self.lock.acquire(timeout=0)
            self.own = True
        if not (self.own and (self.root / FILE).is_file()):
            return []
        try:
            return [_waiting(entry) for entry in read_json(self.root / FILE)["waiting"]]
        except (UserError, OSError, KeyError, TypeError, ValueError):
            return []  # damaged: nothing that was trained is lost by it

    def keep(self, waiting: Sequence[Waiting]) -> None:
        """Write what waits now; the file is gone when nothing does."""
        path = self.root / FILE
        if not self.own:
            return
        with contextlib.suppress(OSError):  # a full disk ends no queue
            if not waiting:
                path.unlink(missing_ok=True)
            else:
                write_json(path, {"waiting": [_entry(one) for one in waiting]})


def _entry(one: Waiting) -> dict[str, Any]:
    run = None if one.run is None else str(one.run)
    return {"title": one.title, "commands": [list(words) for words in one.commands], "run": run}


def _waiting(entry: dict[str, Any]) -> Waiting:
    commands = tuple(tuple(map(str, words)) for words in entry["commands"])
    if not commands or any(not words or words[0] not in ALLOWED for words in commands):
        raise ValueError("a command that no page orders")
    run = entry["run"]
    return Waiting(str(entry["title"]), commands, None if run is None else Path(str(run)))
