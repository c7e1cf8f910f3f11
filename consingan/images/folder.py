"""The pictures of a folder."""

from __future__ import annotations

import os
from pathlib import Path

from consingan.errors import UserError
from consingan.images.names import EXTENSIONS


def is_folder(name: str) -> bool:
    """Whether there is a folder called `name`."""
    return os.path.isdir(name)  # noqa: PTH112 - Path.is_dir raises for a name that is too long


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder by name, without hidden ones and without those in its folders.

    Raises:
        UserError: there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}; check the path.")
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in EXTENSIONS and not path.name.startswith(".") and path.is_file()
    )
    if not found:
        raise UserError(f"There is no picture in the folder {folder}; put some there.")
    return found
