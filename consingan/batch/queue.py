"""Work on every picture of a folder, one after the other, whatever happens to one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from consingan.images.names import shown

Result = TypeVar("Result")


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What became of one picture: a result, or the error that it ended with."""

    image: Path
    result: Result | None = None
    error: Exception | None = None


def work_through(
    images: Sequence[Path], work: Callable[[Path], Result], say: Callable[[str], None]
) -> Iterator[Outcome[Result]]:
    """Call `work` with one picture after the other; its error ends that picture, not the queue.

    A KeyboardInterrupt, which is the user's wish to stop and no error, comes through.
    """
    for number, image in enumerate(images):
        say(f"[{number + 1}/{len(images)}] {shown(image.name)}")
        try:
            outcome = Outcome(image, work(image))
        except Exception as error:  # whatever it was, the others can be worked on
            outcome = Outcome(image, error=error)
        yield outcome
