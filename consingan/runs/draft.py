"""The hidden folder that a run's folder is made in, `.NAME.xxxx.tmp`, so that it appears whole.

.lock    held while its maker lives
NAME/    the run's folder until it is renamed
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from consingan.machine.locking import LOCK, lock_of

PATIENCE = 10.0  # seconds for another one's look at the lock


@contextlib.contextmanager
def draft(parent: Path, name: str) -> Iterator[Path]:
    """A new folder called `name`, hidden below `parent`; what is left of it goes in the end.

    Drafts that killed trainings left there go first.

    Raises:
        OSError: it cannot be made.
    """
    clear_drafts(parent)
    # A folder of a name of its own, in it one with the usual permissions.
    hidden = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".tmp", dir=parent))
    try:
        with contextlib.ExitStack() as stack:
            # Where files cannot be locked nobody clears a draft, either.
            with contextlib.suppress(OSError, NotImplementedError):
                stack.enter_context(lock_of(hidden).acquire(PATIENCE))
            (hidden / name).mkdir()  # after the lock, see `clear_drafts`
            yield hidden / name
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def is_draft(name: str) -> bool:
    """Whether a folder of this name is such a hidden one."""
    return name.startswith(".") and name.endswith(".tmp")


def clear_drafts(parent: Path) -> None:
    """Remove the drafts in `parent` whose makers are dead.

    Where there is a run, its maker has the lock, or had it. Whoever gets the lock then removes what
    is there, were it the lock alone: taking it makes file and folder anew that the maker has just
    removed.
    """
    for hidden in (path for path in parent.glob(".*.tmp") if (path / LOCK).is_file()):
        with contextlib.suppress(OSError, NotImplementedError):  # Timeout, too: it is being made
            if not any(path.is_dir() for path in hidden.iterdir()):
                continue  # perhaps just begun
            with lock_of(hidden).acquire(0):
                pass
            shutil.rmtree(hidden, ignore_errors=True)
