"""One process at a time in a folder: trains in a run's, or writes its results there."""

from __future__ import annotations

import contextlib
import errno
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from consingan.errors import UserError

LOCK = ".lock"  # file in the folder; it may stay there, what counts is the system's lock on it
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)


def lock_of(folder: Path) -> FileLock:
    """The lock of a folder; one such object may be held several times over by one thread."""
    return FileLock(folder / LOCK, timeout=0)


@contextlib.contextmanager
def holding(lock: FileLock, deed: str = "training", seconds: float = 0.0) -> Iterator[None]:
    """Hold a lock; the system takes it back when the process ends, however it ends.

    Args:
        lock: of a folder, see `lock_of`.
        deed: what only one process at a time does in the folder, for the sentence.
        seconds: to wait for whoever holds it.

    Raises:
        UserError: another process, or another thread of this one, holds it.
    """
    folder = Path(lock.lock_file).parent
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock.acquire(seconds))
        except Timeout:
            raise UserError(
                f"Another process is {deed} in {folder}; wait until it has ended, or stop it first."
            ) from None
        except (OSError, NotImplementedError) as error:
            if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
                raise
            warnings.warn(
                f"{folder} lies where files cannot be locked: take care that no other process "
                f"is {deed} in it.",
                stacklevel=2,
            )
        yield


@contextlib.contextmanager
def alone_in(folder: Path, deed: str, seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock of a folder as `holding` does, and leave no file of it behind."""
    with holding(lock_of(folder), deed, seconds):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # Windows keeps a lock that is held
                (folder / LOCK).unlink()
