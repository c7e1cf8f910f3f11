"""What all parts of the page share: folders, the queue of trainings, whose turn it is."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from consingan.machine.files import make_folder
from consingan.web.pictures import Brought, bring_in
from consingan.web.queue import Trainings
from consingan.web.sent import SentFiles, lies_below, paths_in
from consingan.web.turns import Turns
from consingan.web.visits import Visits

SWEEP_EVERY = 60.0  # seconds
NEWEST = 5  # folders of a name that a visitor has; what is shown lies in the last that is whole


@dataclass(frozen=True)
class Desk:
    """What the page works with.

    Attributes:
        root: folder of the runs, where all results go.
        sessions: folder with one for each visitor, of what they brought, in the folder where gradio
            puts what browsers send; it sends what lies there to whoever knows the path, and of the
            runs nothing.
        trainings: that wait or run.
        turns: whose turn it is to compute.
        sent: files that browsers have sent, as gradio keeps them.
        visits: who is there, so that what somebody brought stays as long.
        looking: held while pictures of runs are made ready to be shown.
    """

    root: Path
    sessions: Path
    trainings: Trainings
    turns: Turns = field(default_factory=Turns)
    sent: SentFiles = field(default_factory=SentFiles)
    visits: Visits = field(default_factory=Visits)
    looking: threading.Lock = field(default_factory=threading.Lock)

    def own(self, request: gr.Request) -> Path:
        """The visitor's folder; its name tells nothing, and what a browser says is no path."""
        return make_folder(self.sessions / digest(str(request.session_hash)))

    def watch(self) -> None:
        """Look after the queue, and after what visitors leave behind, from now on."""
        self.trainings.watch()
        threading.Thread(target=self._sweep_again_and_again, daemon=True).start()

    def staying(self, session_hash: str) -> AbstractContextManager[None]:
        """The visitor is there as long as the block lasts."""
        return self.visits.staying(digest(session_hash))

    def leave(self, request: gr.Request) -> None:
        """The visitor's page was closed, or its connection dropped; what they brought waits."""
        self.visits.hear(digest(str(request.session_hash)))

    def sweep(self) -> None:
        """Delete what visitors brought who have been gone for long."""
        for visitor in self.visits.take_gone():
            shutil.rmtree(self.sessions / visitor, ignore_errors=True)
            self.sent.drop(visitor, self.sessions.parent)

    def _sweep_again_and_again(self) -> None:
        while True:
            time.sleep(SWEEP_EVERY)
            with contextlib.suppress(OSError):
                self.sweep()

    def fresh(self, request: gr.Request, name: str) -> Path:
        """An empty folder of the visitor's for what is shown instead of the last of that name."""
        return make_folder(self._next(request, name))

    def _next(self, request: gr.Request, name: str) -> Path:
        """A path for the next folder of that name; the oldest ones go."""
        own = self.own(request)
        for old in sorted(own.glob(f"{name}_[0-9]*"))[:-NEWEST]:
            shutil.rmtree(old, ignore_errors=True)
        return own / f"{name}_{time.time_ns()}"

    def holds(self, inputs: Any) -> bool:
        """Whether all files that a browser names lie where gradio puts what it is sent."""
        return all(lies_below(path, self.sessions.parent) for path in paths_in(inputs))

    def remember(self, session_hash: str, inputs: Any) -> None:
        """Note which files the visitor's browser sent for parts of the page that hold `inputs`."""
        folder = self.sessions.parent  # nothing else is deleted, whatever path a visitor writes
        named = (path for path in paths_in(inputs) if ".." not in path.parts)
        paths = [path for path in named if path.parent.parent == folder]
        self.visits.hear(digest(session_hash))
        self.sent.add(digest(session_hash), paths)

    def bring_in(
        self, file: str | None, request: gr.Request, name: str, easel: bool = False
    ) -> Brought:
        """Take over a file that the visitor's browser sent, see `pictures.bring_in`."""
        # What is refused makes no folder: the picture before it stays on the page.
        return bring_in(file, self._next(request, name), easel)


def copy_to_show(file: Path, folder: Path) -> Path:
    """Of a run's file as it is now, a copy that may be sent, in a visitor's folder."""
    return Path(shutil.copyfile(file, make_folder(folder / digest(str(file))) / file.name))


def digest(text: str) -> str:
    """A name for a folder that tells nothing of the text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
