"""One process trains in a run's folder, a second one is told so, a dead one does not count."""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import main_train
from filelock import FileLock
from helpers import (
    StopAt,
    environment,
    execution,
    make_job,
    new_folder,
    only_run,
    resume_to_end,
)

from consingan.errors import InterruptedRunError, UserError
from consingan.machine import locking
from consingan.runs.folder import RunFolder
from consingan.training import resume
from consingan.training.loop import Trainer
from consingan.training.session import Session

HOLDER = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1], timeout=0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    job = make_job(train_stages=2)
    folder = new_folder(tmp_path, job)
    with pytest.raises(InterruptedRunError):
        Session(Trainer(job.training), folder, [StopAt(1)]).run()
    return folder.path


@contextlib.contextmanager
def held_elsewhere(run: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the lock of `run`; it imports no torch, which takes seconds."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(run / locking.LOCK)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process


def test_a_second_process_gets_one_sentence(stopped: Path) -> None:
    content = {p: p.read_bytes() for p in stopped.rglob("*") if p.is_file()}
    with held_elsewhere(stopped):
        second = main_train("--resume", "--model_dir", stopped, "--no_tensorboard")
    assert second.exit_code == 2
    (line,) = second.stderr.splitlines()
    assert re.fullmatch(
        r"Error: Another process is training in .*; wait .* or stop it first\.", line
    )
    assert str(stopped) in line
    assert {p: p.read_bytes() for p in stopped.rglob("*") if p.is_file()} == content


def test_a_half_written_file_of_the_first_process_is_left_to_it(stopped: Path) -> None:
    half = stopped / ".resume.safetensors.1.tmp"
    half.write_bytes(b"half")
    with held_elsewhere(stopped), pytest.raises(UserError, match="Another process"):
        resume.resume(RunFolder.open(stopped), execution())
    assert half.is_file()


def test_a_killed_process_does_not_count(stopped: Path) -> None:
    with held_elsewhere(stopped) as process:
        process.kill()
        process.wait()
        assert process.returncode in (-getattr(signal, "SIGKILL", 9), 1)
        resume_to_end(stopped)
    assert RunFolder(stopped).manifest["status"] == "finished"


def test_a_session_holds_its_folder_from_the_first_to_the_last_record(tmp_path: Path) -> None:
    job = make_job(train_stages=1)
    folder = new_folder(tmp_path, job)
    refused = []

    class Intruder:
        def observe(self, record: object, trainer: object) -> None:
            with pytest.raises(UserError) as caught:
                resume.resume(RunFolder.open(folder.path), execution())
            refused.append(str(caught.value))

    Session(Trainer(job.training), folder, [Intruder()]).run()
    assert len(refused) == 1 + 3 + 1
    assert all("Another process is training" in sentence for sentence in refused)
    with RunFolder(folder.path).locked():  # given back
        pass


def test_a_session_that_is_refused_changes_nothing(stopped: Path) -> None:
    folder = RunFolder.open(stopped)
    trainer, seconds = resume.resume(folder, execution())
    before = folder.manifest
    with held_elsewhere(stopped), pytest.raises(UserError, match="Another process"):
        Session(trainer, folder, (), None, seconds).run()
    assert folder.manifest == before


def test_another_thread_is_refused_and_the_same_one_is_not(stopped: Path) -> None:
    folder = RunFolder.open(stopped)
    with folder.locked(), folder.locked():
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            attempt = pool.submit(resume.resume, folder, execution())
            assert isinstance(attempt.exception(), UserError)
        resume.resume(folder, execution())
    resume_to_end(stopped)


def test_a_finished_run_keeps_no_lock(stopped: Path) -> None:
    resume_to_end(stopped)
    assert not (stopped / locking.LOCK).exists()
    with pytest.raises(UserError, match="is finished"):
        resume.resume(RunFolder.open(stopped), execution())
    assert not (stopped / locking.LOCK).exists()


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "No locks"), NotImplementedError("flock")])
def test_a_disk_without_locks_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def acquire(self: FileLock, timeout: float) -> None:
        raise error

    monkeypatch.setattr(FileLock, "acquire", acquire)
    job = make_job(train_stages=1)
    folder = new_folder(tmp_path, job)
    with pytest.warns(UserWarning, match="cannot be locked: take care"):
        Session(Trainer(job.training), folder).run()
    assert RunFolder(only_run(tmp_path)).manifest["status"] == "finished"


def test_a_folder_that_may_not_be_written_is_no_disk_without_locks(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def acquire(self: FileLock, timeout: float) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(FileLock, "acquire", acquire)
    with pytest.raises(PermissionError), RunFolder(stopped).locked():
        pass
