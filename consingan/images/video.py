"""Films: GIF, animated WebP and MP4, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import itertools
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import features
from torch import Tensor

from consingan.errors import UserError
from consingan.images.animated import NO_FRAME, gif_fps, write_gif, write_webp
from consingan.images.io import to_pixels
from consingan.machine.extras import FFMPEG, installing, needed
from consingan.machine.files import atomic_path


def write_animation(path: Path, frames: Iterable[Tensor], fps: float) -> None:
    """Write frames (1, 3, h, w) in [-1, 1] as GIF, animated WebP or MP4, by the suffix of `path`.

    Raises:
        UserError: the suffix is unknown, or MP4 is asked for without imageio-ffmpeg.
    """
    suffix = path.suffix.lower()
    if suffix not in _WRITERS:
        raise UserError(f"{path.name}: animations are written as gif, webp or mp4.")
    require_writer(suffix)
    pixels = (to_pixels(frame) for frame in frames)
    with atomic_path(path) as temporary:
        _WRITERS[suffix](temporary, pixels, fps)


def speed_note(suffix: str, fps: float) -> str:
    """A sentence where a film of this kind cannot have `fps` frames a second, or ""."""
    real = gif_fps(fps)
    if suffix.lower() != ".gif" or math.isclose(real, fps):
        return ""
    return (
        f"A GIF counts in hundredths of a second: it shows {real:.4g} frames a second, not "
        f"{fps:g}; --video webp or mp4 can."
    )


def _write_mp4(path: Path, frames: Iterator[np.ndarray[Any, Any]], fps: float) -> None:
    """Write frame by frame, without the odd row or column: a long film does not fit into memory."""
    import imageio_ffmpeg

    first = next(frames, None)
    if first is None:
        raise ValueError(NO_FRAME)
    height, width = (side // 2 * 2 for side in first.shape[:2])
    writer = imageio_ffmpeg.write_frames(
        path, (width, height), fps=fps, macro_block_size=2,
        output_params=["-f", "mp4"],  # the temporary file's name does not say it
    )  # fmt: skip
    count = 0
    with contextlib.closing(writer):
        writer.send(None)
        for frame in itertools.chain([first], frames):
            pixels = np.ascontiguousarray(frame[:height, :width])
            with _failure_of_ffmpeg(path):
                writer.send(pixels)
            count += 1
    with _failure_of_ffmpeg(path):  # what fails at the very end is not told
        if imageio_ffmpeg.count_frames_and_secs(str(path))[0] != count:
            raise RuntimeError("frames are missing")


@contextlib.contextmanager
def _failure_of_ffmpeg(path: Path) -> Iterator[None]:
    """Say in a sentence that a film could not be written; ffmpeg itself has said why."""
    try:
        yield
    except (OSError, RuntimeError):
        raise OSError(errno.EIO, "ffmpeg failed; is the disk full?", str(path)) from None


_WRITERS = {".gif": write_gif, ".webp": write_webp, ".mp4": _write_mp4}


def require_writer(suffix: str) -> None:
    """Make sure that films of a kind can be written here, before the first frame is made.

    Raises:
        UserError: what it needs is missing; the sentence says how to get it.
    """
    if check := _NEEDS.get(suffix.lower()):
        check()


def require_ffmpeg() -> None:
    """Make sure that MP4 can be written.

    Raises:
        UserError: the optional package is missing or too old, or the program in it is missing.
    """
    otherwise = " (or choose gif or webp)"
    with needed(FFMPEG, "MP4 needs", otherwise):
        import imageio_ffmpeg
    try:
        imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        raise UserError(
            f"imageio-ffmpeg finds no ffmpeg program here; run: {installing(FFMPEG)}{otherwise}."
        ) from None


def _require_webp() -> None:
    if not features.check("webp"):
        raise UserError(
            "This build of Pillow writes no WebP; run: pip install --force-reinstall pillow (or "
            "choose gif or mp4)."
        )


_NEEDS = {".mp4": require_ffmpeg, ".webp": _require_webp}
