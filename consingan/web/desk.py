"""What all parts of the page share: folders, the queue of trainings, one heavy thing at a time."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import gradio as gr

from consingan.errors import UserError
from consingan.machine.files import make_folder
from consingan.web.queue import Trainings

T = TypeVar("T")
WAIT = 600.0  # seconds that one waits for the work of another


@dataclass(frozen=True)
class Desk:
    """What the page works with.

    Attributes:
        root: folder of the runs, where all results go.
        sessions: folder with one for each visitor, of what they brought.
        trainings: that wait or run.
        busy: held while pictures are computed.
        looking: held while thumbnails are made.
    """

    root: Path
    sessions: Path
    trainings: Trainings
    busy: threading.Lock = field(default_factory=threading.Lock)
    looking: threading.Lock = field(default_factory=threading.Lock)

    def own(self, request: gr.Request) -> Path:
        """The visitor's folder; its name tells nothing, and what a browser says is no path."""
        return make_folder(self.sessions / _digest(str(request.session_hash)))

    def forget(self, request: gr.Request) -> None:
        """The visitor is gone, and what they brought too."""
        shutil.rmtree(self.sessions / _digest(str(request.session_hash)), ignore_errors=True)

    def fresh(self, request: gr.Request, name: str) -> Path:
        """An empty folder of the visitor's for new results."""
        return make_folder(self.own(request) / f"{name}_{time.time_ns()}")

    @contextlib.contextmanager
    def computing(self) -> Iterator[None]:
        """One at a time: two would be slower than one after the other.

        Raises:
            UserError: the other took too long.
        """
        if not self.busy.acquire(timeout=WAIT):
            raise UserError("The machine is busy with another picture; try again later.")
        try:
            yield
        finally:
            self.busy.release()

    def step_by_step(self, steps: Iterator[T]) -> Iterator[T]:
        """Each step is made while nobody else computes; between two, and when stopped, others may.

        Raises:
            UserError: another took too long.
        """
        while True:
            with self.computing():
                step = next(steps, None)
            if step is None:
                return
            yield step


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
