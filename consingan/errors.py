"""The one exception that means "the user can mend this"."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can mend: one sentence that says what is wrong and what to do.

    The command line prints the sentence and exits with code 2; from Python it is an ordinary
    exception. Anything else that is raised is a bug of this program.
    """


class DivergedError(Exception):
    """A loss, a weight or an optimizer's moment stopped being finite.

    Attributes:
        stage: counted from 0; the sentence counts from 1, as the progress does.
        iteration: of the stage, counted from 1; 0: before the first.
        what: is not finite, in words.
    """

    def __init__(self, stage: int, iteration: int, what: str) -> None:
        super().__init__(f"{what} is not finite at stage {stage + 1}, iteration {iteration}")
        self.stage, self.iteration, self.what = stage, iteration, what


class InterruptedRunError(KeyboardInterrupt):
    """The user or the system asked the run to stop; its state is saved.

    A KeyboardInterrupt, because that is what it is for a program that uses the Python API.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by signal {number}")
        self.number = number


def out_of_memory(error: Exception) -> bool:
    """Whether `error` is about memory, which torch says in several ways."""
    text = str(error).lower()
    signs = ("out of memory", "allocate", "alloc_failed", "unable to find an engine")
    return isinstance(error, MemoryError) or any(sign in text for sign in signs)


def gpu_failure(error: Exception) -> str:
    """What the driver says of a GPU that failed, was taken away or slept; "" where it is a bug.

    A process for which it failed once gets nothing more from it.
    """
    text = str(error).partition("\n")[0]
    signs = ("unknown error", "launch failure", "launch timed out", "uncorrectable", "unavailable")
    driver = isinstance(error, RuntimeError) and text.startswith(("CUDA error", "HIP error"))
    return text if driver and any(sign in text for sign in signs) else ""


def without_frames(error: Exception) -> Exception:
    """The same error to be kept: without the frames behind it, which hold all that they worked on.

    A training's networks would stay in memory as long as the error that ended it.
    """
    error.__traceback__ = error.__context__ = error.__cause__ = None
    return error
