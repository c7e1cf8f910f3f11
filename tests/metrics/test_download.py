"""Downloads: https alone, the right file or none."""

from __future__ import annotations

import contextlib
import hashlib
import io
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consingan.errors import UserError
from consingan.metrics import download
from consingan.metrics.download import downloaded

CONTENT = b"weights" * 1000
SUM = hashlib.sha256(CONTENT).hexdigest()
ADDRESS = f"https://example.org/files/net-{SUM[:8]}.pth"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], list[str]]:
    def serving(content: bytes) -> list[str]:
        asked: list[str] = []

        def opened(address: str) -> Any:
            asked.append(address)
            return io.BytesIO(content)

        monkeypatch.setattr(download, "_opened", opened)
        return asked

    return serving


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "url",
    [
        ADDRESS,
        f"https://example.org/x.pth#sha256={SUM}",
        f"https://example.org/x#sha256={SUM[:8].upper()}",
        f"https://example.org/other-00000000.pth#sha256={SUM}",
    ],
)
def test_the_right_file_is_kept_and_not_asked_for_again(
    url: str, serve: Callable[[bytes], list[str]]
) -> None:
    asked = serve(CONTENT)
    assert downloaded(url).read_bytes() == CONTENT
    assert downloaded(url).read_bytes() == CONTENT
    assert len(asked) == 1
    assert "#" not in asked[0]


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", CONTENT[:-1]])
def test_a_wrong_file_is_not_kept(
    content: bytes, serve: Callable[[bytes], list[str]], cache: Path
) -> None:
    serve(content)
    with pytest.raises(UserError, match=r"not the file it should be.*not kept"):
        downloaded(ADDRESS)
    assert files(cache) == []


def test_a_file_that_was_damaged_in_the_cache_is_fetched_anew(
    serve: Callable[[bytes], list[str]],
) -> None:
    asked = serve(CONTENT)
    path = downloaded(ADDRESS)
    path.write_bytes(b"damaged")
    assert downloaded(ADDRESS).read_bytes() == CONTENT
    assert len(asked) == 2


@pytest.mark.parametrize("scheme", ["http", "ftp", "file", "HTTP", "data"])
def test_other_addresses_are_refused(scheme: str, serve: Callable[[bytes], list[str]]) -> None:
    asked = serve(CONTENT)
    with pytest.raises(UserError, match="https address"):
        downloaded(ADDRESS.replace("https", scheme))
    assert asked == []


def test_a_redirection_to_another_scheme_is_refused() -> None:
    request = urllib.request.Request(ADDRESS)
    with pytest.raises(UserError, match="leads to http://evil"):
        download._HttpsOnly().redirect_request(
            request, io.BytesIO(), 302, "Found", {}, "http://evil.example/x"
        )


def test_an_address_without_a_checksum_is_refused(serve: Callable[[bytes], list[str]]) -> None:
    serve(CONTENT)
    with pytest.raises(UserError, match="says no checksum"):
        downloaded("https://example.org/net.pth")


@pytest.mark.parametrize("stop", [OSError("no route"), KeyboardInterrupt()])
def test_a_download_that_breaks_off_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, cache: Path, stop: BaseException
) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise stop
            return super().read(100)

    monkeypatch.setattr(download, "_opened", lambda _: Broken(CONTENT))
    with contextlib.suppress(UserError, KeyboardInterrupt):
        downloaded(ADDRESS)
    assert files(cache) == []


def test_an_endless_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, serve: Callable[[bytes], list[str]]
) -> None:
    serve(CONTENT)
    monkeypatch.setattr(download, "LARGEST", 10)
    with pytest.raises(UserError, match="larger than"):
        downloaded(ADDRESS)
