"""What a training far from the study sends home, and how it is laid down there."""

from __future__ import annotations

import io
import tarfile
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from consingan.batch import travel
from consingan.batch.travel import Depot, Sender, unpack


class Near:
    """A depot as Ray shows it, in this process; `names` are those that were sent, call by call."""

    def __init__(self, folder: Path) -> None:
        self.depot = Depot(str(folder))
        self.names: list[list[str]] = []
        self.take = self

    def remote(self, name: str, content: bytes, there: list[str]) -> Any:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            self.names.append(archive.getnames())
        self.depot.take(name, content, there)
        return self

    def future(self) -> Future[None]:
        done: Future[None] = Future()
        done.set_result(None)
        return done


@pytest.fixture
def far(tmp_path: Path) -> Path:
    """A training's folder, far away."""
    folder = tmp_path / "far" / "job"
    for name in ("job.json", "a/run/manifest.json", "a/run/resume.safetensors", "a/run/.lock"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def contents(folder: Path) -> dict[str, str]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_text() for p in files}


def test_what_is_new_travels_and_what_is_gone_goes(far: Path, tmp_path: Path) -> None:
    near = Near(tmp_path)
    sender = Sender("job", near)
    sender(far)
    assert near.names == [["a/run/resume.safetensors", "a/run/manifest.json", "job.json"]]
    (far / "job.json").write_text("newer")
    (far / "a/run/resume.safetensors").unlink()
    sender(far)
    assert near.names[1] == ["job.json"]
    assert contents(tmp_path / "job") == {
        "job.json": "newer", "a/run/manifest.json": "a/run/manifest.json",
    }  # fmt: skip


def test_states_travel_now_and_then_and_at_the_end(
    far: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(travel.time, "monotonic", lambda: now[0])
    near = Near(tmp_path)
    sender = Sender("job", near)
    sender(far)
    for moment, state in ((1.0, "second"), (travel.SEND_EVERY, "third")):
        now[0] = moment
        (far / "a/run/resume.safetensors").write_text(state)
        sender(far)
    assert near.names[1:] == [[], ["a/run/resume.safetensors"]]
    (far / "a/run/resume.safetensors").write_text("the last")
    sender.send(far)
    assert contents(tmp_path / "job")["a/run/resume.safetensors"] == "the last"


def test_what_is_there_comes_back(far: Path, tmp_path: Path) -> None:
    unpack(Depot(str(far.parent)).give("job"), tmp_path / "other")
    assert contents(tmp_path / "other").keys() == contents(far).keys() - {"a/run/.lock"}
    unpack(Depot(str(far.parent)).give("not begun"), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_nothing_is_written_outside_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "evil").write_text("x")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(tmp_path / "evil", "../outside")
    unpack(buffer.getvalue(), tmp_path / "inside")
    assert not (tmp_path / "outside").exists()
