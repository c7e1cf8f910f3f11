"""What the page says in place: sentences, and errors as the sentences of the library."""

from __future__ import annotations

import functools
import inspect
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any

from consingan.errors import UserError, gpu_failure, out_of_memory
from consingan.web.fields import with_labels

# Before a visitor's file: folders of our own, whose names are digests, and for each a fresh one.
ROOT = r"([A-Za-z]:)?[/\\]"
PLACE = re.compile(
    rf"(?<!\S){ROOT}((?! {ROOT}).)*?[/\\][0-9a-f]{{16,64}}[/\\](\w+_\d{{16,}}[/\\])?"
)


def told(*lines: str) -> str:
    """Lines for the visitor, as HTML; whatever they hold is shown as text."""
    shown = (escape(with_labels(line)) for line in lines)
    return "".join(f'<p role="status" class="told">{line}</p>' for line in shown)


def refused(sentence: str) -> str:
    """Why something was not done, as HTML."""
    return f'<p role="alert" class="refused">{escape(with_labels(sentence))}</p>'


def notes(lines: Iterable[str]) -> list[str]:
    """Of what a command would print, what is to be heeded."""
    return [line.removeprefix("Note: ") for line in lines if line.startswith("Note:")]


def answering(message: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a handler's errors become a sentence in the component `message`.

    Args:
        message: a component that shows HTML, among the handler's outputs; the handler gives back
            {component: value}.
    """

    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def once(*args: Any, **kwargs: Any) -> Any:
            try:
                return handler(*args, **kwargs)
            except Exception as error:  # a page must answer, whatever happens
                return {message: refused(sentence_of(error))}

        @functools.wraps(handler)
        def again_and_again(*args: Any, **kwargs: Any) -> Iterator[Any]:
            try:
                yield from handler(*args, **kwargs)
            except Exception as error:
                yield {message: refused(sentence_of(error))}

        return again_and_again if inspect.isgeneratorfunction(handler) else once

    return decorate


def sentence_of(error: Exception) -> str:
    """What a visitor can do about an error; a bug is printed where the page was started."""
    if isinstance(error, UserError):
        return PLACE.sub("", str(error))
    if out_of_memory(error):
        return "There is not enough memory; make smaller pictures, or fewer at a time."
    if why := gpu_failure(error):
        return f"The GPU failed ({why}); end this page's program and start it anew."
    if isinstance(error, OSError) and error.errno is not None:
        name = Path(str(error.filename)).name if error.filename else "A file"
        return f"{name} cannot be read or written ({error.strerror})."
    traceback.print_exception(error)
    return f"This should not have happened ({type(error).__name__}: {error}); please report it."
