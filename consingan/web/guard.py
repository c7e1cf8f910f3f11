"""What stands before the page: who may ask, for what, and what each answer tells the browser."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

LARGEST_UPLOAD = 200 * 2**20  # bytes
SLACK = 2**20  # bytes around the files of an upload
TOO_LARGE = f"A file may have {LARGEST_UPLOAD // 2**20} MB; make the picture smaller first."
NOT_FETCHED = "The page fetches nothing from elsewhere; save the picture and drop it."
FOREIGN = "Another site asks; open the page itself. A proxy must send X-Forwarded-Host."
# gradio would ask any machine for a visitor who writes its address behind these.
ELSEWHERE = re.compile(r"/+(gradio_api/+)?(proxy=|file[=/]\s*https?:)", re.IGNORECASE)
# The browser itself is told to ask nobody but this server.
POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)

HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Headers:
    """Adds to each answer what the browser must heed, refuses what nobody may ask (ASGI)."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass all on that may be asked; to the head of an answer our lines are added."""

        async def told(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif refusal := _refusal(scope):
            status, sentence = refusal
            await told({"type": "http.response.start", "status": status,
                        "headers": [(b"content-type", b"text/plain")]})  # fmt: skip
            await told({"type": "http.response.body", "body": sentence.encode()})
        else:
            await self.app(scope, receive, told)


def _refusal(scope: Any) -> tuple[int, str] | None:
    """Status and sentence where something may not be asked."""
    if _length(scope) > LARGEST_UPLOAD + SLACK:
        return 413, TOO_LARGE
    if ELSEWHERE.match(scope["path"]):
        return 403, NOT_FETCHED
    return None if _by_the_page_itself(dict(scope["headers"])) else (403, FOREIGN)


def _by_the_page_itself(headers: dict[bytes, bytes]) -> bool:
    """Whether no page of another site asks; gradio would answer them all, as whoever logged in.

    Where the browser knows it it says so, and a proxy does not change it; else the names are
    compared. Ports are not: proxies lose them. Who is no browser names no origin.
    """
    origin = headers.get(b"origin")
    if origin is None or headers.get(b"sec-fetch-site") in (b"same-origin", b"none"):
        return True
    asked = [headers.get(b"host", b""), *headers.get(b"x-forwarded-host", b"").split(b",")]
    return _host(origin) in [name for each in asked if (name := _host(b"//" + each.strip()))]


def _host(address: bytes) -> str:
    """The name in an address, in small letters; "" where there is none."""
    try:
        return urlsplit(address.decode("latin-1")).hostname or ""
    except ValueError:
        return ""


def _length(scope: Any) -> int:
    """Bytes that a request says it has."""
    said = dict(scope["headers"]).get(b"content-length", b"0")
    return int(said) if said.isdigit() else 0
