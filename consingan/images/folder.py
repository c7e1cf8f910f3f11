"""The pictures of a folder, and what else lies there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consingan.errors import UserError
from consingan.images.names import EXTENSIONS, shown

NAMED = 5  # files that a note names; of more it gives the number


@dataclass(frozen=True)
class Contents:
    """What was found in a folder.

    Attributes:
        pictures: files that are pictures by their names, sorted.
        others: names of what was left out: other files, hidden ones, folders.
    """

    pictures: tuple[Path, ...]
    others: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence on what is left out, if anything is."""
        if not self.others:
            return ()
        return (f"Left out, no pictures by their names: {listed(self.others)}.",)


def is_folder(name: str) -> bool:
    """Whether there is a folder called `name`."""
    return os.path.isdir(name)  # noqa: PTH112 - Path.is_dir raises for a name that is too long


def look_into(folder: Path) -> Contents:
    """The pictures in a folder, without hidden ones and without those in its folders.

    Raises:
        UserError: there is no such folder, it may not be read, or there is no picture in it.
    """
    if not is_folder(str(folder)):
        raise UserError(f"There is no folder {shown(folder)}; check the path.")
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise UserError(
            f"The folder {shown(folder)} cannot be read ({error.strerror}); check its permissions."
        ) from None
    pictures, others = [], []
    for path in paths:
        known = path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")
        if known and may_be_read(path):
            pictures.append(path)
        else:
            others.append(f"{path.name}/" if is_folder(str(path)) else path.name)
    if not pictures:
        there = f" It holds {listed(others)}." if others else ""
        raise UserError(
            f"There is no picture in the folder {shown(folder)}; put some there.{there}"
        )
    return Contents(tuple(pictures), tuple(others))


def may_be_read(path: Path) -> bool:
    """Whether there is a file, or what cannot be looked at: whoever reads it says why."""
    try:
        return path.is_file()
    except OSError:
        return True


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of `look_into`.

    Raises:
        UserError: there is no such folder, or no picture in it.
    """
    return list(look_into(folder).pictures)


def listed(names: Sequence[str]) -> str:
    """As "notes.txt, .hidden" or, of many, "120 files and folders (a.txt, b.txt, ...)"."""
    some = ", ".join(shown(name) for name in names[:NAMED])
    if len(names) <= NAMED:
        return some
    return f"{len(names)} files and folders ({some}, ...)"
