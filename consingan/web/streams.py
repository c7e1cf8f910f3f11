"""Nobody waits for an answer on a stream that is closed (gradio's page would, for ever)."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from urllib.parse import parse_qs

STREAM, JOIN = "/gradio_api/queue/data", "/gradio_api/queue/join"
CLOSED = re.compile(rb'"msg":\s*"close_stream"')
SESSION = re.compile(rb'"session_hash":\s*"([^"\\]+)"')
TAIL = 4096  # bytes of a request's end in which its session is looked for
LINGER = 3.0  # seconds; what follows from an answer, and most clicks, come before
PATIENCE = 1.0  # seconds; a page takes some hundredths, and a proxy may keep its going to itself


class Streams:
    """Keeps a page's stream open a while, and says that it is closed before anything else (ASGI).

    A page reads the answers to its events from one stream, which the server closes when none is
    awaited. Asked for something in that very moment it may learn that the event is queued before
    it has read that the stream is closed: it then opens no other, and waits on none. So the stream
    stays open for what may follow. When it is closed a page that has read it hangs up: the
    stream's end waits for that, and the next event for the end.

    A browser has six connections to a server for all its tabs, and each holds one as long as it is
    open: one stream for each of those who ask stays open, others are closed at once.

    Args:
        app: that answers.
        linger: seconds that a stream stays open for the next event.
        patience: seconds that a page is waited for.
    """

    def __init__(self, app: Any, linger: float = LINGER, patience: float = PATIENCE) -> None:
        self.app, self.linger, self.patience = app, linger, patience
        self.open: dict[str, asyncio.Event] = {}  # session -> set when something was asked for
        self.closing: dict[str, asyncio.Event] = {}  # session -> set when its page has hung up
        self.lingering: set[str] = set()  # who has a stream that stays open

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass all on, in that order."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path == STREAM:
            await self._stream(scope, receive, send)
        elif path == JOIN:
            await self._join(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _stream(self, scope: Any, receive: Any, send: Any) -> None:
        session = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
        # A page that sent a file meanwhile hangs up on that instead; when it opens another stream
        # it has read that this one was closed.
        if session in self.closing:
            self.closing[session].set()
        asked = self.open[session] = asyncio.Event()
        closes: list[Any] = []  # what says that it is closed
        begun = False

        async def told(message: Any) -> None:
            nonlocal begun
            if CLOSED.search(message.get("body", b"")):
                asked.clear()
                closes.append(message)
            elif not closes and not (begun and message["type"] == "http.response.start"):
                begun = True
                await send(message)

        try:
            await self.app(dict(scope), receive, told)
            while closes and await self._is_asked(scope, receive, asked):
                closes.clear()
                await self.app(dict(scope), receive, told)
        finally:
            if self.open.get(session) is asked:
                del self.open[session]
        if closes:
            await self._close(session, closes[0], receive, send)

    async def _is_asked(self, scope: Any, receive: Any, asked: asyncio.Event) -> bool:
        """Whether something is asked for while the stream stays open."""
        who = str((scope.get("client") or ("",))[0])
        if who in self.lingering:
            return asked.is_set()
        self.lingering.add(who)
        waits = [asyncio.ensure_future(w) for w in (asked.wait(), _hung_up(receive))]
        try:
            await asyncio.wait(waits, timeout=self.linger, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.lingering.discard(who)
            for wait in waits:
                wait.cancel()
        return asked.is_set()

    async def _close(self, session: str, closes: Any, receive: Any, send: Any) -> None:
        """Say that the stream is closed, and end it when the page has read that."""
        gone = self.closing[session] = asyncio.Event()
        try:
            await send(closes)
            waits = [asyncio.ensure_future(w) for w in (gone.wait(), _hung_up(receive))]
            await asyncio.wait(waits, timeout=self.patience, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        finally:
            gone.set()
            if self.closing.get(session) is gone:
                del self.closing[session]
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _join(self, scope: Any, receive: Any, send: Any) -> None:
        end = bytearray()

        async def read() -> Any:
            message = await receive()
            end.extend(message.get("body", b"")[-TAIL:])
            del end[:-TAIL]
            return message

        async def told(message: Any) -> None:
            if message["type"] == "http.response.start" and (found := SESSION.findall(end)):
                session = found[-1].decode("latin-1")
                if session in self.open:
                    self.open[session].set()
                if session in self.closing:
                    await self.closing[session].wait()
            await send(message)

        await self.app(scope, read, told)


async def _hung_up(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
