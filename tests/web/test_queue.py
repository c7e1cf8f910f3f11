"""One training at a time, begun as the ordinary command; what ends is told."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from consingan.errors import UserError
from consingan.web import queue
from consingan.web.queue import RUN, Trainings


class Process:
    """A command that has printed something and ends when it is told to."""

    begun: list[Process]
    printing = b""

    def __init__(self, words: list[str], stdout, **_: object) -> None:
        self.words, self.code, self.pid = words, None, len(Process.begun)
        stdout.write(self.printing)
        Process.begun.append(self)

    def poll(self) -> int | None:
        return self.code


@pytest.fixture
def trainings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trainings:
    monkeypatch.setattr(queue.subprocess, "Popen", Process)
    monkeypatch.setattr(Process, "begun", [], raising=False)
    return Trainings(tmp_path / "runs", tmp_path)


def test_the_second_waits_for_the_first(trainings):
    first = trainings.add("first", ("train", "--niter", "2"))
    second = trainings.add("second", ("train",))
    assert Process.begun[0].words == [sys.executable, "-m", "consingan", "train", "--niter", "2"]
    assert (trainings.current(), trainings.waiting()) == (first, [second])
    Process.begun[0].code = 0
    trainings.advance()
    assert (first.ended, trainings.current(), trainings.waiting()) == ("", second, [])


def test_it_is_known_what_waits_or_runs_until_it_has_ended(trainings):
    """Somebody who asks twice to go on with a run wants it once."""
    for name in ("first", "second"):
        trainings.add(name, ("train", "--resume", name))
    Process.begun[0].code = 0
    held = [trainings.holds(("train", "--resume", name)) for name in ("first", "second", "third")]
    assert held == [False, True, False]


def test_a_page_that_a_script_of_ones_own_serves_trains_by_that_script(tmp_path, monkeypatch):
    """Only it knows the task or the method that it adds."""
    monkeypatch.setattr(queue.subprocess, "Popen", Process)
    monkeypatch.setattr(Process, "begun", [], raising=False)
    monkeypatch.setattr(sys, "argv", ["mine/my_task.py", "web"])
    names = ("train", "evaluate", "web")
    group = click.Group("main", commands={name: click.Command(name) for name in names})
    with click.Context(group) as root, click.Context(group, root, "web"):
        trainings = Trainings(tmp_path / "runs", tmp_path)
    trainings.add("first", ("train",))
    script = str(Path("mine/my_task.py").absolute())
    assert Process.begun[0].words == [sys.executable, script, "train"]


def test_a_second_command_is_told_the_run_of_the_first(trainings, monkeypatch):
    monkeypatch.setattr(Process, "printing", b"run folder: /runs/cat/1\n")
    order = trainings.add("both", ("train",), ("evaluate", "--model_dir", RUN))
    Process.begun[0].code = 0
    trainings.advance()
    assert Process.begun[1].words[-2:] == ["--model_dir", "/runs/cat/1"]
    assert order.ended is None


def test_the_sentence_of_a_command_that_fails_is_kept_and_the_next_begins(trainings, monkeypatch):
    monkeypatch.setattr(Process, "printing", b"device cpu\nError: Do this.\n")
    order = trainings.add("wrong", ("train",), ("evaluate",))
    trainings.add("next", ("train",))
    Process.begun[0].code = 2
    trainings.advance()
    assert order.ended == "Do this."
    assert trainings.last() is order
    assert trainings.current().title == "next"


def test_one_that_cannot_begin_ends_with_a_sentence_and_the_next_begins(trainings, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "/tmp/logs/a.txt")

    with monkeypatch.context() as patched:
        patched.setattr(queue.subprocess, "Popen", full)
        order = trainings.add("first", ("train",))
    assert order.ended == "a.txt cannot be read or written (No space left on device)."
    second = trainings.add("second", ("train",))
    assert (trainings.current(), trainings.last()) == (second, order)


@pytest.mark.parametrize(("code", "told"), [
    (-9, "It was ended by SIGKILL, as happens where memory runs out."),
    (-11, "It was ended by SIGSEGV."),
    (-99, "It was ended by signal 99."),
    (3, "It ended with exit code 3: the last line"),
])  # fmt: skip
@pytest.mark.skipif(sys.platform == "win32", reason="knows no signals")
def test_how_a_command_ended_that_said_nothing_of_it(trainings, monkeypatch, code, told):
    monkeypatch.setattr(Process, "printing", b"run folder: here\nthe last line\n")
    order = trainings.add("first", ("train",))
    Process.begun[0].code = code
    trainings.advance()
    assert order.ended == told


def test_a_second_command_that_cannot_begin_ends_the_order(trainings, monkeypatch):
    refusals = [UserError("Full.")]

    def make_folder(path: Path) -> Path:
        if refusals:
            raise refusals.pop()
        return path

    order = trainings.add("both", ("train",), ("evaluate",))
    trainings.add("next", ("train",))
    Process.begun[0].code = 0
    monkeypatch.setattr(queue, "make_folder", make_folder)
    trainings.advance()
    assert order.ended == "Full."
    assert trainings.current().title == "next"


def test_the_folder_of_logs_may_have_gone(trainings, tmp_path):
    trainings.logs = tmp_path / "gone"
    assert trainings.add("first", ("train",)).ended is None


def test_the_queue_outlives_a_bug_and_tells_of_it_once(trainings, monkeypatch, capsys):
    looked: list[int] = []

    def advance() -> None:
        looked.append(1)
        if len(looked) == 5:
            raise KeyboardInterrupt
        raise ValueError("a bug")

    monkeypatch.setattr(queue, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(trainings, "advance", advance)
    with pytest.raises(KeyboardInterrupt):
        trainings._watch()
    assert len(looked) == 5
    assert capsys.readouterr().err.count("ValueError: a bug") == 1


@pytest.mark.parametrize("code", [130, -2])
def test_what_was_stopped_has_not_failed(trainings, code):
    order = trainings.add("stopped", ("train",), ("evaluate",))
    Process.begun[0].code = code
    trainings.advance()
    assert order.ended == ""
    assert len(Process.begun) == 1


def test_only_what_has_not_begun_is_taken_out(trainings):
    first, second = trainings.add("first", ("train",)), trainings.add("second", ("train",))
    trainings.drop(second.number)
    assert trainings.waiting() == []
    with pytest.raises(UserError, match="stop it instead"):
        trainings.drop(first.number)


@pytest.fixture
def signalled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Last words of the commands that were sent a signal, and which."""
    sent: list[tuple[str, int]] = []

    def send(process: Process, number: int) -> None:
        sent.append((process.words[-1], number))

    monkeypatch.setattr(Process, "send_signal", send, raising=False)
    return sent


def test_one_that_is_getting_ready_is_stopped_as_by_ctrl_c_and_once(trainings, signalled):
    with pytest.raises(UserError, match="No training is going on"):
        trainings.stop({})
    trainings.add("mine", ("train",))
    trainings.stop(trainings.going({}))
    trainings.stop(trainings.going({}))  # Ctrl+C twice would lose what was not saved
    assert signalled == [("train", signal.SIGINT)]


def test_a_second_click_stops_none_that_has_begun_since(trainings, signalled):
    trainings.add("first", ("train", "first"))
    trainings.add("second", ("train", "second"))
    shown = trainings.going({})
    trainings.stop(shown)
    Process.begun[0].code = 130
    trainings.advance()
    with pytest.raises(UserError, match="Another training has begun"):
        trainings.stop(shown)
    assert signalled == [("first", signal.SIGINT)]
    trainings.stop(trainings.going({}))
    assert signalled[1:] == [("second", signal.SIGINT)]


def test_trainings_of_a_study_in_one_process_are_stopped_each(trainings, monkeypatch):
    sent: list[Path] = []
    monkeypatch.setattr(
        "consingan.web.queue.read_progress", lambda _run: SimpleNamespace(process=7)
    )
    monkeypatch.setattr("consingan.web.queue.stop_training", sent.append)
    first, second = ({name: Path(name)} for name in ("first", "second"))
    monkeypatch.setattr(Trainings, "running", lambda self: first)
    seen = trainings.going(first)
    trainings.stop(seen)
    trainings.stop(seen)
    monkeypatch.setattr(Trainings, "running", lambda self: second)
    with pytest.raises(UserError, match="Another training has begun"):
        trainings.stop(seen)
    trainings.stop(trainings.going(second))
    assert sent == [Path("first"), Path("second")]


def test_a_training_that_somebody_else_began_is_waited_for(trainings, monkeypatch):
    busy = {"cat/1": Path("/runs/cat/1")}
    monkeypatch.setattr(Trainings, "running", lambda self: busy)
    order = trainings.add("mine", ("train",))
    assert order.process is None
    busy.clear()
    trainings.advance()
    assert order.process is not None


def another(trainings: Trainings) -> Trainings:
    """The queue of the next server, once the first has ended."""
    if trainings.kept.lock is not None:
        trainings.kept.lock.release()
    return Trainings(trainings.root, trainings.logs)


def taken_up(trainings: Trainings, monkeypatch: pytest.MonkeyPatch) -> Trainings:
    monkeypatch.setattr(queue.threading, "Thread", lambda **_: SimpleNamespace(start=lambda: None))
    trainings.watch()
    return trainings


def test_what_waits_is_taken_up_by_the_next_server(trainings, monkeypatch):
    taken_up(trainings, monkeypatch)
    trainings.add("runs", ("train",))
    trainings.add("waits", ("train", "--niter", "2"))
    trainings.add("dropped", ("train",))
    trainings.drop(3)
    after = taken_up(another(trainings), monkeypatch)
    assert [(o.title, o.commands) for o in after.waiting()] == [
        ("waits", (("train", "--niter", "2"),))
    ]
    after.advance()
    assert Process.begun[-1].words[-2:] == ["--niter", "2"]
    assert taken_up(another(after), monkeypatch).waiting() == []


def test_what_is_left_of_an_order_is_done_when_its_training_goes_on_alone(trainings, monkeypatch):
    monkeypatch.setattr(Process, "printing", b"run folder: /runs/cat/1\n")
    taken_up(trainings, monkeypatch)
    trainings.add("both", ("train",), ("evaluate", "--model_dir", RUN))
    trainings.advance()
    after = taken_up(another(trainings), monkeypatch)
    after.advance()
    assert Process.begun[-1].words[-3:] == ["evaluate", "--model_dir", "/runs/cat/1"]


def test_a_second_server_of_the_folder_takes_nothing_and_keeps_nothing(trainings, monkeypatch):
    taken_up(trainings, monkeypatch)
    trainings.add("runs", ("train",))
    trainings.add("waits", ("train",))
    second = taken_up(Trainings(trainings.root, trainings.logs), monkeypatch)
    assert second.orders == []
    second.add("mine", ("train",))
    kept = (trainings.root / "queue.json").read_text()
    assert "waits" in kept
    assert "mine" not in kept


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", '{"waiting": [{}]}', '{"waiting": 3}',
        '{"waiting": [{"title": "a", "commands": [["web", "--host", "0.0.0.0"]], "run": null}]}',
    ],
)  # fmt: skip
def test_a_damaged_or_foreign_file_of_orders_is_left_alone(trainings, monkeypatch, text):
    trainings.root.mkdir()
    (trainings.root / "queue.json").write_text(text)
    assert taken_up(trainings, monkeypatch).waiting() == []
