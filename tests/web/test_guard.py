"""What is refused before the page is asked, and what each answer tells the browser."""

from __future__ import annotations

import pytest

from consingan.web.guard import Headers


def answered(path: str = "/", **head: str) -> list[dict]:
    """What is sent to somebody who asks with these headers."""
    sent: list[dict] = []

    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    headers = [(name.replace("_", "-").encode(), text.encode()) for name, text in head.items()]
    call = Headers(inner)({"type": "http", "path": path, "headers": headers}, None, send)
    with pytest.raises(StopIteration):
        call.send(None)
    return sent


def test_every_answer_tells_the_browser_to_ask_nobody_else():
    (start,) = answered(content_length="10")
    policy = dict(start["headers"])[b"content-security-policy"].decode()
    assert "default-src 'self'" in policy
    assert "http" not in policy


def test_a_request_that_announces_too_much_is_refused_before_it_is_read():
    start, body = answered(content_length="300000000")
    assert start["status"] == 413
    assert b"200 MB" in body["body"]


@pytest.mark.parametrize(
    "path", ["/gradio_api/file=http://a.b/c", "/file=https://a", "/gradio_api/proxy=http://a.b",
             "//gradio_api/file/HTTP://a.b/c"],
)  # fmt: skip
def test_addresses_elsewhere_are_refused(path):
    start, body = answered(path)
    assert start["status"] == 403
    assert b"drop it" in body["body"]


@pytest.mark.parametrize("name", ["proxy=1.png", "file=https.png", "http:.png"])
def test_a_file_may_be_called_as_it_likes(name):
    assert answered(f"/gradio_api/file=/tmp/folder/{name}")[0]["status"] == 200


@pytest.mark.parametrize(
    "head",
    [
        {"host": "a.b"},
        {"host": "a.b:7860", "origin": "http://a.b:7860"},
        {"host": "A.b", "origin": "https://a.b:8443"},
        {"host": "[::1]:7860", "origin": "http://[::1]:7860"},
        {"host": "127.0.0.1:7860", "origin": "https://a.b", "x_forwarded_host": "a.b"},
        {"host": "127.0.0.1:7860", "origin": "https://a.b", "x_forwarded_host": "c.d, a.b:443"},
        {"host": "127.0.0.1:7860", "origin": "https://a.b", "sec_fetch_site": "same-origin"},
    ],
)
def test_the_page_itself_may_ask_also_behind_a_proxy_and_so_may_programs(head):
    assert answered(**head)[0]["status"] == 200


@pytest.mark.parametrize(
    "head",
    [
        {"host": "a.b", "origin": "https://evil.example"},
        {"host": "a.b", "origin": "https://evil.example", "sec_fetch_site": "cross-site"},
        {"host": "a.b", "origin": "https://a.b.evil.example", "x_forwarded_host": "a.b"},
        {"host": "a.b", "origin": "null"},
        {"host": "", "origin": "null"},
        {"host": "a.b", "origin": "http://[a.b"},
        {"origin": "https://a.b"},
    ],
)
def test_a_page_of_another_site_may_ask_nothing(head):
    start, body = answered(**head)
    assert start["status"] == 403
    assert b"open the page itself" in body["body"]
    assert not any(name.startswith(b"access-control") for name, _ in start["headers"])
