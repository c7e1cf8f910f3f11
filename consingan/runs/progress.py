"""How far a training is, as it notes down itself while it runs, for whoever looks from outside."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import platform
import signal
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout

from consingan.errors import UserError
from consingan.machine.files import atomic_path
from consingan.machine.locking import LOCK, lock_of

PROGRESS = "progress.json"
LARGEST = 2**12  # bytes


@dataclass(frozen=True)
class Progress:
    """Where a training is.

    Attributes:
        stage, iteration: counted from 1, of `stages` and of the stage's `iterations`.
        done: share of all work, 0 to 1.
        left: seconds to the end; None while that is not known.
        process: number of the process that trains, on `machine`.
    """

    stage: int
    stages: int
    iteration: int
    iterations: int
    done: float
    left: float | None
    process: int = dataclasses.field(default_factory=os.getpid)
    machine: str = dataclasses.field(default_factory=platform.node)


def write_progress(run: Path, progress: Progress) -> None:
    """Note it down; a full disk must not end a training that it only tells of."""
    with contextlib.suppress(OSError), atomic_path(run / PROGRESS) as temporary:
        temporary.write_text(json.dumps(dataclasses.asdict(progress)), encoding="utf-8")


def remove_progress(run: Path) -> None:
    """The training has ended."""
    with contextlib.suppress(OSError):
        (run / PROGRESS).unlink()


def read_progress(run: Path) -> Progress | None:
    """What a training notes down now; None where none runs, or where it cannot be read."""
    try:
        text = (run / PROGRESS).read_bytes()[:LARGEST].decode("utf-8")
        progress = Progress(**json.loads(text))
        sound = 0 <= progress.done <= 1 and progress.process > 0
        whole = (progress.stage, progress.stages, progress.iteration, progress.iterations)
        sound = sound and all(type(number) is int for number in (*whole, progress.process))
        sound = sound and (progress.left is None or 0 <= progress.left < math.inf)
    except (OSError, ValueError, TypeError):
        return None
    return progress if sound and _is_running(run, progress) else None


def stop_training(run: Path) -> None:
    """Do what Ctrl+C does where the training was started: it saves its state and ends.

    Raises:
        UserError: none runs in the folder, it runs on another machine, or it cannot be reached.
    """
    progress = read_progress(run)
    if progress is None:
        raise UserError(f"No training runs in {run}; look again.")
    if progress.machine != platform.node():
        raise UserError(f"The training runs on {progress.machine}; stop it there.")
    try:
        os.kill(progress.process, getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
    except ProcessLookupError:  # it has just ended
        return
    except OSError:  # of another user; on Windows of another console
        raise UserError(
            f"The training in {run} cannot be stopped from here; stop it in the terminal where "
            "it was begun."
        ) from None


def _is_running(run: Path, progress: Progress) -> bool:
    """Whether the process is there and holds the run's lock; what was killed left its notes."""
    here = progress.machine == platform.node()
    return not (here and not _is_alive(progress.process)) and _is_locked(run)


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # where signal 0 would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def _is_locked(run: Path) -> bool:
    if not (run / LOCK).exists():
        return False
    try:
        with lock_of(run).acquire():
            return False
    except Timeout:
        return True
    except (OSError, NotImplementedError):  # where files cannot be locked
        return True
