"""Whatever a decoder does, the reader gives one sentence and nothing is printed."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pictures import COMPRESSIONS, H, W, lzw_tiff, png16, ramp, texture, tiff
from PIL import Image

from consingan.errors import UserError
from consingan.images import decode as decoding
from consingan.images.decode import decode
from consingan.images.folder import look_into
from consingan.images.io import read_picture
from consingan.images.png import unfilter
from consingan.images.segments import known_to_pillow
from consingan.images.tiff import read_tiff

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("division by zero"), TypeError("two\nlines"), RecursionError(), KeyError(3)],
)
def test_any_failure_of_a_decoder_is_one_sentence(tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(decoding, "read_with_pillow", fail)
    path = tmp_path / "x.png"
    Image.new("L", (3, 3)).save(path)
    with pytest.raises(UserError, match=r"^[^\n]*x\.png is damaged[^\n]*save it anew\.$"):
        decode(path)


def test_too_little_memory_is_a_sentence(tmp_path, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(decoding, "read_with_pillow", fail)
    path = tmp_path / "x.png"
    Image.new("L", (3, 3)).save(path)
    with pytest.raises(UserError, match="does not fit into this machine's memory"):
        decode(path)


@pytest.mark.parametrize("kind", ["logged by tifffile", "printed by libtiff"])
def test_decoders_print_nothing(tmp_path, kind):
    """In a process of its own, whose error stream is looked at, of libraries in C as well."""
    if kind == "logged by tifffile":
        path = tiff(tmp_path / "x.tif", ramp(0, 900, "u2"))
        data = bytearray(path.read_bytes())
        data[-60:-20] = bytes(range(40))
    else:
        path = lzw_tiff(tmp_path / "x.tif", ramp(0, 900, "u2")[..., None])
        data = bytearray(path.read_bytes())
        data[12:60] = b"\xff" * 48
    path.write_bytes(data)
    code = (
        "import sys\nfrom consingan.errors import UserError\n"
        "from consingan.images.decode import decode\nfrom pathlib import Path\n"
        "try:\n    decode(Path(sys.argv[1]))\nexcept UserError:\n    pass\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    made = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, env=environment, check=True
    )
    assert made.stdout + made.stderr == b""


class Watched:
    """A lock that says when somebody has to wait for it."""

    def __init__(self, lock: Any) -> None:
        self.lock, self.awaited = lock, threading.Event()

    def __enter__(self) -> None:
        if not self.lock.acquire(blocking=False):
            self.awaited.set()
            self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_threads_that_read_at_once_leave_the_process_as_it_was(tmp_path, monkeypatch):
    """The second begins while the first is silent, and ends after it."""
    path = tiff(tmp_path / "x.tif", ramp(0, 900, "u2"))
    lock = Watched(decoding._ALONE)
    order: list[str] = []
    silent = threading.Event()

    def read(path: Path, page: int) -> Any:
        name = threading.current_thread().name
        order.append(f"{name} begins")
        silent.set()
        assert name != "first" or lock.awaited.wait(60)
        order.append(f"{name} ends")
        return read_tiff(path, page)

    monkeypatch.setattr(decoding, "_ALONE", lock)
    monkeypatch.setattr(decoding, "read_tiff", read)
    before = os.fstat(2), list(warnings.filters), logging.getLogger("PIL").propagate
    first = threading.Thread(target=decode, args=(path,), name="first")
    first.start()
    assert silent.wait(60)
    second = threading.Thread(target=decode, args=(path,), name="second")
    second.start()
    first.join()
    second.join()
    assert order == ["first begins", "first ends", "second begins", "second ends"]
    after = os.fstat(2), list(warnings.filters), logging.getLogger("PIL").propagate
    assert os.path.samestat(before[0], after[0])
    assert before[1:] == after[1:]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_fork_beside_a_thread_that_reads_can_read_and_speak(tmp_path):
    """In a process of its own; the thread goes on when the fork is under way."""
    path = tiff(tmp_path / "x.tif", ramp(0, 900, "u2"))
    code = (
        "import os, sys, threading\nfrom pathlib import Path\n"
        "from consingan.images import decode as decoding\n"
        "silent, forking, read = threading.Event(), threading.Event(), decoding.read_tiff\n"
        "def slow(*given):\n    silent.set()\n    forking.wait()\n    return read(*given)\n"
        "os.register_at_fork(before=forking.set)\n"
        "decoding.read_tiff = slow\n"
        "threading.Thread(target=decoding.decode, args=(Path(sys.argv[1]),)).start()\n"
        "silent.wait()\n"
        "if not os.fork():\n"
        "    decoding.decode(Path(sys.argv[1]))\n"
        "    os.write(2, b'heard')\n    os._exit(0)\n"
        "os._exit(os.waitstatus_to_exitcode(os.wait()[1]))\n"
    )
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(path)],
        capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120, check=True,
    )  # fmt: skip
    assert made.stderr == b"heard"


@pytest.mark.parametrize("claimed", [(9000, 9000, 8), (2, 2, 2)])
def test_room_is_made_only_for_what_is_there(tmp_path, claimed):
    """A directory that claims more pixels than the file holds is refused beforehand."""
    import tracemalloc

    path = tiff(tmp_path / "x.tif", ramp(0, 900, "u2"))
    if claimed[0] > W:
        data = bytearray(path.read_bytes())
        with tifffile.TiffFile(path) as file:
            for name in ("ImageWidth", "ImageLength"):
                tag = file.pages[0].tags[name]
                data[tag.valueoffset : tag.valueoffset + 2] = (9000).to_bytes(2, "little")
        path.write_bytes(data)
        tracemalloc.start()
        with pytest.raises(UserError, match="damaged or cut short"):
            decode(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 20e6
    else:
        assert decode(path).colors.shape == (H, W, 1)


@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("filters", range(6))
@pytest.mark.parametrize("interlaced", [False, True])
def test_deep_png_is_read_exactly(tmp_path, channels, filters, interlaced):
    values = np.random.default_rng(filters).integers(0, 65536, (13, 11, channels), dtype=np.uint16)
    raster = decode(png16(tmp_path / "x.png", values, filters, interlaced))
    colors = 1 if channels == 2 else 3
    assert np.array_equal(raster.colors, values[..., :colors])
    if channels == 3:
        shallow = np.asarray(Image.open(tmp_path / "x.png"))
        assert np.array_equal(shallow, values >> 8)
    else:
        assert np.array_equal(raster.alpha, values[..., -1])


def test_an_unknown_filter_is_refused():
    with pytest.raises(ValueError, match="unknown filter"):
        unfilter(np.array([0, 5], np.uint8), np.zeros((2, 3, 6), np.uint8))


@pytest.mark.parametrize(
    "dtype", ["u1", "u2", "i2", "u4", "u8", "f2", "f4", "f8", ">u2", ">f2", ">f4", ">f8"]
)
@pytest.mark.parametrize("predictor", [1, 2, 3])
@pytest.mark.parametrize("tile", [False, True])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_packed_tiffs_are_read_exactly_at_any_depth(tmp_path, dtype, predictor, tile, compression):
    if predictor == 3 and "f" not in dtype:
        pytest.skip("only floats have bytes by significance")
    values = (np.random.default_rng(0).random((32, 48, 3)) * 200).astype(dtype)
    if not known_to_pillow(COMPRESSIONS[compression]):
        pytest.skip("this Pillow was built without it")
    raster = decode(lzw_tiff(tmp_path / "x.tif", values, predictor, tile, compression))
    assert np.array_equal(raster.colors, values)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize("predictor", [1, 2, 3])
def test_floats_that_libtiff_wrote_are_read_exactly(tmp_path, compression, predictor):
    values = ramp(100, 900, "f4")
    path = tmp_path / "x.tif"
    Image.fromarray(values).save(path, compression=compression, tiffinfo={317: predictor})
    assert np.array_equal(decode(path).colors[..., 0], values)


def test_packbits_of_16_bit(tmp_path):
    values = ramp(0, 65535, "u2")
    Image.fromarray(values).save(tmp_path / "x.tif", compression="packbits")
    assert np.array_equal(decode(tmp_path / "x.tif").colors[..., 0], values)


@pytest.mark.parametrize("error", [ModuleNotFoundError("compression"), ValueError("imagecodecs")])
def test_zstd_is_read_whatever_tifffile_says_of_it(tmp_path, monkeypatch, error):
    """Which of the two depends on its release and Python's."""

    def fail(*_):
        raise error

    if not known_to_pillow(COMPRESSIONS["zstd"]):
        pytest.skip("this Pillow was built without it")
    monkeypatch.setattr(tifffile.TiffPage, "asarray", fail)
    path = lzw_tiff(tmp_path / "x.tif", texture().astype(">u2"), compression="zstd")
    assert np.array_equal(decode(path).colors, texture())


def claimed(path: Path, values: np.ndarray, compression: int) -> Path:
    """A TIFF that says of plain numbers that they are compressed."""
    tiff(path, values, photometric="rgb")
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages[0].tags["Compression"].overwrite(compression)
    return path


@pytest.mark.parametrize(
    ("compression", "dtype", "words"),
    [
        (34712, "u1", "compressed as JPEG2000, which"),
        (34887, "u2", "compressed as LERC, which"),
        (7, "u2", "compressed as JPEG of 16 bit in several bands, which"),
    ],
)
def test_what_cannot_be_unpacked_whole_is_named_and_never_read_as_8_bit(
    tmp_path, compression, dtype, words
):
    path = claimed(tmp_path / "x.tif", texture().astype(dtype), compression)
    with pytest.raises(UserError, match=rf"x\.tif is {words} cannot be read; save it with LZW"):
        decode(path)


def test_of_deep_cmyk_it_is_said_that_8_bit_are_read(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (H, W, 4), dtype=np.uint16)
    raster = decode(tiff(tmp_path / "x.tif", values, photometric="separated"))
    assert raster.notes == ("8 of its 16 bit are read",)


@pytest.mark.parametrize("name", ["x.jfif", "x.JPE", "x.apng", "x.dib", "x.btf", "x.mpo", "x.tif"])
def test_every_extension_that_is_read_when_named_is_found_in_a_folder(tmp_path, name):
    form = {"jfif": "jpeg", "jpe": "jpeg", "mpo": "jpeg", "apng": "png", "dib": "bmp"}
    path = tmp_path / name
    Image.fromarray(texture()).save(path, form.get(path.suffix[1:].lower(), "tiff"))
    assert read_picture(path).size == (H, W)
    assert look_into(tmp_path).pictures == (path,)
