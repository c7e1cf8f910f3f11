"""Names of files that are cut where a disk would not take them."""

from __future__ import annotations

import hashlib

NAME_BYTES = 255  # bytes of a name on most disks


def fitting_name(name: str, most: int) -> str:
    """The name, or of one with more than `most` bytes its beginning and a mark of the whole."""
    whole = name.encode("utf-8", "surrogatepass")  # bytes that are not text count threefold
    if len(whole) <= most:
        return name
    mark = f"~{hashlib.sha256(whole).hexdigest()[:8]}"
    return whole[: most - len(mark)].decode("utf-8", "ignore") + mark
