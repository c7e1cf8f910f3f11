"""Files of a run: writes that happen whole or not at all, reads that say what is wrong."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import stat
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consingan.errors import UserError
from consingan.machine.file_name import fitting_name
from consingan.machine.written import note_written

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_JSON = 2**24  # bytes
TEXT = "utf-8-sig"  # some editors of Windows put a mark before it
SMALL = 2**24  # bytes; what is larger is looked at before it is read
LARGEST_TENSORS = 2**34  # bytes: a run at 89 million pixels has less
MOST_OF_NAME = 230  # bytes of it in that of a temporary file, which disks must take, too
TEMPORARY = re.compile(r"\.(.+)\.\d+\.tmp", re.DOTALL)  # what `atomic_path` calls them
STALE = 24 * 3600.0  # seconds; no file takes so long to be written
# Seconds between attempts to rename. Windows refuses while anybody, a virus scanner or the reader
# of a manifest, has the file open; elsewhere a refusal is final.
PAUSES: tuple[float, ...] = (0.02, 0.1, 0.3, 1.0) if os.name == "nt" else ()


def at_home(name: str) -> str:
    """A path with the user's folder in place of "~/", which a shell leaves where it is quoted."""
    if not name.startswith(("~/", f"~{os.sep}")):
        return name
    return os.path.expanduser(name)  # noqa: PTH111 - Path.expanduser raises where there is none


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that is renamed onto it when the block ends well.

    Whatever happens in between, `path` holds either its old content or the whole new one. What a
    writer left beside it that was killed goes with the next one that comes a day later.
    """
    name = fitting_name(path.name, MOST_OF_NAME)
    temporary = path.with_name(f".{name}.{os.getpid()}.tmp")
    for litter in _left_behind(path.parent.absolute()).pop(name, ()):
        with contextlib.suppress(OSError):
            litter.unlink()
    try:
        yield temporary
        with temporary.open("r+b") as file:  # Windows syncs only what may be written
            os.fsync(file.fileno())
        note_written(path)  # before it is there: Ctrl+C may come in between
        _patiently(temporary.replace, path)
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(temporary)):
            error.filename = str(path)  # what a full disk leaves unsaid
            del error.filename2
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def remove_half_written(folder: Path) -> None:
    """Remove what `atomic_path` left in a folder, if there is one, in which nobody writes now."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if TEMPORARY.fullmatch(path.name):
            with contextlib.suppress(OSError):
                path.unlink()


@functools.lru_cache(maxsize=64)
def _left_behind(folder: Path) -> dict[str, list[Path]]:
    """Name of a file -> the temporary ones beside it whose writers were killed.

    Told by their age, for a writer may live on another machine or in another container that shares
    the disk, where it cannot be asked for. Looked for when a process first writes into a folder:
    some have thousands of files.
    """
    found: dict[str, list[Path]] = {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = TEMPORARY.fullmatch(entry.name)
            about = entry.stat(follow_symlinks=False) if match else None
            if match and about and time.time() - about.st_mtime > STALE:
                found.setdefault(match[1], []).append(Path(entry.path))
    return found


def _patiently(rename: Callable[[Path], Path], target: Path) -> Path:
    """`rename(target)`, tried again after each of `PAUSES` while that is refused."""
    for pause in PAUSES:
        try:
            return rename(target)
        except PermissionError:
            time.sleep(pause)
    return rename(target)


def rename_free(folder: Path, wanted: Path) -> Path:
    """Rename a folder to `wanted`, or wanted_2, wanted_3 ... if that is taken.

    Raises:
        UserError: a thousand names are taken.
        OSError: it cannot be renamed.
    """
    for attempt in range(1, 1000):
        path = wanted if attempt == 1 else wanted.with_name(f"{wanted.name}_{attempt}")
        if path.exists():
            continue
        try:
            return _patiently(folder.rename, path)
        except OSError:
            if not path.exists():  # else it was taken in this very moment
                raise
    raise UserError(f"{wanted.parent} already holds a thousand runs of this name; tidy it up.")


def write_text(path: Path, text: str) -> None:
    r"""Write `text` as UTF-8, atomically; what is no text in a file's name as \udcXX."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file of a run holds.

    Raises:
        UserError: the file is missing or damaged.
    """
    content = read_whole(path, LARGEST_JSON)
    try:
        value = json.loads(content.decode(TEXT), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({error}); restore it from a copy.") from None
    if not isinstance(value, dict):
        raise UserError(f"{path} is damaged (it holds no settings); restore it from a copy.")
    return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def read_whole(path: Path, most: int) -> bytes:
    """The content of a file of a run, which may have been made by anybody.

    Args:
        path: that must be a file: reading a pipe or a device would never end.
        most: bytes that it may have.

    Raises:
        UserError: it is missing, may not be read, is no file, or is larger.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise UserError(f"{path} is not a file; the run folder is damaged.")
        if about.st_size > most:
            raise UserError(
                f"{path} is damaged ({about.st_size} bytes are more than such a file has)."
            )
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"{path} is missing; the run folder is incomplete, copy it again or train anew."
        ) from None
    except PermissionError:
        raise UserError(f"{path} may not be read; check its permissions.") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); copy it again.") from None


def fingerprint(path: Path) -> str:
    """The SHA-256 of what a file holds."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def settings_digest(settings: Mapping[str, Any]) -> str:
    """The SHA-256 of settings as such: neither their order nor an editor's spaces count."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def described(inputs: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """Name of an input -> its absolute path and, of a file, the SHA-256 of what it holds."""
    found = {}
    for name, path in inputs.items():
        found[name] = {"path": str(path)}
        with contextlib.suppress(OSError):
            found[name] = {"path": str(path.absolute()), "sha256": fingerprint(path)}
    return found


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write named tensors as safetensors, atomically."""
    from safetensors.torch import save

    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(plain))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """What `write_tensors` wrote, on the CPU and in memory of its own.

    Not on another device, because some have no float64. Not mapped from the file either, as
    `safetensors.torch.load_file` has it: a run that goes on replaces the files that it was read
    from, which Windows refuses while they are mapped.

    Raises:
        UserError: the file is missing, may not be read or is damaged.
    """
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load

    try:
        if path.is_file() and path.stat().st_size > SMALL:
            _refuse_more_than_memory(path)
            with safe_open(path, "pt"):  # reads the list of tensors alone: is it of this file?
                pass
        return load(read_whole(path, LARGEST_TENSORS))
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError, struct.error) as error:
        raise UserError(
            f"{path} is damaged ({error}); restore it from a copy or train anew."
        ) from None


def make_own_folder(path: Path) -> Path:
    """Create a folder for results; a link that leads elsewhere is not followed.

    Raises:
        UserError: it is a link, or cannot be created or written to.
    """
    if path.is_symlink():
        raise UserError(f"{path} is a link; results are not written through it, remove it.")
    return make_folder(path, "copy the run to a place of your own")


def _refuse_more_than_memory(path: Path) -> None:
    import torch

    from consingan.machine.memory import refuse_beyond_free

    needed = 2 * path.stat().st_size
    what = f"The tensors of {path}"
    refuse_beyond_free(needed, torch.device("cpu"), what, "a machine with more")


def make_folder(path: Path, remedy: str = "choose another place") -> Path:
    """Create a folder and those above it.

    Args:
        path: of the folder.
        remedy: what the user can do where that is not allowed.

    Raises:
        UserError: it cannot be created or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if above := next((p for p in (path, *path.parents) if _is_in_the_way(p)), None):
            what = "a file" if os.path.exists(above) else "a link that leads nowhere"  # noqa: PTH110
            raise UserError(
                f"The folder {path} cannot be created: {above} is {what}; rename or delete it."
            ) from None
        raise UserError(
            f"The folder {path} cannot be created ({error.strerror}); {remedy}."
        ) from None
    if not os.access(path, os.W_OK):
        raise UserError(f"The folder {path} cannot be written to; {remedy}.")
    return path


def _is_in_the_way(path: Path) -> bool:
    """Whether something is there that is no folder; False where that cannot be found out."""
    return os.path.lexists(path) and not os.path.isdir(path)  # noqa: PTH112 - is_dir may raise
