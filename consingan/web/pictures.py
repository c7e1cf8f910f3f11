"""Pictures that visitors bring: read by the guarded reader, kept under a name of our own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from consingan.errors import UserError
from consingan.images.io import read_picture, write_image
from consingan.images.names import EXTENSIONS, image_stem, shown
from consingan.images.picture import Picture
from consingan.images.resize import resize_to
from consingan.machine.files import make_folder
from consingan.runs.uploads import keep_content

LONGEST_NAME = 40  # characters
EASEL = 800  # px, longer side of what is painted on
SHOWN = 1000  # px, longer side of what is sent back to be looked at


@dataclass(frozen=True)
class Brought:
    """A picture of a visitor's.

    Attributes:
        path: our copy of the file.
        shown: the same, small enough for any browser, as PNG.
        size: (h, w) in px.
        notes: what there is to say of it.
    """

    path: Path
    shown: Path
    size: tuple[int, int]
    notes: tuple[str, ...] = ()

    def size_within(self, longest: int) -> tuple[int, int]:
        """(h, w) in px when it is reduced to a longer side of `longest`."""
        scale = min(1.0, longest / max(self.size))
        return max(1, round(self.size[0] * scale)), max(1, round(self.size[1] * scale))


def at_hand(brought: Brought | None) -> Brought:
    """The picture, while it is there; it goes when nobody is heard of for long.

    Raises:
        UserError: none was brought, or it is gone.
    """
    if brought is None:
        raise UserError("Drop a picture first.")
    if not (brought.path.is_file() and brought.shown.is_file()):
        raise UserError("That picture is gone from the page; drop it again.")
    return brought


def safe_name(name: str) -> str:
    """Letters, digits, - and _ of a picture's name: it can never lead elsewhere."""
    kept = "".join(c if c.isalnum() or c in "-_" else "_" for c in image_stem(Path(name).name))
    return kept.strip("_")[:LONGEST_NAME] or "picture"


def bring_in(file: str | None, folder: Path, easel: bool = False) -> Brought:
    """Take over an uploaded file.

    Args:
        file: where the upload lies.
        folder: the visitor's own.
        easel: whether it is shown to be painted on: a small one is enlarged then, so that brushes
            are as large for all.

    Raises:
        UserError: nothing was uploaded, or it is no picture that can be read.
    """
    if not file:
        raise UserError("Drop a picture first.")
    source = Path(file)
    picture = _read(source)  # refuses what is no picture, or too large to be one
    suffix = source.suffix.lower() if source.suffix.lower() in EXTENSIONS else ""
    path = make_folder(folder) / f"{safe_name(source.name)}{suffix}"
    shutil.copyfile(source, path)
    shown = path.with_name(f"{path.stem}_shown.png")
    write_image(shown, reduced(picture, EASEL if easel else SHOWN, enlarge=easel))
    return Brought(path, shown, picture.size, picture.notes)


def _read(source: Path) -> Picture:
    """The picture; a refusal names the file alone, where it lies is nobody's business."""
    try:
        return read_picture(source)
    except UserError as error:
        raise UserError(str(error).replace(shown(source), shown(source.name))) from None


def reduced(picture: Picture, longest: int, enlarge: bool = False) -> Tensor:
    """A picture (1, 3, h, w) in [-1, 1] whose longer side has at most, or just, `longest` px."""
    if max(picture.size) == longest or (max(picture.size) < longest and not enlarge):
        return picture.image
    scale = longest / max(picture.size)
    height, width = (max(1, round(scale * side)) for side in picture.size)
    return resize_to(picture.image, (height, width)).clamp(-1, 1)


def keep(path: Path, root: Path) -> Path:
    """Copy a visitor's picture to where runs find it again: among the uploads of the output folder.

    The same content lies there once, whoever brought it.
    """
    return keep_content(path.read_bytes(), path.name, root)
