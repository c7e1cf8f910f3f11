"""Files from the net: over https alone, kept only if their checksum is right."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urldefrag, urlparse

import torch

from consingan.errors import UserError

LARGEST = 2**30  # bytes
TIMEOUT = 30.0  # seconds without an answer
PIECE = 2**20  # bytes


def downloaded(url: str) -> Path:
    """The file at `url`, kept in torch's cache folder (`torch.hub.get_dir()`).

    Its SHA-256, or the beginning of it, is the end of the file's name, as in NAME-0cc3c7bd.pth, or
    is given after the address, as in https://.../NAME#sha256=0cc3c7bd....

    Raises:
        UserError: it is no https address, says no checksum, cannot be had, or is another file.
    """
    address, _ = urldefrag(url)
    parts = urlparse(address)
    if parts.scheme != "https":
        raise UserError(f"{url} is not an https address; use one, or download the file yourself.")
    expected = _checksum(url)
    name = Path(parts.path).name
    # Two addresses may end in the same name.
    place = hashlib.sha256(address.encode()).hexdigest()[:12]
    path = Path(torch.hub.get_dir()) / "consingan" / place / name
    if path.is_file() and _sha256(path).startswith(expected):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{name}.{os.getpid()}.part")
    try:
        _fetch(address, draft)
        found = _sha256(draft)
        if not found.startswith(expected):
            raise UserError(
                f"{address} is not the file it should be: its SHA-256 begins with "
                f"{found[: len(expected)]}, not {expected}; it was not kept."
            )
        draft.replace(path)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
    return path


def checksum_of(source: str | Path) -> str:
    """SHA-256 of a file, or of what `downloaded` gives for an address, in hexadecimal digits."""
    return _sha256(local_file(source))


def local_file(source: str | Path) -> Path:
    """A path as it is, which need not be there; of an address what `downloaded` gives."""
    return downloaded(str(source)) if "://" in str(source) else Path(source)


def _checksum(url: str) -> str:
    """Hexadecimal digits that the file's SHA-256 begins with."""
    given = re.search(r"#sha256=([0-9a-f]{8,64})$", url, re.IGNORECASE)
    named = re.search(r"-([0-9a-f]{8,64})\.[A-Za-z]+$", urldefrag(url)[0])
    found = given or named
    if not found:
        raise UserError(
            f"{url} says no checksum; put #sha256=... after the address, or download the file "
            "yourself and name it."
        )
    return found.group(1).lower()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to an address that could be tampered with."""

    def redirect_request(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        """Refuse any other scheme."""
        if urlparse(newurl).scheme != "https":
            raise UserError(f"{req.full_url} leads to {newurl}, which is no https address.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opened(address: str) -> Any:
    return urllib.request.build_opener(_HttpsOnly).open(address, timeout=TIMEOUT)


def _fetch(address: str, path: Path) -> None:
    try:
        with _opened(address) as answer, path.open("wb") as file:
            size = 0
            while piece := answer.read(PIECE):
                size += len(piece)
                if size > LARGEST:
                    raise UserError(f"{address} is larger than {LARGEST // 2**20} MiB.")
                file.write(piece)
    except (OSError, ValueError, HTTPException) as error:
        raise UserError(f"Could not download {address} ({error}).") from error
