"""Nobody waits for an answer on a stream that is closed (gradio's page would, for ever)."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

STREAM, JOIN = "/gradio_api/queue/data", "/gradio_api/queue/join"
CLOSED = re.compile(rb'"msg":\s*"close_stream"')
SESSION = re.compile(rb'"session_hash":\s*"([^"\\]+)"')
TAIL = 4096  # bytes of a request's end in which its session is looked for
PATIENCE = 1.0  # seconds; a page takes some hundredths, and a proxy may keep its going to itself


class Streams:
    """Tells a page of its next event only when it knows that its stream was closed (ASGI).

    A page reads the answers to its events from one stream, which the server closes when none is
    awaited. Asked for something in that very moment it may learn that the event is queued before
    it has read that the stream is closed: it then opens no other, and waits on none. A page that
    has read it hangs up, so here the stream's end waits for that, and the next event for the end.

    Args:
        app: that answers.
        patience: seconds that a page is waited for.
    """

    def __init__(self, app: Any, patience: float = PATIENCE) -> None:
        self.app, self.patience = app, patience
        self.closing: dict[str, asyncio.Event] = {}  # session -> set when its page has hung up

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
        gone = asyncio.Event()
        # A page that has sent a file meanwhile hangs up on that instead; one that opens another
        # stream has read that the one before was closed.
        if session in self.closing:
            self.closing[session].set()
        last: list[Mapping[str, Any]] = []

        async def told(message: Mapping[str, Any]) -> None:
            if CLOSED.search(message.get("body", b"")):
                self.closing[session] = gone
            if self.closing.get(session) is gone and not message.get("more_body", True):
                last.append(message)
            else:
                await send(message)

        try:
            await self.app(scope, receive, told)
            if last:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(_hung_up(receive), self.patience)
        finally:
            gone.set()
            if self.closing.get(session) is gone:
                del self.closing[session]
        for message in last:
            await send(message)

    async def _join(self, scope: Any, receive: Any, send: Any) -> None:
        end = bytearray()

        async def read() -> Any:
            message = await receive()
            end.extend(message.get("body", b"")[-TAIL:])
            del end[:-TAIL]
            return message

        async def told(message: Any) -> None:
            if message["type"] == "http.response.start" and (found := SESSION.findall(end)):
                closing = self.closing.get(found[-1].decode("latin-1"))
                if closing is not None:
                    await closing.wait()
            await send(message)

        await self.app(scope, read, told)


async def _hung_up(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
