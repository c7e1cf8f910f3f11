"""Pictures that people bring, kept beside the runs that refer to them: uploads/<digest>/<name>."""

from __future__ import annotations

import hashlib
from pathlib import Path

from consingan.machine.files import atomic_path, make_folder

UPLOADS = "uploads"  # folder beside the runs


def keep_content(content: bytes, name: str, root: Path) -> Path:
    """Write a picture to where runs find it again; the same content lies there once.

    Another picture of the same name lies elsewhere, so that no run's picture is ever replaced.

    Args:
        content: of the file.
        name: of the file, without a folder.
        root: folder of the runs.
    """
    digest = hashlib.sha256(content).hexdigest()[:16]
    path = make_folder(root / UPLOADS / digest) / name
    if not path.is_file():
        with atomic_path(path) as part:
            part.write_bytes(content)
    return path
