"""What all parts of the page share: folders, the queue of trainings, whose turn it is."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr

from consingan.machine.files import atomic_path, make_folder
from consingan.web.queue import Trainings
from consingan.web.turns import Turns


@dataclass(frozen=True)
class Desk:
    """What the page works with.

    Attributes:
        root: folder of the runs, where all results go.
        sessions: folder with one for each visitor, of what they brought; gradio sends what lies in
            it to whoever knows the path, and of the runs nothing.
        trainings: that wait or run.
        turns: whose turn it is to compute.
        looking: held while pictures of runs are made ready to be shown.
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

    def copy_to_show(self, file: Path) -> Path:
        """Of a run's file as it is now, a copy that may be sent."""
        place = _digest(f"{file} {file.stat().st_mtime_ns}")
        path = make_folder(self.sessions / "runs" / place) / file.name
        with self.looking:
            if not path.is_file():
                with atomic_path(path) as part:
                    shutil.copyfile(file, part)
        return path


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
