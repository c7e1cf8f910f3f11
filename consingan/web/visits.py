"""Who is there: whose page holds its connection open, and since when others were not heard of."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

GONE = 3600.0  # seconds; networks drop and laptops sleep, and the page lives on
# A page asks for it once and reads on as long as it is open.
HEARTBEAT = re.compile(r"/gradio_api/heartbeat/([^/]+)")


@dataclass(frozen=True)
class Visits:
    """Visitors that are there, or were not long ago.

    Attributes:
        heard: visitor -> when they were last heard of, in seconds of the clock.
        held: visitor -> connections and answers of theirs that are not at an end.
        clock: seconds that only grow.
    """

    heard: dict[str, float] = field(default_factory=dict)
    held: Counter[str] = field(default_factory=Counter)
    clock: Callable[[], float] = time.monotonic
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, visitor: str) -> None:
        """Note that somebody asked for something."""
        with self.lock:
            self.heard[visitor] = self.clock()

    @contextlib.contextmanager
    def staying(self, visitor: str) -> Iterator[None]:
        """Somebody is there as long as the block lasts, and was then heard of."""
        with self.lock:
            self.held[visitor] += 1
        try:
            yield
        finally:
            with self.lock:
                self.held[visitor] -= 1
                if not self.held[visitor]:
                    del self.held[visitor]
                if visitor in self.heard:  # else they brought nothing
                    self.heard[visitor] = self.clock()

    def take_gone(self) -> list[str]:
        """Those who are gone by now; each is told of once."""
        with self.lock:
            before = self.clock() - GONE
            gone = [v for v, when in self.heard.items() if when <= before and v not in self.held]
            for visitor in gone:
                del self.heard[visitor]
        return gone


class Heartbeats:
    """Notes whose page is open (ASGI).

    Args:
        app: that answers.
        staying: holds somebody, by the name that their page gave itself.
    """

    def __init__(self, app: Any, staying: Callable[[str], AbstractContextManager[None]]) -> None:
        self.app, self.staying = app, staying

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass all on."""
        found = HEARTBEAT.fullmatch(scope["path"]) if scope["type"] == "http" else None
        with self.staying(found[1]) if found else contextlib.nullcontext():
            await self.app(scope, receive, send)
