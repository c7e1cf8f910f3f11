"""Files of a run: what is said of those that cannot be written or read."""

from __future__ import annotations

import errno
import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
import torch

from consingan.errors import UserError
from consingan.machine import files, memory
from consingan.machine.files import (
    atomic_path,
    read_json,
    read_tensors,
    write_json,
    write_tensors,
    write_text,
)

READERS = {"json": read_json, "safetensors": read_tensors}
long_names = pytest.mark.skipif(os.name == "nt", reason="whole paths are short there")
readers = pytest.mark.parametrize("reader", READERS.values(), ids=READERS)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
def test_a_full_disk_names_the_file(tmp_path: Path, number: int) -> None:
    path = tmp_path / "weights.safetensors"

    def write() -> None:
        with atomic_path(path) as temporary:
            temporary.write_bytes(b"half")
            raise OSError(number, "No space")  # as writing raises it: it names no file

    with pytest.raises(OSError, match="No space") as caught:
        write()
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


@long_names
@pytest.mark.parametrize("name", [244 * "n" + ".png", 255 * "n", 127 * "é"])
def test_whatever_name_a_disk_takes_can_be_written(tmp_path: Path, name: str) -> None:
    left = tmp_path / temporary_name(tmp_path / name).replace(str(os.getpid()), "71")
    left.write_text("half")
    os.utime(left, (0, 0))
    write_text(tmp_path / name, "x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def temporary_name(path: Path) -> str:
    with atomic_path(path) as temporary:
        temporary.write_text("x")
        name = temporary.name
    path.unlink()
    files._left_behind.cache_clear()  # as in another process
    return name


@long_names
def test_names_alike_for_long_have_temporary_files_of_their_own(tmp_path: Path) -> None:
    names = {temporary_name(tmp_path / (250 * "n" + ending)) for ending in ("1.png", "2.png")}
    assert len(names) == 2


def test_what_a_killed_writer_left_goes_with_a_later_one_of_the_same_file(tmp_path: Path) -> None:
    left = {name: tmp_path / name for name in (".x.json.71.tmp", ".y.json.71.tmp", ".x.json.72.tmp",
                                               ".x.json.tmp", "x.json.71.tmp")}  # fmt: skip
    for name, path in left.items():
        path.write_text("half")
        if ".72." not in name:  # its writer may live, perhaps on another machine
            os.utime(path, (0, 0))
    (tmp_path / ".x.json.73.tmp").mkdir()
    os.utime(tmp_path / ".x.json.73.tmp", (0, 0))
    write_json(tmp_path / "x.json", {})
    assert {p.name for p in tmp_path.iterdir()} == {*left, "x.json", ".x.json.73.tmp"} - {
        ".x.json.71.tmp"
    }
    write_json(tmp_path / "y.json", {})
    assert not left[".y.json.71.tmp"].exists()


def test_a_missing_folder_is_named_as_python_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_text(tmp_path / "none" / "x", "")
    assert str(caught.value).endswith(f"{str(tmp_path / 'none' / 'x')!r}")


def test_an_error_that_names_another_file_keeps_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="other") as caught, atomic_path(tmp_path / "x"):
        raise OSError(errno.EIO, "other", "the/other/file")
    assert caught.value.filename == "the/other/file"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    (tmp_path / f".manifest.json.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space") as caught:
        write_json(path, {"a": 1})
    assert caught.value.filename == str(path)


@readers
def test_what_may_not_be_read_is_not_damaged(
    reader: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"{}")

    def refused(*_: Any) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(UserError, match="may not be read; check its permissions") as caught:
        reader(path)
    assert "damaged" not in str(caught.value)


@readers
def test_a_device_that_fails_is_not_damaged(
    reader: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"{}")

    def failing(*_: Any) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", failing)
    with pytest.raises(UserError, match="cannot be read"):
        reader(path)


@readers
def test_what_is_missing_is_missing(reader: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "x", tmp_path / "file" / "x"):
        with pytest.raises(UserError, match="is missing"):
            reader(path)


@readers
def test_only_files_are_read(reader: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a file"):
        reader(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(UserError, match="is not a file"):
            reader(tmp_path / "pipe")
    if Path("/dev/zero").exists():
        (tmp_path / "link").symlink_to("/dev/zero")
        with pytest.raises(UserError, match="is not a file"):
            reader(tmp_path / "link")


JSONS = {
    "empty": b"",
    "cut": b'{"a": 1',
    "deep": b'{"a":' + b"[" * 100_000,
    "no text": b"\xff\xfe\x00",
    "nan": b'{"a": NaN}',
    "infinite": b'{"a": -Infinity}',
    "endless number": b'{"a": ' + b"9" * 10_000 + b"}",
    "list": b"[1, 2]",
    "null": b"null",
}


@pytest.mark.parametrize("content", JSONS.values(), ids=JSONS)
def test_damaged_json_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged") as caught:
        read_json(path)
    assert "\n" not in str(caught.value)


def test_json_of_an_editor_of_windows_is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(b'\xef\xbb\xbf{\r\n"a": 1\r\n}\r\n')
    assert read_json(file) == {"a": 1}


def test_a_json_larger_than_any_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST_JSON", 10)
    (tmp_path / "x").write_text(json.dumps({"a": "long enough"}))
    with pytest.raises(UserError, match="more than such a file has"):
        read_json(tmp_path / "x")


def _file(header: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


TENSORS = {
    "empty": b"",
    "short": b"\x01\x02",
    "huge header": struct.pack("<Q", 2**60) + b"{}",
    "no json": struct.pack("<Q", 4) + b"abcd",
    "cut": _file({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, b"1234"),
    "more": _file({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"12345678"),
    "shape": _file({"a": {"dtype": "F32", "shape": [2**80], "data_offsets": [0, 4]}}, b"1234"),
    "dtype": _file({"a": {"dtype": "X99", "shape": [1], "data_offsets": [0, 4]}}, b"1234"),
    "backwards": _file({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, b"1234"),
}


@pytest.mark.parametrize("content", TENSORS.values(), ids=TENSORS)
@pytest.mark.parametrize("small", [0, files.SMALL])
def test_damaged_tensors_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, small: int
) -> None:
    monkeypatch.setattr(files, "SMALL", small)
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged"):
        read_tensors(path)


def test_tensors_that_do_not_fit_into_memory_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights.safetensors"
    write_tensors(path, {"a": torch.zeros(1000)})
    monkeypatch.setattr(files, "SMALL", 10)
    monkeypatch.setattr(memory, "free_memory", lambda _: 1000)
    with pytest.raises(UserError, match="of memory and"):
        read_tensors(path)


def test_large_tensors_are_read_like_small_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights.safetensors"
    write_tensors(path, {"a": torch.arange(1000)})
    monkeypatch.setattr(files, "SMALL", 10)
    assert torch.equal(read_tensors(path)["a"], torch.arange(1000))


def test_a_link_in_the_way_of_a_folder_is_told_from_a_file(tmp_path: Path) -> None:
    link = tmp_path / "runs"
    try:
        link.symlink_to(tmp_path / "unmounted")
    except OSError:
        pytest.skip("links are not allowed here")
    for folder in (link, link / "beach"):
        with pytest.raises(UserError, match=r"runs is a link that leads nowhere; rename or"):
            files.make_folder(folder)


def test_a_file_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "Evaluation").write_text("mine")
    for folder in (tmp_path / "Evaluation", tmp_path / "Evaluation" / "animations"):
        with pytest.raises(UserError, match=r"Evaluation is a file; rename or delete it\.$"):
            files.make_own_folder(folder)


def test_a_folder_of_too_long_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="choose another place"):
        files.make_folder(tmp_path / ("x" * 300))


def test_results_in_a_run_of_somebody_else_need_a_copy_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(UserError, match="copy the run to a place of your own"):
        files.make_own_folder(tmp_path / "Evaluation")
    with pytest.raises(UserError, match="choose another place"):
        files.make_folder(tmp_path / "runs")


def test_results_are_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "Evaluation").symlink_to("outside", target_is_directory=True)
    with pytest.raises(UserError, match="is a link"):
        files.make_own_folder(tmp_path / "Evaluation")
    assert files.make_own_folder(tmp_path / "other").is_dir()
