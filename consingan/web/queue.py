"""Trainings, one at a time: each is the ordinary command in a process of its own.

The process outlives the page and the server. What is known of it is found in its run's folder, so
that a page that is opened later, or another server, finds it again.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consingan.errors import UserError
from consingan.machine.files import make_folder
from consingan.machine.program import starter
from consingan.runs.listing import runs_below
from consingan.runs.progress import read_progress, stop_training
from consingan.web.answers import sentence_of
from consingan.web.kept import KeptOrders, Waiting, Words

RUN = "{run}"  # in words of a command: the folder of the run that the one before it made
LOOK_EVERY = 0.5  # seconds between two looks at what runs
KEPT = 20  # orders that have ended and are still told of
LONGEST_LOG = 2**16  # bytes of its end that are read
STOPPED = 130  # exit code, and -2: ended by Ctrl+C


@dataclass
class Order:
    """What somebody asked for: commands one after the other.

    Attributes:
        title: what it is, in words.
        commands: words after `consingan`, of each.
        number: that names it.
        run: folder of its run, once there is one.
        ended: None while it waits or runs; then "" or the sentence that says why it failed.
    """

    title: str
    commands: Sequence[Words]
    number: int = 0
    run: Path | None = None
    ended: str | None = None
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    step: int = 0


@dataclass
class Trainings:
    """The queue of one server.

    Attributes:
        root: folder of the runs; while a training runs anywhere in it, none is begun.
        logs: folder for what the commands print.
        program: what starts them: the program that serves the page, which alone knows a task or a
            method that it adds. It is not kept: a file in a folder of runs may name no program.
        told: processes that were told to stop, with the run that they trained by then: one of a
            study trains others afterwards, and another may have its number.
    """

    root: Path
    logs: Path
    orders: list[Order] = field(default_factory=list)
    program: Words = field(default_factory=starter)
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    told: dict[int, Path | None] = field(default_factory=dict)

    @functools.cached_property
    def kept(self) -> KeptOrders:
        """Where those that wait are kept for the next server."""
        return KeptOrders(self.root)

    def watch(self) -> None:
        """Take up what waited when the last server ended, and look after the queue from now on."""
        with self.lock:
            for left in self.kept.take_up():
                order = Order(left.title, left.commands, next(self.numbers), left.run)
                self.orders.append(order)
        threading.Thread(target=self._watch, daemon=True).start()

    def add(self, title: str, *commands: Words) -> Order:
        """Put something at the end of the queue."""
        with self.lock:
            order = Order(title, commands, next(self.numbers))
            self.orders.append(order)
            self._keep()
        self.advance()
        return order

    def holds(self, command: Words) -> bool:
        """Whether an order with that command waits or is carried out."""
        self.advance()  # what has ended by now is neither
        return any(command in o.commands for o in self.orders if o.ended is None)

    def drop(self, number: int) -> None:
        """Take something out of the queue that has not begun.

        Raises:
            UserError: it has.
        """
        with self.lock:
            found = [o for o in self.orders if o.number == number and o.process is None]
            if not found:
                raise UserError("That one has begun; stop it instead.")
            self.orders.remove(found[0])
            self._keep()

    def _keep(self) -> None:
        """Those that wait, and what is left of the one that runs."""
        order = self.current()
        rest = order.commands[order.step + 1 :] if order is not None and order.run else ()
        begun = [Waiting(order.title, rest, order.run)] if order is not None and rest else []
        self.kept.keep([*begun, *(Waiting(o.title, o.commands, o.run) for o in self.waiting())])

    def waiting(self) -> list[Order]:
        """Those that have not begun, in their order."""
        return [o for o in self.orders if o.process is None and o.ended is None]

    def current(self) -> Order | None:
        """The one that runs, if it was begun here."""
        return next((o for o in self.orders if o.process is not None and o.ended is None), None)

    def running(self) -> dict[str, Path]:
        """Runs that are being trained, whoever began them, by name."""
        return {n: p for n, p in runs_below(self.root).items() if read_progress(p) is not None}

    def last(self) -> Order | None:
        """The one that ended last."""
        return next((o for o in reversed(self.orders) if o.ended is not None), None)

    def going(self, running: Mapping[str, Path]) -> dict[int, Path | None]:
        """Process -> run of what is `running`, or None while it gets ready."""
        runs = running.values()
        found: dict[int, Path | None] = {p.process: r for r in runs if (p := read_progress(r))}
        order = self.current()
        ready = {order.process.pid: None} if order is not None and order.process else {}
        return found or {**ready}

    def stop(self, shown: Mapping[int, Path | None]) -> None:
        """Do what Ctrl+C does to the trainings that run, or get ready, and are shown.

        To each once: a second time it would end at once, without saving its state.

        Args:
            shown: `going` when somebody looked; another may have begun since.

        Raises:
            UserError: there is none.
        """
        going = self.going(self.running())
        if not going:
            raise UserError("No training is going on.")
        meant = [process for process in going if _is_same(shown, process, going[process])]
        if not meant:
            raise UserError("Another training has begun; press again to stop that one.")
        for process in meant:
            run, order = going[process], self.current()
            if _is_same(self.told, process, run):
                continue
            if run is not None:
                stop_training(run)
            elif order is not None and order.process is not None:
                order.process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
            self.told[process] = run

    def advance(self) -> None:
        """See what has ended, and begin what is next."""
        with self.lock:
            order = self.current()
            if order is not None:
                self._look_after(order)
            waiting = self.waiting()
            if self.current() is None and waiting and not self.running():
                self._begin(waiting[0])
                self._keep()
            ended = [o for o in self.orders if o.ended is not None]
            for old in ended[:-KEPT]:
                self.orders.remove(old)

    def _watch(self) -> None:
        said = ""
        while True:
            time.sleep(LOOK_EVERY)
            try:
                self.advance()
            except Exception as error:  # no bug may end the queue, or be told twice a second
                if said != (said := repr(error)):
                    traceback.print_exception(error)

    def _begin(self, order: Order) -> None:
        """Begin its next command; where that cannot be, it ends with the sentence."""
        try:
            self._run(order)
        except (OSError, UserError) as error:
            order.ended = sentence_of(error)
            self._keep()

    def _run(self, order: Order) -> None:
        words = [str(order.run) if w == RUN else w for w in order.commands[order.step]]
        handle, name = tempfile.mkstemp(suffix=".txt", dir=make_folder(self.logs))
        order.log = Path(name)
        apart: Any = {"start_new_session": True}
        if os.name == "nt":
            apart = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        with os.fdopen(handle, "wb") as log:
            order.process = subprocess.Popen(
                [*self.program, *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
                **apart,
            )  # fmt: skip

    def _look_after(self, order: Order) -> None:
        assert order.process is not None
        text = printed(order)
        found = re.findall(r"^run folder: (.+)$", text, re.MULTILINE)
        if found and order.run is None:
            order.run = Path(found[-1].strip())
            self._keep()
        code = order.process.poll()
        if code is None:
            return
        self.told.pop(order.process.pid, None)
        if code == 0 and order.step + 1 < len(order.commands):
            order.step += 1
            self._begin(order)
        else:
            order.ended = "" if code in (0, STOPPED, -2) else _reason(text, code)
            self._keep()


def _is_same(known: Mapping[int, Path | None], process: int, run: Path | None) -> bool:
    """Whether a process trains what is known of it; before a run and after it has none."""
    return process in known and (run is None or known[process] in (None, run))


def printed(order: Order) -> str:
    """What its command has printed, the end of it."""
    if order.log is None:
        return ""
    try:
        return order.log.read_bytes()[-LONGEST_LOG:].decode("utf-8", "replace")
    except OSError:
        return ""


def _reason(text: str, code: int) -> str:
    """The sentence of the library, else the last line."""
    errors = re.findall(r"^Error: (.+)$", text, re.MULTILINE)
    lines = [line for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else "it said nothing"
    if errors:
        return str(errors[-1])
    if code < 0:  # it could say nothing of that itself
        name = next((s.name for s in signal.Signals if s == -code), f"signal {-code}")
        memory = ", as happens where memory runs out" if name == "SIGKILL" else ""
        return f"It was ended by {name}{memory}."
    return f"It ended with exit code {code}: {last}"
