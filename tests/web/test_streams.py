"""A page is told of its next event only when it has read that its stream was closed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from consingan.web.streams import JOIN, STREAM, Streams

CLOSE = b'data: {"msg":"close_stream","event_id":null}\n\n'
HEARTBEAT = b'data: {"msg":"heartbeat"}\n\n'


class Page:
    """What a page reads and when, of a server that closes its stream."""

    def __init__(self, sent: tuple[bytes, ...] = (HEARTBEAT, CLOSE), patience: float = 30.0,
                 linger: float = 0.0):  # fmt: skip
        self.read: list[str] = []
        self.answered = 0
        self.sent = sent
        self.hung_up = asyncio.Event()
        self.streams = Streams(self.server, linger, patience)

    async def server(self, scope, receive, send) -> None:
        if scope["path"] == JOIN:
            while (await receive()).get("more_body"):
                pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        self.answered += scope["path"] == STREAM
        for body in self.sent if scope["path"] == STREAM else (b'{"event_id": "1"}',):
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def stream(self, session: str) -> None:
        async def receive():
            await self.hung_up.wait()
            return {"type": "http.disconnect"}

        await self.asked("stream", STREAM, f"session_hash={session}".encode(), receive)

    async def join(self, session: str, cut: int = 40) -> None:
        body = json.dumps({"data": ["x" * 5000], "fn_index": 1, "session_hash": session}).encode()
        parts = [body[:-cut], body[-cut:]]

        async def receive():
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        await self.asked("join", JOIN, b"", receive)

    async def asked(self, name: str, path: str, query: bytes, receive) -> None:
        async def send(message):
            body = message.get("body", b"")
            if message["type"] == "http.response.start":
                self.read.append(f"{name} begins")
            elif not message["more_body"]:
                self.read.append(f"{name} ends")
            elif body == CLOSE:
                self.read.append("closed")

        scope = {"type": "http", "path": path, "query_string": query}
        await self.streams(scope, receive, send)


def run(visit: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own: a browser of other tests keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, visit).result()


async def soon(task: asyncio.Task[None]) -> bool:
    """Whether it ends without anything else happening."""
    for _ in range(20):
        await asyncio.sleep(0)
    return task.done()


def test_the_next_event_waits_until_the_page_has_hung_up():
    async def visit() -> None:
        page = Page()
        stream = asyncio.create_task(page.stream("abc"))
        assert not await soon(stream)
        assert page.read == ["stream begins", "closed"]
        join = asyncio.create_task(page.join("abc"))
        other = asyncio.create_task(page.join("other"))
        assert await soon(other)  # of another page
        assert not await soon(join)
        page.hung_up.set()
        assert await soon(join)
        assert page.read[-2:] == ["join begins", "join ends"]
        assert stream.done()
        assert page.streams.closing == {}

    run(visit())


def test_a_page_that_never_hangs_up_is_not_waited_for_longer_than_it_may_take():
    async def visit() -> None:
        page = Page(patience=0.01)
        stream = asyncio.create_task(page.stream("abc"))
        await soon(stream)
        await asyncio.gather(stream, page.join("abc"))
        assert page.read.index("closed") < page.read.index("join begins")
        assert "stream ends" in page.read

    run(visit())


def test_a_page_that_opens_another_stream_has_read_that_the_one_before_was_closed():
    async def visit() -> None:
        page = Page()
        streams = [asyncio.create_task(page.stream("abc"))]
        await soon(streams[0])
        page.sent = (HEARTBEAT,)
        streams.append(asyncio.create_task(page.stream("abc")))
        assert await soon(asyncio.create_task(page.join("abc")))  # though none was hung up
        page.hung_up.set()
        await asyncio.gather(*streams)
        assert page.streams.closing == {}

    run(visit())


def test_a_stream_stays_open_for_the_next_event():
    async def visit() -> None:
        page = Page(linger=30.0)
        stream = asyncio.create_task(page.stream("abc"))
        assert not await soon(stream)
        for _ in range(2):
            assert await soon(asyncio.create_task(page.join("abc")))
        assert page.read == ["stream begins", *["join begins", "join ends"] * 2]
        assert page.answered == 3  # times that the server wrote into the one stream
        page.hung_up.set()
        assert await soon(stream)
        assert (page.streams.open, page.streams.closing, page.streams.lingering) == ({}, {}, set())

    run(visit())


def test_one_stream_stays_open_and_others_are_closed_at_once():
    """A browser has few connections for all its tabs."""

    async def visit() -> None:
        page = Page(linger=30.0)
        streams = [asyncio.create_task(page.stream("abc"))]
        assert not await soon(streams[0])
        assert "closed" not in page.read
        streams.append(asyncio.create_task(page.stream("def")))
        assert not await soon(streams[1])
        assert page.read.count("closed") == 1
        page.hung_up.set()
        await asyncio.gather(*streams)

    run(visit())


def test_a_stream_is_closed_when_nothing_follows():
    async def visit() -> None:
        page = Page(linger=0.001, patience=0.001)
        await page.stream("abc")
        assert page.read == ["stream begins", "closed", "stream ends"]

    run(visit())


@pytest.mark.parametrize("cut", [2, 20, 4900])
def test_a_session_is_found_however_the_request_comes_in_parts(cut):
    async def visit() -> None:
        page = Page()
        stream = asyncio.create_task(page.stream("abc"))
        await soon(stream)
        join = asyncio.create_task(page.join("abc", cut))
        assert not await soon(join)
        page.hung_up.set()
        await asyncio.gather(stream, join)

    run(visit())


def test_a_stream_that_ends_without_being_closed_ends_at_once():
    async def visit() -> None:
        page = Page((HEARTBEAT,))
        await page.stream("abc")
        assert page.read == ["stream begins", "stream ends"]

    run(visit())


def test_what_fails_in_a_stream_leaves_no_event_waiting():
    async def visit() -> None:
        page = Page()

        async def breaks(scope, receive, send):
            await send({"type": "http.response.body", "body": CLOSE, "more_body": True})
            raise OSError("gone")

        page.streams.app = breaks
        with pytest.raises(OSError, match="gone"):
            await page.stream("abc")
        assert page.streams.closing == {}

    run(visit())
