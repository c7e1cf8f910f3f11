"""Which files an evaluation wrote, from what, and what becomes of those of the one before it.

Every evaluation leaves `evaluation.json` beside its results: what was asked for, the user's own
pictures that went in, and the files that came out. The next one in the same folder takes these
files away before it begins, so that no picture, figure or page is taken for a result that it is
not; what others put there stays, be it meanwhile. Results for a picture of the user's own lie in a
folder of that picture's name, which only the same picture's next evaluation touches; the newest
ones also lie where the articles look for them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from consingan.errors import UserError
from consingan.images.names import image_stem
from consingan.machine.file_name import NAME_BYTES, fitting_name
from consingan.machine.files import (
    atomic_path,
    make_folder,
    read_json,
    rename_free,
    write_json,
)
from consingan.machine.locking import LOCK, alone_in
from consingan.machine.written import written_into

RECORD = "evaluation.json"
PUBLISHING = 60.0  # seconds, far more than it takes to copy the results of a picture
OWN_PICTURES = "naive"  # folder with one for each picture of the user's own
ASIDE = "earlier"
UNRECORDED = (  # what versions wrote that kept no record
    "real_image.*", "reconstruction.*", "samples_grid.*", "mask_auto.png", "report.html",
    "metrics.json", "harmonized_*", "edited_*", "random_samples*/gen_sample_*",
    "animations/start_stage_*",
)  # fmt: skip

Say = Callable[[str], None]


@contextlib.contextmanager
def owned(folder: Path, about: Mapping[str, Any], say: Say, seconds: float = 0.0) -> Iterator[None]:
    """Let everything that the program writes into `folder` meanwhile belong to one evaluation.

    Writes are those of `files.atomic_path`.
    What an earlier one owns is removed first. Whatever ends the work early, what was written by
    then is owned.

    Args:
        folder: that exists.
        about: what was asked for and what went in, for the record.
        say: takes a line for the user.
        seconds: to wait for another evaluation that is writing into it.

    Raises:
        UserError: another one is.
    """
    with alone_in(folder, "writing its results", seconds), _noting(folder, about, say):
        yield


@contextlib.contextmanager
def _noting(folder: Path, about: Mapping[str, Any], say: Say) -> Iterator[None]:
    """The same of a folder that nobody else writes into."""
    _make_way(folder, say)
    begun = {**about, "status": "unfinished", "files": None, "before": _files_below(folder)}
    write_json(folder / RECORD, begun)
    status = "unfinished"
    with written_into(folder) as written:
        try:
            yield
            status = "finished"
        finally:
            files = [name for name in _files_below(folder) if name in written]
            with contextlib.suppress(OSError):  # a full disk must not hide the first error
                write_json(folder / RECORD, {**about, "status": status, "files": files})


def recorded(folder: Path) -> dict[str, Any] | None:
    """What the evaluation in `folder` noted down; None without one, or of a damaged one."""
    try:
        return read_json(folder / RECORD)
    except UserError:
        return None


def folder_of(top: Path, picture: Mapping[str, str]) -> Path:
    """The folder below `top` of one of the user's own pictures, which is made.

    It is called as the picture; another picture of that name gets a number.

    Args:
        top: of all results.
        picture: what `described` says of it.
    """
    parent, stem = top / OWN_PICTURES, image_stem(picture["path"])
    for number in range(1, 1000):
        path = parent / (stem if number == 1 else fitting_name(f"{stem}_{number}", NAME_BYTES))
        if not path.exists() or _is_of(path, picture):
            return make_folder(path)
    raise UserError(f"{parent} holds a thousand pictures called {stem}; tidy it up.")


def _is_of(folder: Path, picture: Mapping[str, str]) -> bool:
    inputs = (recorded(folder) or {}).get("inputs")
    kept = inputs.get("naive_img") if isinstance(inputs, dict) else None
    if not isinstance(kept, dict):
        return False
    digest = picture.get("sha256")
    return kept.get("path") == picture["path"] or (bool(digest) and kept.get("sha256") == digest)


def publish(source: Path, target: Path) -> None:
    """Copy the files that the evaluation in `source` owns to the same names in `target`."""
    for name in _owned_files(source) or []:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            shutil.copyfile(source / name, temporary)


def _make_way(folder: Path, say: Say) -> None:
    """Remove what an earlier evaluation owns; set aside what it left that was killed, or older."""
    files = _owned_files(folder)
    if files is not None:
        for name in files:
            with contextlib.suppress(FileNotFoundError):
                (folder / name).unlink()
    else:
        _set_aside(folder, say)
    for name in sorted({str(Path(name).parent) for name in files or ()} - {"."}):
        with contextlib.suppress(OSError):  # something of the user's own is in it
            (folder / name).rmdir()


def _unowned(folder: Path) -> list[Path]:
    """What an evaluation left that could not say so: it was killed, or kept no record yet."""
    before = (recorded(folder) or {}).get("before")
    if isinstance(before, list):
        names = [name for name in _files_below(folder) if name not in (*before, RECORD)]
        return [folder / name for name in names]
    return [p for pattern in UNRECORDED for p in folder.glob(pattern) if p.is_file()]


def _set_aside(folder: Path, say: Say) -> None:
    found = _unowned(folder)
    draft = folder / f".{ASIDE}.tmp"
    if not found and not draft.is_dir():  # else this was begun, and killed
        return
    make_folder(draft)
    for path in found:
        target = draft / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    for parent in {path.parent for path in found} - {folder}:
        with contextlib.suppress(OSError):
            parent.rmdir()
    say(
        f"Note: results of an earlier evaluation were moved to {rename_free(draft, folder / ASIDE)}"
    )


def _owned_files(folder: Path) -> list[str] | None:
    """Names of files in `folder` that its evaluation wrote; None where that is not known."""
    files = (recorded(folder) or {}).get("files")
    if not isinstance(files, list) or not all(isinstance(name, str) for name in files):
        return None
    root = folder.resolve()
    inside = [name for name in files if (root / name).parent.resolve().is_relative_to(root)]
    theirs = [name for name in inside if name != RECORD and Path(name).name != LOCK]
    return [name for name in theirs if (folder / name).is_file()]


def _files_below(folder: Path) -> list[str]:
    """Names of the files below `folder` that are no other evaluation's, in order."""
    found = []
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = [name for name in folders if not (here / name / RECORD).is_file()]
        if here == folder:
            folders[:] = [name for name in folders if not name.startswith((ASIDE, "."))]
        theirs = (name for name in files if name != LOCK)
        found += [(here / name).relative_to(folder).as_posix() for name in theirs]
    return sorted(found)
