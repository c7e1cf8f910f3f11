"""File names: which are pictures by their name, what a run is called, and how any name is shown."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path

from consingan.errors import UserError
from consingan.machine.file_name import NAME_BYTES, fitting_name

# The first eight in the order of preference for masks, then rarer names of what is read as well.
EXTENSIONS = (
    ".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif",
    ".apng", ".jpe", ".jfif", ".jif", ".mpo", ".dib", ".btf", ".tf8",
    ".avif", ".avifs", ".heic", ".heif", ".hif",
)  # fmt: skip
SCIKIT_IMAGE = "skimage:"
# What --format takes: the suffix of its files, and the bits of their numbers; auto follows the
# training picture, see `outputs.formats`.
IMAGE_FORMATS = {
    "auto": (".png", 8),
    "png": (".png", 8),
    "jpg": (".jpg", 8),
    "png16": (".png", 16),
    "tiff": (".tif", 8),
    "tiff16": (".tif", 16),
}
MOST_OF_STEM = NAME_BYTES - 4  # bytes that leave room for .png, .jpg or .tif
MOST_OF_ESCAPED = 200  # bytes of a name that %XX made too long for a folder
ARRAY_NAME = "image"  # stands for the file name where a tensor was trained on
LOST_AT_END = ". " if os.name == "nt" else ""  # what Windows takes from the end of a folder's name


def image_stem(name: str) -> str:
    """The picture's name without folder and extension: "a b/my-photo.v2.jpeg" -> "my-photo.v2".

    It can be the name of a folder on its own: what is not text in it (bytes that are not UTF-8,
    escape codes) becomes %XX, cut where no folder could be called so, and a name of dots only
    "picture".
    """
    if name.startswith(SCIKIT_IMAGE):
        name = name[len(SCIKIT_IMAGE) :]
    path = Path(name)
    stem = path.stem if path.suffix.lower() in EXTENSIONS else path.name
    stem = "".join(c if c.isprintable() else _percent(c) for c in stem)
    if len(stem.encode()) > NAME_BYTES:
        stem = fitting_name(stem, MOST_OF_ESCAPED)
    return stem.rstrip(LOST_AT_END) if stem.strip(". ") else "picture"


def result_name(stem: str, ending: str) -> str:
    """What a result of the picture called `stem` is called, a suffix of `MOST_OF_STEM` to come."""
    return fitting_name(f"{stem}{ending}", MOST_OF_STEM)


def refuse_unknown_word(flag: str, word: str, known: str) -> None:
    """Refuse what is meant for a word in place of a file, as it has no dot and no slash.

    Args:
        flag: that it was typed for, without its dashes.
        word: as typed.
        known: what may be typed, in words.

    Raises:
        UserError: there is no such file either.
    """
    worded = re.fullmatch(r"[\w:,]+", word) and not word.startswith(SCIKIT_IMAGE)
    if worded and not os.path.exists(word):  # noqa: PTH110 - Path.exists raises for long names
        raise UserError(f"--{flag} {word} is no file and no word that it takes; give {known}.")


def refuse_address(path: Path) -> None:
    """Refuse an address that was given for a file: nothing is fetched.

    Raises:
        UserError: it is one.
    """
    scheme = next((p for p in path.parts[:-1] if re.fullmatch(r"(?i)(https?|ftp):", p)), None)
    if scheme:
        raise UserError(
            f"Pictures are not fetched ({scheme}//...); download {shown(path.name)} and name the "
            "file."
        )


def distinct_stems(names: Sequence[str]) -> list[str]:
    """The `image_stem` of each, with a number where another file of them has it: x, x_2.

    Upper and lower case are one on some disks.
    """
    stems = [image_stem(name) for name in names]
    taken, found = {stem.casefold() for stem in stems}, list[str]()
    for place, stem in enumerate(stems):
        before = {other.casefold() for other in stems[:place]}
        numbered = (f"{stem}_{number}" for number in itertools.count(2))
        if stem.casefold() in before:
            stem = next(name for name in numbered if name.casefold() not in taken)
            taken.add(stem.casefold())
        found.append(stem)
    return found


def shown(name: str | Path) -> str:
    r"""A name, or any text of a file's, as it can be shown: escape codes as \x1b, never obeyed."""
    return "".join(c if c.isprintable() else _escaped(c) for c in os.fspath(name))


def _percent(character: str) -> str:
    return re.sub("..", r"%\g<0>", os.fsencode(character).hex().upper())


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return ascii(character)[1:-1]
