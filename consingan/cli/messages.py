"""What the commands say when something goes wrong: a sentence and an exit code, no traceback."""

from __future__ import annotations

import contextlib
import errno
import functools
import shlex
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from consingan.errors import UserError

USER_ERROR, FAILURE = 2, 1


@contextlib.contextmanager
def friendly() -> Iterator[None]:
    """Turn what a user can mend into a sentence and exit code 2, warnings into lines."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        click.echo(f"Note: {message}", err=True)

    with warnings.catch_warnings():
        warnings.filterwarnings("default", category=UserWarning, module="consingan")
        warnings.showwarning = show
        try:
            yield
        except UserError as error:
            click.echo(f"Error: {error}", err=True)
            raise SystemExit(USER_ERROR) from None
        except (MemoryError, RuntimeError, OSError) as error:
            advice = _machine_advice(error)
            if advice is None:
                raise
            click.echo(f"Error: {advice}", err=True)
            raise SystemExit(FAILURE) from None


def _machine_advice(error: Exception) -> str | None:
    """What to do about a full disk or too little memory outside of a training; None for a bug."""
    if _out_of_memory(error):
        return "There is not enough memory; make smaller pictures, or fewer at a time."
    if isinstance(error, OSError) and error.errno is not None and error.errno != errno.EPIPE:
        place = f"{error.filename} " if error.filename else "A file "
        return f"{place}cannot be read or written ({error.strerror}); mend that and try again."
    return None


def _out_of_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "allocate" in text


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
    from consingan.session import InterruptedRunError
    from consingan.trainer import DivergedError

    resume = f"python main_train.py --resume --model_dir {quoted(run)}"
    try:
        yield
    except InterruptedRunError as stop:
        click.echo(f"\nStopped; the state is saved. Go on with: {resume}", err=True)
        raise SystemExit(128 + stop.number) from None
    except KeyboardInterrupt:
        click.echo(f"\nStopped at once. Go on from the last save: {resume}", err=True)
        raise SystemExit(130) from None
    except DivergedError as error:
        click.echo(
            f"Error: {error}. The last good state is kept in {run}. Try --batch_norm, a smaller "
            "--lr_scale, or smaller --lr_g and --lr_d.",
            err=True,
        )
        raise SystemExit(FAILURE) from None
    except (MemoryError, RuntimeError, OSError) as error:
        advice = _advice(error)
        if advice is None:
            raise
        click.echo(f"Error: {advice} Then go on with: {resume}", err=True)
        raise SystemExit(FAILURE) from None


def _advice(error: Exception) -> str | None:
    """What to do about a machine that is too small; None for what is a bug."""
    if _out_of_memory(error):
        return (
            "there is not enough memory; close other programs, use --checkpointing, or train "
            "anew with a smaller --max_size or --nfc."
        )
    if isinstance(error, OSError) and error.errno is not None:
        return f"the run folder cannot be written ({error.strerror}); make room there."
    return None


def quoted(path: Path) -> str:
    """A path as it is typed in a shell."""
    return shlex.quote(str(path))
