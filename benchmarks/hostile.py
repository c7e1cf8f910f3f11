"""Feed damaged pictures to the reader: no traceback, no hang, memory bounded.

    python benchmarks/hostile.py                 # 10,000 pictures of seven formats
    python benchmarks/hostile.py --count 200

Pictures of every kind are made, changed in ways that files get damaged or forged in, and read, in
processes of their own, which may crash, hang or grow without harm to this one. What is not read is
to be one sentence. Seeds are fixed: picture K is the same in every run.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

ROOT = Path(__file__).resolve().parents[1]
FORMATS = ("png", "jpeg", "webp", "tiff", "deep_tiff", "bmp", "gif")
SECONDS = 20  # of processor time that one picture may take
MEMORY = 3 * 2**30  # bytes that the whole process may take; the limit of pixels takes half
BATCH = 500
SIDES = (7, 64)  # px


def main() -> None:
    """Read the damaged pictures in processes and print what became of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000, help="how many pictures")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--keep", type=Path, help="folder for the files that failed")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.first, options.count)
        return
    outcomes = try_all(options.first, options.count, options.keep)
    print(summary(outcomes))
    raise SystemExit(any(outcome["failure"] for outcome in outcomes))


def try_all(first: int, count: int, keep: Path | None = None) -> list[dict]:
    """What became of pictures `first` to `first + count`, one dictionary each."""
    outcomes: list[dict] = []
    while len(outcomes) < count:
        done = len(outcomes)
        outcomes += try_batch(first + done, min(BATCH, count - done))
    for outcome in outcomes:
        if keep and outcome["failure"]:
            keep.mkdir(parents=True, exist_ok=True)
            kind, data = damaged(outcome["number"])
            (keep / f"{outcome['number']}.{kind}").write_bytes(data)
    return outcomes


def try_batch(first: int, count: int) -> list[dict]:
    """The same in one process, up to the picture that ended it."""
    command = [sys.executable, __file__, "--worker", "--first", str(first), "--count", str(count)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    made = subprocess.run(command, capture_output=True, env=environment, check=False)
    lines = [line for line in made.stdout.decode().splitlines() if line.startswith("{")]
    outcomes = [json.loads(line) for line in lines]
    if made.returncode > 0:
        raise RuntimeError(made.stderr.decode())
    if made.returncode:
        number = first + len(outcomes)
        ended = signal.Signals(-made.returncode).name
        words = f"{'hangs' if ended == 'SIGXCPU' else ended}: {made.stderr.decode()[-300:]}"
        outcomes.append(outcome_of(number, damaged(number)[0], "", words))
    elif made.stderr:
        for outcome in outcomes[:1]:
            outcome["failure"] = f"something was printed: {made.stderr.decode()[:300]}"
    return outcomes


def work(first: int, count: int) -> None:
    """Read pictures and print a line of JSON about each."""
    resource.setrlimit(resource.RLIMIT_AS, (2 * MEMORY, 2 * MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        for number in range(first, first + count):
            kind, data = damaged(number)
            path.write_bytes(data)
            used = int(time.process_time())
            resource.setrlimit(resource.RLIMIT_CPU, (used + SECONDS, resource.RLIM_INFINITY))
            result, failure = read(path)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            if peak > MEMORY:
                failure = failure or f"memory: {peak / 2**30:.1f} GiB"
            print(
                json.dumps({**outcome_of(number, kind, result, failure), "peak": peak}), flush=True
            )


def read(path: Path) -> tuple[str, str]:
    """What becomes of one file, and what is wrong about that."""
    from consingan.errors import UserError
    from consingan.images.io import read_picture

    try:
        picture = read_picture(path)
    except UserError as error:
        text = str(error)
        one = text.endswith(".") and "\n" not in text and path.name in text
        return "refused", "" if one else f"no sentence: {text}"
    except BaseException as error:
        return "traceback", f"{type(error).__name__}: {error}"
    finite = bool(picture.image.isfinite().all())
    result = "read with notes" if picture.notes else "read"
    return result, "" if finite else "the picture is not finite"


def outcome_of(number: int, kind: str, result: str, failure: str) -> dict:
    """One picture's line."""
    return {"number": number, "kind": kind, "result": result, "failure": failure, "peak": 0}


def summary(outcomes: list[dict]) -> str:
    """How many were read and refused, by format, and each failure."""
    counts = Counter((outcome["kind"], outcome["result"]) for outcome in outcomes)
    lines = [f"{len(outcomes)} pictures"]
    for kind in FORMATS:
        each = [f"{n} {result}" for (k, result), n in sorted(counts.items()) if k == kind]
        lines.append(f"  {kind}: {', '.join(each)}")
    lines.append(f"peak memory: {max(o['peak'] for o in outcomes) / 2**20:.0f} MiB")
    failures = [outcome for outcome in outcomes if outcome["failure"]]
    lines.append(f"failures: {len(failures)}")
    lines += [f"  {o['number']} ({o['kind']}): {o['failure']}" for o in failures]
    return "\n".join(lines)


def damaged(number: int) -> tuple[str, bytes]:
    """The format and the bytes of picture `number`."""
    rng = np.random.default_rng([20, number])
    kind = FORMATS[number % len(FORMATS)]
    data = bytearray(whole(kind, rng))
    for _ in range(rng.integers(1, 4)):
        data = MUTATIONS[rng.integers(len(MUTATIONS))](data, rng)
    if kind == "png" and rng.random() < 0.7:
        data = mend_checksums(data)  # or nothing but the checksum would ever be tried
    return kind, bytes(data)


def whole(kind: str, rng: np.random.Generator) -> bytes:
    """A picture of a format, of one of the many kinds that it has."""
    height, width = (int(side) for side in rng.integers(*SIDES, 2))
    if kind == "png" and rng.random() < 0.3:
        return deep_png(height, width, rng)
    if kind == "deep_tiff":
        return deep_tiff(height, width, rng)
    pixels = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    if rng.random() < 0.5:
        pixels[...] = np.linspace(0, 255, width, dtype=np.uint8)[:, None]
    mode = MODES[kind][rng.integers(len(MODES[kind]))]
    image = in_mode(pixels, mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, **saving(kind, mode, image, rng))
    return buffer.getvalue()


MODES = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "jpeg": ("L", "RGB", "CMYK"),
    "webp": ("RGB", "RGBA"), "tiff": ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "LAB"),
    "bmp": ("1", "L", "P", "RGB", "RGBA"), "gif": ("L", "P", "RGB", "RGBA"),
}  # fmt: skip


def deep_tiff(height: int, width: int, rng: np.random.Generator) -> bytes:
    """A TIFF as scientific programs write it."""
    import tifffile

    dtype = np.dtype(("u2", "i2", "u4", "f4", "f8", "u1", "f2")[rng.integers(7)])
    bands = (1, 3, 4, 5)[rng.integers(4)]
    values = rng.random((height, width, bands)) * (200 if dtype.kind == "u" else 4000)
    options: dict = {"photometric": "rgb" if bands in (3, 4) else "minisblack"}
    if rng.random() < 0.5:
        options["compression"] = "zlib"
        fit = dtype.itemsize <= 4 and dtype.kind != "f"
        options["predictor"] = bool(rng.random() < 0.5 and fit)
    if rng.random() < 0.3:
        options["tile"] = (16, 16)
    deep = values.astype(dtype)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, deep if bands > 1 else deep[:, :, 0], **options)
    return buffer.getvalue()


def deep_png(height: int, width: int, rng: np.random.Generator) -> bytes:
    """A PNG with colors of 16 bit, which Pillow cannot write."""
    channels = int(rng.integers(2, 5))
    rows = rng.integers(0, 256, (height, 1 + width * channels * 2), dtype=np.uint8)
    rows[:, 0] = rng.integers(0, 5, height)
    header = struct.pack(">IIBBBBB", width, height, 16, (0, 0, 4, 2, 6)[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n"
    for name, content in chunks:
        data += struct.pack(">I", len(content)) + name + content
        data += struct.pack(">I", zlib.crc32(name + content))
    return data


def in_mode(pixels: np.ndarray, mode: str) -> Image.Image:
    """Pixels (H, W, 4) as a picture of one of Pillow's modes."""
    if mode == "I;16":
        return Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 20)
    if mode == "LAB":
        return Image.frombytes("LAB", pixels.shape[1::-1], pixels[:, :, :3].tobytes())
    image = Image.fromarray(pixels)
    return image.convert("RGB").convert(mode) if mode == "CMYK" else image.convert(mode)


def saving(kind: str, mode: str, image: Image.Image, rng: np.random.Generator) -> dict:
    """Compression, further pages, profile and rotation of a file."""
    options: dict = {}
    compressions = (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")
    if kind == "tiff":
        options["compression"] = compressions[rng.integers(4)]
    several = kind in ("gif", "tiff", "webp", "png") and mode not in ("I;16", "LAB")
    if several and rng.random() < 0.3:
        options |= {"save_all": True, "append_images": [image.rotate(90 * k) for k in (1, 2)]}
    if rng.random() < 0.2 and kind in ("png", "jpeg", "tiff", "webp"):
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        options["icc_profile"] = bytes(srgb)
    if rng.random() < 0.2 and kind in ("png", "jpeg", "webp"):
        exif = Image.Exif()
        exif[274] = int(rng.integers(1, 9))
        options["exif"] = exif
    return options


Mutation = Callable[[bytearray, np.random.Generator], bytearray]


def flip_bits(data: bytearray, rng: np.random.Generator) -> bytearray:
    """A few bits anywhere."""
    for place in rng.integers(0, max(len(data), 1) * 8, rng.integers(1, 12)):
        if data:
            data[place // 8 % len(data)] ^= 1 << (place % 8)
    return data


def set_head(data: bytearray, rng: np.random.Generator) -> bytearray:
    """Bytes of the first 200, where sizes and types are."""
    for _ in range(rng.integers(1, 6)):
        data[rng.integers(0, max(1, min(200, len(data))))] = rng.integers(0, 256)
    return data


def set_number(data: bytearray, rng: np.random.Generator) -> bytearray:
    """A 16- or 32-bit number becomes an extreme one, of either order of bytes."""
    order, code = "<>"[rng.integers(2)], "HI"[rng.integers(2)]
    top = 65535 if code == "H" else 2**32 - 1
    value = (0, 1, top, top // 2, top // 2 + 1, 70_000 % (top + 1), 9000, 255)[rng.integers(8)]
    place = rng.integers(0, max(1, min(len(data), 400) - 4))
    struct.pack_into(f"{order}{code}", data, place, value) if len(data) > place + 4 else None
    return data


def set_last(data: bytearray, rng: np.random.Generator) -> bytearray:
    """Numbers near the end, where TIFF has its directory."""
    for _ in range(rng.integers(1, 6)):
        place = len(data) - 1 - rng.integers(0, max(1, min(300, len(data))))
        data[place] = (0, 1, 255, rng.integers(0, 256))[rng.integers(4)]
    return data


def cut(data: bytearray, rng: np.random.Generator) -> bytearray:
    """The end is missing."""
    return data[: rng.integers(1, len(data) + 1)]


def drop(data: bytearray, rng: np.random.Generator) -> bytearray:
    """A piece in the middle is missing."""
    start = rng.integers(0, len(data))
    return data[:start] + data[start + rng.integers(1, 40) :] or bytearray(b"\0")


def insert(data: bytearray, rng: np.random.Generator) -> bytearray:
    """A piece too much."""
    start = rng.integers(0, len(data))
    return data[:start] + bytearray(rng.bytes(int(rng.integers(1, 40)))) + data[start:]


def repeat(data: bytearray, rng: np.random.Generator) -> bytearray:
    """A piece over and over."""
    start, length = rng.integers(0, len(data)), rng.integers(1, 80)
    return data[:start] + data[start : start + length] * int(rng.integers(2, 40)) + data[start:]


def blank(data: bytearray, rng: np.random.Generator) -> bytearray:
    """A piece of zeros, as a broken disk leaves it."""
    start = rng.integers(0, len(data))
    end = min(len(data), start + rng.integers(1, 200))
    data[start:end] = bytes(end - start)
    return data


def head_of_another(data: bytearray, rng: np.random.Generator) -> bytearray:
    """The beginning of a picture of another format, as if renamed or joined."""
    other = whole(FORMATS[rng.integers(len(FORMATS))], rng)
    length = int(rng.integers(2, 64))
    return bytearray(other[:length]) + data[length:] or bytearray(b"\0")


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits, set_head, set_number, set_number, set_last, cut, drop, insert, repeat, blank,
    head_of_another,
)  # fmt: skip


def mend_checksums(data: bytearray) -> bytearray:
    """Make the checksums of a PNG's chunks right, as far as there are chunks."""
    place = 8
    with contextlib.suppress(struct.error):
        while place + 12 <= len(data):
            (length,) = struct.unpack_from(">I", data, place)
            end = place + 8 + length
            if end + 4 > len(data):
                break
            struct.pack_into(">I", data, end, zlib.crc32(data[place + 4 : end]))
            place = end + 4
    return data


if __name__ == "__main__":
    main()
