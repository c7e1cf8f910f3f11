"""One at a time: two that compute would be slower than one after the other."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from consingan.errors import UserError

T = TypeVar("T")


@dataclass(frozen=True)
class Turns:
    """Whose turn it is.

    Attributes:
        patience: seconds that one waits for the work of another.
        at_work: the thread that computes.
        ended: set when the page is no more.
    """

    patience: float = 600.0
    busy: threading.Lock = field(default_factory=threading.Lock)
    at_work: set[int] = field(default_factory=set)
    ended: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Compute while nobody else does.

        Raises:
            UserError: another took too long, or the page has ended.
        """
        if not self.busy.acquire(timeout=self.patience):
            raise UserError("The machine is busy with another picture; try again later.")
        thread = threading.get_ident()
        self.at_work.add(thread)
        try:
            if self.ended.is_set():
                raise UserError("The page has ended.")
            yield
        finally:
            self.at_work.discard(thread)
            self.busy.release()

    def end(self) -> None:
        """Break off what is computed, as Ctrl+C does a command: the program waits for its threads.

        What it writes is whole or not there, and its folder knows what is there.
        """
        self.ended.set()
        for thread in tuple(self.at_work):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread), ctypes.py_object(SystemExit)
            )

    def step_by_step(self, steps: Iterator[T]) -> Iterator[T]:
        """Make each step alone; between two of them, and when it is given up, others may.

        Raises:
            UserError: another took too long.
        """
        while True:
            with self.alone():
                step = next(steps, None)
            if step is None:
                return
            yield step
