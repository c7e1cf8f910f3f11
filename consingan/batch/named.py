"""Files that settings of a study name, as a mask: where they lie, and whether they changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consingan.images.names import SCIKIT_IMAGE
from consingan.machine.files import at_home, fingerprint

FILES = ("mask", "condition", "naive_img", "vgg_weights")
"""Settings that may name a file; some of them have words, too, as `--condition edges`."""

Facts = dict[str, Any]


def placed(settings: Mapping[str, tuple[Any, ...]], folder: Path) -> dict[str, tuple[Any, ...]]:
    """Settings with the files that they name found from anywhere.

    Args:
        settings: field of a method's Config -> its values.
        folder: from which relative paths count.
    """
    return {
        name: tuple(placed_file(value, folder) for value in values) if name in FILES else values
        for name, values in settings.items()
    }


def placed_file(value: Any, folder: Path) -> Any:
    """A path that holds from anywhere, whether a file is there or not; words and addresses stay.

    A file that is gone is so missed where it was, and not taken from where the program is called.
    """
    return str((folder / at_home(value)).absolute()) if _is_path(value) else value


def alone(value: Any) -> Any:
    """The name of a file without its folders; what names none stays as it is."""
    return Path(value).name if isinstance(value, str) and Path(value).suffix else value


def is_file(value: str) -> bool:
    """Whether a text names a file that is there."""
    return _file(value) is not None


def _is_path(value: Any) -> bool:
    """Whether a setting names a file; "alpha" and "edges" are words."""
    return isinstance(value, str) and bool(Path(value).suffix) and not _is_elsewhere(value)


def _is_elsewhere(value: str) -> bool:
    return "://" in value or value.startswith(SCIKIT_IMAGE)


def _file(value: Any) -> Path | None:
    if not isinstance(value, str) or not Path(value).suffix:
        return None
    try:
        path = Path(at_home(value))
        return path if path.is_file() else None
    except (OSError, ValueError):  # no name of a file at all
        return None


def facts_of(path: Path) -> Facts:
    """What tells whether a file is another by now."""
    about = path.stat()
    return {
        "bytes": about.st_size,
        "modified": about.st_mtime_ns,
        "sha256": fingerprint(path),
    }


def is_same_file(path: Path, before: Mapping[str, Any]) -> bool:
    """Whether a file holds what it held; read only if its size or time is another."""
    about = path.stat()
    if (about.st_size, about.st_mtime_ns) == (before.get("bytes"), before.get("modified")):
        return True
    return fingerprint(path) == before.get("sha256")


def files_of(typed: Mapping[str, Any]) -> dict[str, Facts]:
    """Facts of the files that settings name, by the settings' names; those that are there."""
    found = {name: _file(typed.get(name)) for name in FILES}
    return {name: facts_of(path) for name, path in found.items() if path is not None}


def are_as_before(typed: Mapping[str, Any], before: Any) -> bool:
    """Whether the files that settings name hold what they held; one that is gone is not asked.

    Args:
        typed: settings as they would be typed.
        before: what `files_of` gave, None of a training by a release that did not ask.
    """
    for name, facts in before.items() if isinstance(before, dict) else ():
        path = _file(typed.get(name))
        if path is not None and not (isinstance(facts, dict) and is_same_file(path, facts)):
            return False
    return True
