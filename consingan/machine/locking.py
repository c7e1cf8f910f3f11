"""One process at a time in a run's folder."""

from __future__ import annotations

import contextlib
import errno
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from consingan.errors import UserError

LOCK = (
    ".lock"  # file in the run's folder; it may stay there, what counts is the system's lock on it
)
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)


def lock_of(folder: Path) -> FileLock:
    """The lock of a run's folder; one such object may be held several times over by one thread."""
    return FileLock(folder / LOCK, timeout=0)


@contextlib.contextmanager
def holding(lock: FileLock) -> Iterator[None]:
    """Hold a lock; the system takes it back when the process ends, however it ends.

    Raises:
        UserError: another process, or another thread of this one, holds it.
    """
    folder = Path(lock.lock_file).parent
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock.acquire())
        except Timeout:
            raise UserError(
                f"Another process is training in {folder}; wait until it has ended, or stop it "
                "first."
            ) from None
        except (OSError, NotImplementedError) as error:
            if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
                raise
            warnings.warn(
                f"{folder} lies where files cannot be locked: take care that no other process "
                "trains in it.",
                stacklevel=2,
            )
        yield
