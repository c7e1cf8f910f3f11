"""What a failed cell says: one sentence with what to do, no traceback."""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from consingan.errors import DivergedError, UserError, gpu_failure, out_of_memory

P = ParamSpec("P")
R = TypeVar("R")


class CellError(Exception):
    """Ends a cell; IPython shows its sentence alone."""

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows instead of a traceback."""
        return [f"\x1b[31m{self}\x1b[0m"]


def fields_for_flags(sentence: str) -> str:
    """An error's sentence in the notebook's terms: its form fields are named as the flags."""
    return re.sub(r"--(?=[a-zA-Z])", "", sentence)


def explained(function: Callable[P, R]) -> Callable[P, R]:
    """End a cell with what to do about an error that the user can mend; bugs pass through."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with warnings.catch_warnings():
            warnings.showwarning = _note
            try:
                return function(*args, **kwargs)
            except UserError as error:
                raise CellError(fields_for_flags(str(error))) from None
            except KeyboardInterrupt:
                raise CellError(
                    "Stopped. Run the cell again when you like; a training goes on where it was."
                ) from None
            except DivergedError as error:
                raise CellError(
                    f"The training went astray: {error}. Try a smaller lr_scale or another seed, "
                    "and run the cell again."
                ) from None
            except (MemoryError, RuntimeError, OSError) as error:
                advice = _advice(error)
                if advice is None:
                    raise
                raise CellError(advice) from None

    return wrapper


def _advice(error: Exception) -> str | None:
    """What to do about a machine that is too small or fails; None for a bug."""
    if out_of_memory(error):
        return (
            "There is not enough memory. Use a smaller max_size, smaller sizes or fewer pictures, "
            "and run the cell again (after Runtime > Restart session if that is not enough)."
        )
    if why := gpu_failure(error):
        return (
            f"The GPU failed ({why}). Restart the session (Runtime > Restart session) and run the "
            "cell again."
        )
    if isinstance(error, OSError) and error.errno is not None:
        place = error.filename or "A file"
        return (
            f"{place} cannot be read or written ({error.strerror}). Make room there or choose "
            "another folder, and run the cell again."
        )
    return None


def _note(message: Warning | str, *_: object, **__: object) -> None:
    print(f"Note: {message}")
