"""Files become rasters here, and every failure of a decoder one sentence."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from consingan.errors import UserError
from consingan.images.names import refuse_address, shown
from consingan.images.pillow import formats, read_with_pillow
from consingan.images.png import is_deep_png, read_deep_png
from consingan.images.raster import PIXEL_LIMIT, Raster
from consingan.images.tiff import is_tiff, read_tiff
from consingan.machine.extras import HEIF, installing, needed

ERROR_STREAM = 2
LONGEST_REASON = 120  # characters of what a decoder says
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
SIGNATURES = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*", b"II+\0",
    b"MM\0+",
)  # fmt: skip
AVIF_BRANDS = (b"avif", b"avis")

# The error stream, filters of warnings and loggers are the whole process's: of two threads that
# read at once the second would put back, for good, what the first had set to silence.
_ALONE = threading.RLock()
if hasattr(os, "register_at_fork"):  # a child of a thread that reads would wait for ever
    os.register_at_fork(
        before=_ALONE.acquire, after_in_parent=_ALONE.release, after_in_child=_ALONE.release
    )


def decode(path: Path, page: int = 0) -> Raster:
    """One page of a picture file, see `Reading`.

    Raises:
        UserError: there is no such file or page, or it cannot be read.
    """
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        raise UserError(f"{shown(path)} is a folder; name a picture file.")
    if not os.path.isfile(path):  # noqa: PTH113
        refuse_address(path)
        raise UserError(f"There is no picture {shown(path)}; check the path.")
    with _sentences(path), _ALONE, _silence():
        if is_tiff(path):
            with _silent_libraries():
                raster = read_tiff(path, page) or read_with_pillow(path, page)
        elif is_deep_png(path):
            raster = read_deep_png(path)
        else:
            raster = read_with_pillow(path, page)
        if 0 in raster.colors.shape:
            raise ValueError("it has no pixels")
        return raster


@contextlib.contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Say in a sentence why a file cannot be read, whatever a decoder raises."""
    name = shown(path)
    try:
        yield
    except UserError as error:
        raise UserError(f"{name} {error}.") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise UserError(
            f"{name} claims more than {PIXEL_LIMIT // 1_000_000} million pixels; "
            "make it smaller first."
        ) from None
    except MemoryError:
        raise UserError(
            f"{name} does not fit into this machine's memory; make it smaller first."
        ) from None
    except UnidentifiedImageError:
        raise UserError(_unknown(path)) from None
    except PermissionError:
        raise UserError(f"{name} may not be read; check its permissions.") from None
    except Exception as error:  # decoders raise anything: zlib.error, TypeError, ZeroDivisionError
        reason = shown(str(error)).rstrip(".")[:LONGEST_REASON] or type(error).__name__
        raise UserError(f"{name} is damaged or cut short ({reason}); save it anew.") from None


def _unknown(path: Path) -> str:
    """Why a file is of no format that is read."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp" and head[8:12] in AVIF_BRANDS:
        return f"{shown(path)} is an AVIF picture; run: {installing('pillow>=11.3')}."
    heic = head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS
    if heic:
        with needed(HEIF, f"{shown(path)} is a HEIC picture, which needs"):
            import pillow_heif  # noqa: F401
    if heic or head.startswith(SIGNATURES):
        return f"{shown(path)} is damaged or cut short (only its head is whole); save it anew."
    if not head:
        return f"{shown(path)} is empty; name a picture file."
    return f"{shown(path)} is not a picture that can be read; use {', '.join(formats())}."


@contextlib.contextmanager
def _silent_libraries() -> Iterator[None]:
    """Keep from the terminal what libtiff, which is not Python, writes to the error stream."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a program without a terminal may have no such stream
            before = os.dup(ERROR_STREAM)
            stack.callback(os.close, before)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, nowhere)
            os.dup2(nowhere, ERROR_STREAM)
            stack.callback(os.dup2, before, ERROR_STREAM)
        yield


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what decoders log and warn of from the terminal: what matters becomes a sentence."""
    loggers = [logging.getLogger(name) for name in ("PIL", "tifffile")]
    quiet = logging.NullHandler()
    before = [logger.propagate for logger in loggers]
    for logger in loggers:
        logger.addHandler(quiet)
        logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.removeHandler(quiet)
            logger.propagate = propagate
