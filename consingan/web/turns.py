"""One at a time: two that compute would be slower than one after the other."""

from __future__ import annotations

import contextlib
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
    """

    patience: float = 600.0
    busy: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Compute while nobody else does.

        Raises:
            UserError: another took too long.
        """
        if not self.busy.acquire(timeout=self.patience):
            raise UserError("The machine is busy with another picture; try again later.")
        try:
            yield
        finally:
            self.busy.release()

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
