"""What people brought is gone when the server ends, whoever ends it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from consingan.web.scratch import LOCK, NEW, ended_by_signals, scratch_folder

SERVER = """
import gc, signal, sys
from pathlib import Path
from consingan.web import serve

for name in ("SIGTERM", "SIGHUP"):  # one may be ignored here: under nohup
    signal.signal(getattr(signal, name), signal.SIG_DFL)

async def app(scope, receive, send):
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return

def made(place, root, scratch):
    (scratch / "brought.png").touch()
    Path(sys.argv[1], "began").touch()
    if sys.argv[3] == "begins":
        signal.raise_signal(int(sys.argv[2]))
    return app

def ask(_address):
    Server = serve.importlib.import_module("uvicorn").Server
    begin = Server.startup
    async def startup(self, **how):
        assert gc.get_freeze_count()  # else the end takes a second
        await begin(self, **how)
        signal.raise_signal(int(sys.argv[2]))
        signal.raise_signal(int(sys.argv[2]))
    Server.startup = startup

serve._app = made
serve.webbrowser.open = ask
serve.serve(serve.Place(port=0, output_dir=Path(sys.argv[1])), lambda line: None)
"""

SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.mark.skipif(os.name == "nt", reason="no process is told to end there, all are ended")
@pytest.mark.parametrize("when", ["begins", "serves"])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_server_that_is_told_to_end_leaves_nothing(tmp_path, number, when):
    pytest.importorskip("uvicorn")
    temporary, root = tmp_path / "temporary", tmp_path / "runs"
    temporary.mkdir()
    words = [sys.executable, "-c", SERVER, str(root), str(int(number)), when]
    ended = subprocess.run(words, env={**os.environ, "TMPDIR": str(temporary)}, check=False,
                           capture_output=True, text=True)  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (root / "began").is_file()
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no such signal there")
def test_what_is_ignored_stays_ignored_and_handlers_come_back():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    term = signal.getsignal(signal.SIGTERM)
    try:
        with ended_by_signals():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGTERM) != term
    finally:
        signal.signal(signal.SIGHUP, before)
    assert signal.getsignal(signal.SIGTERM) == term


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left(temporary: Path, name: str, lock: bool = True, old: bool = True) -> Path:
    """What a server left that was killed."""
    folder = temporary / name
    folder.mkdir()
    (folder / "brought.png").touch()
    if lock:
        (folder / LOCK).touch()
    age = 2 * NEW if old else 0.0
    os.utime(folder, (folder.stat().st_atime, folder.stat().st_mtime - age))
    return folder


def test_what_was_left_behind_goes_with_the_next_server(temporary):
    gone = left(temporary, "consingan-web-killed")
    with scratch_folder() as folder:
        assert not gone.exists()
        assert folder.is_dir()
    assert list(temporary.iterdir()) == []


def test_what_is_held_or_new_or_of_something_else_stays(temporary):
    stay = [
        left(temporary, "consingan-web-new", old=False),
        left(temporary, "consingan-web-other", lock=False),
        left(temporary, "something-else"),
    ]
    with FileLock(left(temporary, "consingan-web-held") / LOCK), scratch_folder():
        assert all((folder / "brought.png").is_file() for folder in stay)
        assert (temporary / "consingan-web-held" / "brought.png").is_file()


@pytest.mark.parametrize("name", ["SIGINT", "SIGALRM"])
def test_ctrl_c_that_is_repeated_does_not_end_the_clearing_up(temporary, monkeypatch, name):
    number, clear_up = getattr(signal, name, signal.SIGINT), shutil.rmtree

    def slowly(folder: Path, ignore_errors: bool) -> None:
        signal.raise_signal(number)
        clear_up(folder, ignore_errors)

    def end(*_: Any) -> None:
        raise RuntimeError("ended")

    monkeypatch.setattr(shutil, "rmtree", slowly)
    before = signal.signal(number, end)
    try:
        with scratch_folder():
            pass
        assert signal.getsignal(number) == end
    finally:
        signal.signal(number, before)
    assert list(temporary.iterdir()) == []


def test_a_server_that_is_killed_while_it_clears_up_is_cleared_up_after(temporary, monkeypatch):
    clear_up = shutil.rmtree

    def until_killed(folder: Path, ignore_errors: bool) -> None:
        if (folder / LOCK).exists():
            raise RuntimeError("killed")
        clear_up(folder, ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", until_killed)
    served = scratch_folder()
    folder = served.__enter__()
    (folder / "gradio").mkdir()
    (folder / "gradio" / "brought.png").touch()
    with pytest.raises(RuntimeError):
        served.__exit__(None, None, None)
    assert [path.name for path in folder.iterdir()] == [LOCK]


def test_a_folder_that_is_served_is_held(temporary):
    with scratch_folder() as folder:
        os.utime(folder, (0, 0))
        with scratch_folder():
            assert folder.is_dir()
