"""What all parts of the page share: folders, the queue of trainings, whose turn it is."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr

from consingan.machine.files import make_folder
from consingan.web.queue import Trainings
from consingan.web.turns import Turns


@dataclass(frozen=True)
class Desk:
    """What the page works with.

    Attributes:
        root: folder of the runs, where all results go.
        sessions: folder with one for each visitor, of what they brought.
        trainings: that wait or run.
        turns: whose turn it is to compute.
        looking: held while thumbnails are made.
    """

    root: Path
    sessions: Path
    trainings: Trainings
    turns: Turns = field(default_factory=Turns)
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


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
