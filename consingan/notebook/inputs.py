"""What the user types into the form fields, made into paths and numbers."""

from __future__ import annotations

import os
import re
from pathlib import Path

import consingan
from consingan.errors import UserError
from consingan.images.names import SCIKIT_IMAGE
from consingan.machine.files import at_home

PICTURES = "Images"
STAND_IN = "skimage:coffee"  # where the repository's pictures are not at hand
CLONE = "ConSinGAN"  # where the notebook's first cell puts the repository


def home() -> Path:
    """The folder that relative paths are meant from: the repository's in its `notebooks`."""
    here = Path.cwd()
    return here.parent if here.name == "notebooks" and (here.parent / PICTURES).is_dir() else here


def from_home(name: str) -> Path:
    """The path that the field `name` means: "~/" in full, a relative one from `home`."""
    return home() / at_home(name.strip())


def found_path(name: str) -> str:
    """The file or folder that the field `name` means, in the present folder or else from `home`."""
    here = at_home(name.strip())
    return here if os.path.exists(here) else str(from_home(name))  # noqa: PTH110 - long names


def find_picture(name: str) -> str:
    """Path of the picture `name`: a file, "skimage:NAME", or a name from the repository's Images.

    "aurora" finds Images/Generation/aurora.jpg; without that folder it gives `STAND_IN`.

    Raises:
        UserError: there is no such picture.
    """
    name = name.strip()
    if name.startswith(SCIKIT_IMAGE):
        return name
    if os.path.isfile(there := found_path(name)):  # noqa: PTH113 - Path.is_file raises, too
        return there
    folders = picture_folders()
    for folder in folders:
        for path in sorted(folder.glob("*/*")):
            if name in (path.stem, path.name):
                return str(path)
    if not folders and name and not Path(name).suffix:
        print(f"Note: the folder {PICTURES} of the repository is not here; taking {STAND_IN}.")
        return STAND_IN
    raise UserError(
        f"There is no picture {name!r} in {home()}; check the path, tick upload, or take "
        f"{STAND_IN}."
    )


def picture_folders() -> list[Path]:
    """The repository's folders of pictures that are at hand."""
    clone, package = home() / CLONE, Path(consingan.__file__).parents[1]
    roots = [home(), clone, *sorted(clone.glob("*")), package]  # a zip holds one folder more
    return [root / PICTURES for root in roots if (root / PICTURES).is_dir()]


def parse_sizes(text: str) -> list[tuple[int, int]]:
    """Sizes (height, width) from "400x160, 160x400", which are width x height.

    Raises:
        UserError: the text is something else.
    """
    words = re.split(r"[,;\s]+", text.strip())
    matches = [re.fullmatch(r"(\d+)[xX](\d+)", word) for word in words]
    if not all(matches):
        raise UserError(f"The sizes {text!r} are not understood; write them as 400x160, 160x400.")
    return [(int(m.group(2)), int(m.group(1))) for m in matches if m]
