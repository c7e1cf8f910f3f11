"""What a training sends home that is done without the study's folder, and who takes it in.

Files travel packed; each is written whole or not at all, those that say what counts come last.
"""

from __future__ import annotations

import io
import math
import tarfile
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consingan.batch.ledger import LEDGER
from consingan.machine.files import atomic_path
from consingan.runs.files import RESUME

LEFT_OUT = (".lock", "tensorboard")  # of what travels
SEND_EVERY = 30.0  # seconds between two states of a training that travel


class Depot:
    """Takes in what trainings on machines without the study's folder save, and gives it out."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def give(self, name: str) -> bytes:
        """All that is there of an order, packed."""
        return packed(self.folder / name, files_of(self.folder / name))

    def picture(self, path: str) -> bytes:
        """A training image's file."""
        return Path(path).read_bytes()

    def take(self, name: str, content: bytes, there: Collection[str]) -> None:
        """Lay what a training saved over what is there, each file whole or not at all.

        Args:
            name: of the order.
            content: files that are new, packed.
            there: names of all files; others are removed.
        """
        folder = self.folder / name
        unpack(content, folder)
        for gone in set(files_of(folder)) - set(there):
            (folder / gone).unlink(missing_ok=True)


def files_of(folder: Path) -> dict[str, int]:
    """The files of an order's folder that travel, with the times of their changes in ns."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and path.suffix != ".tmp" and not set(name.parts) & set(LEFT_OUT):
            found[name.as_posix()] = path.stat().st_mtime_ns
    return found


def packed(folder: Path, names: Iterable[str]) -> bytes:
    """Files of an order's folder as a tar.

    The ledger and manifests come last: they say what counts, when the rest is there.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in sorted(names, key=lambda n: (n.endswith(".json"), n == LEDGER, n)):
            archive.add(folder / name, name)
    return buffer.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """Write the files of a tar below `folder`."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            target = (folder / member.name).resolve()
            inside = archive.extractfile(member)
            if inside is None or not target.is_relative_to(folder.resolve()):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(target) as temporary:
                temporary.write_bytes(inside.read())


def awaited(reference: Any) -> Any:
    """What a call of an actor gives.

    Not by `ray.get`: while that waits, Ray gives the task's CPU to another one.
    """
    return reference.future().result()


@dataclass
class Sender:
    """Sends what is new in an order's folder to the depot, and waits until it is there.

    The ledger goes at once, the state of a training, which is large, every `SEND_EVERY` seconds.
    """

    name: str
    depot: Any
    sent: dict[str, int] = field(default_factory=dict)
    last: float = -math.inf

    def __call__(self, folder: Path) -> None:
        """Send what is due."""
        early = time.monotonic() - self.last < SEND_EVERY
        self.send(folder, lambda name: not (early and name.endswith(RESUME)))

    def send(self, folder: Path, due: Callable[[str], bool] = lambda _: True) -> None:
        """Send all that is due."""
        there = files_of(folder)
        new = [key for key, changed in there.items() if self.sent.get(key) != changed and due(key)]
        if any(key.endswith(RESUME) for key in new):
            self.last = time.monotonic()
        awaited(self.depot.take.remote(self.name, packed(folder, new), list(there)))
        self.sent.update((key, there[key]) for key in new)
