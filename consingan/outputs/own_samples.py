"""Which files `consingan sample` wrote into a folder, and what becomes of those of the one before.

`consingan_sample.json` names every file with the SHA-256 of what it holds. The next one in the
same folder removes them, so that no picture is taken for a result that it is not; what was
changed since, or is not named there, is nobody's to remove, and is said to stay.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from consingan.errors import UserError
from consingan.images.names import shown
from consingan.machine.files import at_home, fingerprint, read_json, write_json

RECORD = "consingan_sample.json"
LIKE_OURS = re.compile(r"sample_\d+(_2x2)?\.(png|tif)")
NAMED = 3  # files in a sentence


@dataclass
class OwnSamples:
    """The files of one `consingan sample`.

    Attributes:
        folder: that they go into.
        names: of all that are to be written.
        written: name of each that was -> the SHA-256 of what it holds.
    """

    folder: Path
    names: Collection[str]
    written: dict[str, str] = field(default_factory=dict)

    def refuse_among_them(self, picture: str) -> None:
        """Refuse a picture that would be written over, or removed as an earlier result.

        Raises:
            UserError: it is one.
        """
        path = Path(at_home(picture))
        if any(_same(path, self.folder / name) for name in {*self.names, *_owned(self.folder)}):
            raise UserError(
                f"{shown(picture)} lies among the results of `consingan sample` in "
                f"{self.folder}, which new ones replace; name another folder with -o."
            )

    def make_way(self, say: Callable[[str], None]) -> None:
        """Remove what the one before wrote and nobody changed; say so, and which others stay."""
        before = list(_owned(self.folder))
        for name in before:
            with contextlib.suppress(FileNotFoundError):
                (self.folder / name).unlink()
        if before:
            say(
                f"Note: the pictures that were made before in {self.folder} are replaced; "
                "-o FOLDER puts new ones elsewhere."
            )
        if others := sorted(_like_ours(self.folder) - set(self.names)):
            more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
            say(
                f"Note: older pictures stay in {self.folder} beside the new ones: "
                f"{', '.join(others[:NAMED])}{more}."
            )

    def own(self, path: Path) -> None:
        """Note down a file that was written."""
        self.written[path.name] = fingerprint(path)
        write_json(self.folder / RECORD, {"files": self.written})


def _owned(folder: Path) -> Iterator[str]:
    """Names of the files that are as the one before in `folder` left them."""
    try:
        files = read_json(folder / RECORD).get("files")
    except UserError:  # there is none, or a damaged one
        return
    for name, digest in files.items() if isinstance(files, dict) else ():
        path = folder / name
        with contextlib.suppress(OSError):
            if LIKE_OURS.fullmatch(name) and path.is_file() and fingerprint(path) == digest:
                yield name


def _like_ours(folder: Path) -> set[str]:
    """Names of the files that are called as samples are."""
    return {path.name for path in folder.iterdir() if LIKE_OURS.fullmatch(path.name)}


def _same(one: Path, other: Path) -> bool:
    """Whether both are one file, by whatever names."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # one is not there, or its name can be of no file
        return False
