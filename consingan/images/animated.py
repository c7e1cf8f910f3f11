"""GIF and animated WebP, written frame by frame: a long film takes no more memory than a short one.

Pillow compresses each frame as a picture of its own; here it is taken out of that file and put into
the film's (GIF89a specification, sections 17 to 27; WebP container specification, "Animation").
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Frame = np.ndarray[Any, np.dtype[np.uint8]]  # (h, w, 3)
HUNDREDTHS = 100  # of a second, in which a GIF counts
FASTEST = 2  # of them: what is shorter, players show as a tenth of a second
LONGEST = 2**24 - 1  # milliseconds that a WebP can show a frame
NO_FRAME = "a film needs at least one frame"


def gif_delay(fps: float) -> int:
    """Hundredths of a second for which a GIF shows each frame, the nearest to `fps` that works."""
    return min(max(round(HUNDREDTHS / fps), FASTEST), 0xFFFF)


def gif_fps(fps: float) -> float:
    """Frames a second that a GIF really shows where `fps` is asked for."""
    return HUNDREDTHS / gif_delay(fps)


def milliseconds(frame: int, fps: float) -> int:
    """For which a WebP shows frame number `frame`, so that all before and it last as they should.

    Rounded each by itself, 24 frames a second would be 23.8.
    """
    return min(round(1000 * (frame + 1) / fps) - round(1000 * frame / fps), LONGEST)


def write_gif(path: Path, frames: Iterable[Frame], fps: float) -> None:
    """Write an endless GIF, each frame with 256 colors of its own.

    Raises:
        ValueError: there is no frame.
    """
    control = b"\x21\xf9\x04\x04" + struct.pack("<H", gif_delay(fps)) + b"\0\0"
    again_and_again = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
    count = 0
    with path.open("wb") as file:
        for count, frame in enumerate(frames, 1):
            if count == 1:
                height, width = frame.shape[:2]
                file.write(b"GIF89a" + struct.pack("<HH", width, height) + b"\x70\0\0")
                file.write(again_and_again)
            file.write(control + _gif_image(_encoded(frame, "GIF", interlace=False)))
        file.write(b"\x3b")
    if not count:
        raise ValueError(NO_FRAME)


def _gif_image(content: bytes) -> bytes:
    """The image of a GIF with one frame, its table of colors made the frame's own."""
    table = content[10]
    colors = 3 * 2 ** ((table & 7) + 1)
    start = 13 + colors
    while content[start] == 0x21:  # extensions: a label, then blocks that begin with their length
        start += 2
        while content[start]:
            start += content[start] + 1
        start += 1
    place, packed = content[start : start + 9], content[start + 9]
    own = bytes([packed & 0x40 | 0x80 | table & 7])
    return place + own + content[13 : 13 + colors] + content[start + 10 : -1]


def write_webp(path: Path, frames: Iterable[Frame], fps: float) -> None:
    """Write an endless animated WebP.

    Raises:
        ValueError: there is no frame.
    """
    size = (0, 0)
    with path.open("wb") as file:
        for number, frame in enumerate(frames):
            if size == (0, 0):
                size = (frame.shape[1], frame.shape[0])
                file.write(b"RIFF\0\0\0\0WEBP")
                canvas = b"\x02\0\0\0" + b"".join(_three_bytes(side - 1) for side in size)
                file.write(_chunk(b"VP8X", canvas) + _chunk(b"ANIM", bytes(6)))
            place = bytes(6) + b"".join(_three_bytes(side - 1) for side in size)
            picture = b"".join(_webp_images(_encoded(frame, "WEBP")))
            replacing = b"\x02"  # what was there, instead of being laid over it
            duration = _three_bytes(milliseconds(number, fps))
            file.write(_chunk(b"ANMF", place + duration + replacing + picture))
        if size == (0, 0):
            raise ValueError(NO_FRAME)
        length = file.tell()
        file.seek(4)
        file.write(struct.pack("<I", length - 8))


def _webp_images(content: bytes) -> Iterator[bytes]:
    """Chunks of a WebP with one frame that hold its pixels."""
    start = 12
    while start < len(content):
        name, (length,) = content[start : start + 4], struct.unpack_from("<I", content, start + 4)
        end = start + 8 + length + length % 2
        if name in (b"VP8 ", b"VP8L", b"ALPH"):
            yield content[start:end]
        start = end


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _three_bytes(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _encoded(frame: Frame, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, kind, **options)
    return buffer.getvalue()
