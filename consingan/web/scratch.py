"""A folder for what people bring to the page: gone when the server ends, or with the next one.

A server holds a lock in its folder as long as it runs. What one left that was killed, or whose
machine went off, is told by its lock that nobody holds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from filelock import FileLock, Timeout

PREFIX, LOCK = "consingan-web-", ".lock"
NEW = 60.0  # seconds; so young a folder may be one whose server has not taken its lock yet


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for this user alone, gone when it is closed; those left behind go first."""
    for left in _left_behind(Path(tempfile.gettempdir())):
        _delete(left)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = FileLock(folder / LOCK)
    with contextlib.suppress(OSError, NotImplementedError):  # some disks know no locks
        lock.acquire(timeout=0)
    try:
        yield folder
    finally:
        with _undisturbed():
            lock.release()  # Windows deletes no file that is held
            _delete(folder)


def _delete(folder: Path) -> None:
    """The lock last: by it the next server knows what is left, should this one be killed."""
    for part in folder.glob("*"):
        shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _left_behind(parent: Path) -> Iterator[Path]:
    """Folders of this user's servers that have ended."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, NotImplementedError, Timeout):
            if _may_be_left(folder.lstat()) and (folder / LOCK).is_file():
                with FileLock(folder / LOCK).acquire(timeout=0):
                    pass
                yield folder


def _may_be_left(found: os.stat_result) -> bool:
    own = os.name == "nt" or found.st_uid == os.getuid()
    return own and stat.S_ISDIR(found.st_mode) and time.time() - found.st_mtime > NEW


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl+C does, so that all is cleared up.

    What is ignored stays so: nohup asks for it. While the server runs it takes SIGTERM itself, and
    raises it again when it has ended.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGTERM, *([signal.SIGHUP] if os.name != "nt" else [])]
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}

    def end(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGTERM:
            signal.raise_signal(signal.SIGTERM)  # to the server, where it runs
            return
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # a second one must not end the clearing up
        raise SystemExit(0)

    _take({number: end for number in before})
    try:
        yield
    finally:
        _take(before)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let nothing end the block: Ctrl+C is repeated each second (SIGALRM) until a command ends."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGINT", "SIGALRM", "SIGTERM", "SIGHUP")
    numbers = [number for name in names if (number := getattr(signal, name, None))]
    before = {number: signal.getsignal(number) for number in numbers}
    _take(dict.fromkeys(numbers, signal.SIG_IGN))
    try:
        yield
    finally:
        _take(before)


def _take(handlers: dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
