"""What the commands say when something goes wrong: a sentence and an exit code, no traceback."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import click

from consingan.api.advice import advice, file_advice, place
from consingan.errors import UserError, gpu_failure, out_of_memory
from consingan.machine.program import go_on_command
from consingan.settings.config import Config

USER_ERROR, FAILURE, STOPPED = 2, 1, 130
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
PATIENCE = 1.0  # seconds


def _write_anything() -> None:
    """Let output that a terminal or a file cannot show (an arrow, a file's name) become a "?"."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


@contextlib.contextmanager
def friendly() -> Iterator[None]:
    """Turn what a user can mend into a sentence and exit code 2, warnings into lines."""
    _write_anything()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        click.echo(f"Note: {message}", err=True)

    with warnings.catch_warnings():
        warnings.filterwarnings("default", category=UserWarning, module="consingan")
        warnings.showwarning = show
        try:
            with _heeding_break(), _insistent():
                yield
        except UserError as error:
            click.echo(f"Error: {error}", err=True)
            raise SystemExit(USER_ERROR) from None
        except (IsADirectoryError, NotADirectoryError) as error:
            click.echo(
                f"Error: {place(error)} is in the way ({error.strerror}); move it and try again.",
                err=True,
            )
            raise SystemExit(USER_ERROR) from None
        except (MemoryError, RuntimeError, OSError) as error:
            advice = _machine_advice(error)
            if advice is None:
                raise
            click.echo(f"Error: {advice}", err=True)
            raise SystemExit(_code_of(error)) from None
        except KeyboardInterrupt:
            click.echo("\nStopped.", err=True)
            raise SystemExit(STOPPED) from None


@contextlib.contextmanager
def _heeding_break() -> Iterator[None]:
    """Take Ctrl+Break of Windows for Ctrl+C: it is what one process can send another there."""
    number = getattr(signal, "SIGBREAK", None)
    if number is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_DFL if before is None else before)


@contextlib.contextmanager
def _insistent() -> Iterator[None]:
    """Repeat Ctrl+C each second until it is heeded: libraries swallow it while they are loaded."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    here = threading.current_thread() is threading.main_thread()
    if not (usual and here and hasattr(signal, "setitimer")):
        yield
        return

    def again(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    def pressed(number: int, frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE)
        again(number, frame)

    before = signal.signal(signal.SIGALRM, again)
    signal.signal(signal.SIGINT, pressed)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGALRM, before)


def _code_of(error: Exception) -> int:
    """The exit code: whose permissions are missing is for the user to mend."""
    forbidden = isinstance(error, OSError) and error.errno in FORBIDDEN
    return USER_ERROR if forbidden else FAILURE


def _machine_advice(error: Exception) -> str | None:
    """What to do about the machine's failures outside of a training; None for a bug."""
    if out_of_memory(error):
        return "There is not enough memory; make smaller pictures, or fewer at a time."
    if why := gpu_failure(error):
        return f"The GPU failed ({why}); if it does so again, use --device cpu."
    if isinstance(error, OSError) and error.errno is not None and error.errno != errno.EPIPE:
        return file_advice(error)
    return None


def guarded(function: Callable[..., None]) -> Callable[..., None]:
    """Run a command under `friendly`."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        with friendly():
            function(*args, **kwargs)

    return wrapper


@contextlib.contextmanager
def explained(run: Path) -> Iterator[None]:
    """Say how a training ended early and how to go on; exit with a code that is not zero."""
    from consingan.errors import DivergedError, InterruptedRunError

    resume = go_on_command(run)
    try:
        yield
    except InterruptedRunError as stop:
        click.echo(f"\nStopped; the state is saved. Go on with: {resume}", err=True)
        raise SystemExit(128 + stop.number) from None
    except KeyboardInterrupt:
        click.echo(f"\nStopped at once. Go on from the last save: {resume}", err=True)
        raise SystemExit(STOPPED) from None
    except UserError:
        if run.exists():
            raise
        _say_gone(run, resume)
    except DivergedError as error:
        words = advice(error, _config_of(run))
        click.echo(f"Error: {words} The last good state is kept in {run}.", err=True)
        raise SystemExit(FAILURE) from None
    except (MemoryError, RuntimeError, OSError) as error:
        words = advice(error, _config_of(run))
        if words is None:
            raise
        if isinstance(error, FileNotFoundError) and not run.exists():
            _say_gone(run, resume)
        click.echo(f"Error: {words} Then go on with: {resume}", err=True)
        raise SystemExit(_code_of(error)) from None


def _say_gone(run: Path, resume: str) -> None:
    """What a training ends with whose folder was renamed or deleted meanwhile."""
    click.echo(
        f"Error: {run} is not there any more: it was renamed, moved or deleted. Give it its name "
        f"back, then go on from the last save with: {resume}",
        err=True,
    )
    raise SystemExit(USER_ERROR)


def _config_of(run: Path) -> Config | None:
    """The settings that a run is trained with, where its folder can say so."""
    from consingan.runs.folder import RunFolder

    try:
        return RunFolder.open(run).config
    except (UserError, OSError):
        return None
