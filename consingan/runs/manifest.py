"""A run's manifest: its format, what must be in it, where to look for one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consingan._version import __version__
from consingan.errors import UserError
from consingan.runs.soundness import is_way_on, unsound_entry
from consingan.settings.config import DEFAULT_METHOD
from consingan.settings.reading import of_deep

FORMAT = 2  # 2 adds method and losses
MANIFEST = "manifest.json"
LONGEST = 60  # characters of a value that are shown

Json = dict[str, Any]


def check_manifest(manifest: Json, run: Path) -> None:
    """What the program itself reads must be there and of its kind."""
    if type(manifest.get("format")) is int and manifest["format"] > FORMAT:
        raise UserError(
            f"{run} was written in format {manifest['format']}, this program reads format "
            f"{FORMAT}; use the newer release of ConSinGAN."
        )
    if name := unsound_entry(manifest):
        raise UserError(
            f"{run / MANIFEST} is damaged (its {name} is {_shown(manifest.get(name))}); restore "
            "it from a copy."
        )


def _shown(value: Any) -> str:
    """A value, cut short if it is long."""
    text = ascii(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def unusable(file: Path, why: Exception, manifest: Json) -> UserError:
    """The error for a file of a run that says what this release does not know, or cannot be."""
    then = manifest.get("versions", {}).get("consingan", "")
    if _release(then) > _release(__version__):
        newer = f" The run was made by ConSinGAN {then}, this is {__version__}; use the newer one."
    else:
        newer = ""
    return UserError(f"{file} cannot be used: {why}{newer}")


def _release(version: str) -> tuple[int, ...]:
    """The numbers of a version, to be compared; none of what has none."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def hint(path: Path, otherwise: str = ".") -> str:
    """The end of a sentence: the run that `path` lies in or that lies below it, if there is one."""
    if (path.resolve().parent / MANIFEST).is_file():
        return f"; did you mean {path.parent}?"
    runs = sorted(p.parent for p in path.glob(f"*/{MANIFEST}"))
    return f"; did you mean {runs[-1]}?" if runs else otherwise


def counts_of(manifest: Mapping[str, Any]) -> Json:
    """The counts of iterations that a run was last lengthened to; {} of one that never was.

    Raises:
        UserError: the entry is damaged.
    """
    entries = manifest.get("lengthened", [])
    if not isinstance(entries, list) or not all(_names_counts(entry) for entry in entries):
        raise UserError(f"{MANIFEST} is damaged (its lengthened is {entries!r:.80}).")
    return dict(entries[-1]["counts"]) if entries else {}


def settings_of(began: Json, manifest: Json) -> Json:
    """What config.json says, with the counts that the run was last lengthened to.

    A range that was found is of a picture deeper than 8 bit, which earlier releases did not keep.

    Raises:
        UserError: the two files name different methods, or an entry is damaged.
    """
    methods = [values.get("method", DEFAULT_METHOD) for values in (began, manifest)]
    if methods[0] != methods[1]:
        its, other = methods
        raise UserError(
            f"its method is {its}, that of {MANIFEST} {other}; restore them from a copy."
        )
    kept, origin = began.get("value_range"), manifest.get("origin", {}).get("value_range")
    found = {"value_range": of_deep(kept)} if origin == "picture" and isinstance(kept, str) else {}
    return began | found | counts_of(manifest)


def pictures_of(manifest: Json) -> dict[str, dict[str, str]]:
    """Path and SHA-256 of the files that went in; of an entry that is not so, nothing."""
    kept = manifest.get("pictures")
    entries = kept.items() if isinstance(kept, dict) else ()
    return {name: entry for name, entry in entries if _describes(entry)}


def _describes(entry: Any) -> bool:
    """Whether it is what `files.described` says of a file."""
    sound = isinstance(entry, dict) and all(isinstance(value, str) for value in entry.values())
    return sound and bool(entry.get("path"))


def resumed_of(manifest: Mapping[str, Any]) -> list[Json]:
    """Where a run went on otherwise than before, in order; entries that are not so are left out."""
    kept = manifest.get("resumed")
    return [entry for entry in kept if is_way_on(entry)] if isinstance(kept, list) else []


def releases_of(manifest: Mapping[str, Any]) -> list[str]:
    """The releases of this program that a run was computed by, each once, in order."""
    ways = (manifest, *resumed_of(manifest))
    found = (entry.get("versions", {}).get("consingan", "") for entry in ways)
    return list(dict.fromkeys(release for release in found if release))


def saves_of(manifest: Json) -> int | None:
    """Iterations between saves that were typed last; None: as often as costs little."""
    kept = manifest.get("save_every")
    return kept if type(kept) is int and kept > 0 else None


def first_counts(manifest: Mapping[str, Any]) -> Json:
    """The counts that a run was begun with, where they are others now; else {}."""
    entries = manifest.get("lengthened", [])
    return dict(entries[0]["before"]) if counts_of(manifest) else {}


def _names_counts(entry: Any) -> bool:
    """Whether an entry holds the same counts before and after, as whole numbers."""
    if not isinstance(entry, dict):
        return False
    before, after = entry.get("before"), entry.get("counts")
    if not isinstance(before, dict) or not isinstance(after, dict):
        return False
    numbers = [*before.values(), *after.values()]
    return before.keys() == after.keys() and all(type(number) is int for number in numbers)
