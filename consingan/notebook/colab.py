"""What only Google Colab can do: open file dialogs, keep files on Drive, hand out a download."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from consingan.errors import UserError
from consingan.machine.files import make_folder
from consingan.runs.uploads import keep_content

DRIVE = Path("/content/drive")


def on_colab() -> bool:
    """Whether this Python is the kernel of a notebook on Google Colab."""
    return "google.colab" in sys.modules


def part_of_colab(name: str) -> Any:
    """The module `google.colab.NAME`, which is published nowhere and so has no types."""
    return importlib.import_module(f"google.colab.{name}")


def drive_folder(name: str) -> Path:
    """Mount the user's Google Drive and give the folder `name` on it.

    Raises:
        UserError: the user did not allow it.
    """
    try:
        part_of_colab("drive").mount(str(DRIVE))
    except Exception as error:  # whatever Colab raises when the dialog is refused
        raise UserError(
            f"Google Drive was not mounted ({error}); run the cell again and allow it, or untick "
            "keep_on_drive."
        ) from None
    return make_folder(DRIVE / "MyDrive" / name.strip().lstrip("~/"))


def upload(root: Path, field: str) -> Path:
    """Let the user pick a file of their computer; it is kept among the uploads.

    Args:
        root: folder of the runs.
        field: name of the form field that takes a path instead.

    Raises:
        UserError: this is not Colab, or no file was picked.
    """
    if not on_colab():
        raise UserError(
            f"The upload dialog is there on Google Colab only; put the path of your file into "
            f"the field {field} instead."
        )
    files: dict[str, bytes] = part_of_colab("files").upload()
    if not files:
        raise UserError("No file was chosen; run the cell again and choose one.")
    name, content = next(iter(files.items()))
    for written in files:  # else a second upload would be called "name (1)", another picture
        Path(written).unlink(missing_ok=True)
    return keep_content(content, Path(name).name, root)


def download(path: Path) -> bool:
    """Start the browser's download of `path`; False where there is no Colab to do it."""
    if not on_colab():
        return False
    part_of_colab("files").download(str(path))
    return True
