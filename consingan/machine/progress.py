"""A bar with the time left, for work that is counted in pieces; spans and sizes in words."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 1.0  # seconds; what takes less needs no bar
USUAL = {"ncols": 80, "nrows": 24}  # of a terminal that does not know


def on_terminal() -> dict[str, Any]:
    """How tqdm is to draw on standard error: not at all where that is no terminal.

    Terminals that were told no size, as in containers, say that it is 0, into which tqdm draws
    nothing.
    """
    drawn: dict[str, Any] = {"disable": not sys.stderr.isatty()}
    with contextlib.suppress(OSError, ValueError):  # no terminal
        if os.get_terminal_size(sys.stderr.fileno()).columns == 0:
            drawn |= USUAL
    return drawn


def tracked(pieces: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Pass `pieces` on behind a bar called `what`, which is wiped off at the end.

    There is none where standard error is no terminal.
    """
    from tqdm import tqdm

    yield from tqdm(pieces, what, total, leave=False, delay=PATIENCE, **on_terminal())


@contextlib.contextmanager
def ticking(total: int, what: str) -> Iterator[Callable[[], None]]:
    """A bar called `what` of `total` ticks with the time left; what it gives is called at each.

    There is none where standard error is no terminal.
    """
    from tqdm import tqdm

    with tqdm(desc=what, total=total, leave=False, **on_terminal()) as bar:

        def tick() -> None:
            bar.update()

        yield tick


def untold() -> None:
    """Called at each piece where nobody wants to know."""


def in_words(seconds: float) -> str:
    """A time span as "45 s", "12 min" or "3 h 20 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def in_gigabytes(count: int) -> str:
    """Bytes as "0.4 GB"."""
    return f"{count / 1e9:.1f} GB"


def counted(number: int, what: str) -> str:
    """A number of things as "1 run" or "3 runs"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
