"""The picture that results are held to (`--truth`), and what can be seen of it before they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

FAR = 0.1  # in [-1, 1], between the means of two copies of one picture


def truth_of(request: Any) -> dict[str, Path]:
    """The truth's file by its option; nothing where a request names none, or knows none."""
    named = getattr(request, "truth", "")
    return {"truth": Path(named)} if named else {}


def doubts(truth: Tensor, picture: Tensor) -> tuple[str, ...]:
    """What is to be said of a truth that is far brighter or darker than its picture.

    So it is where its numbers were read by a range that is not theirs.

    Args:
        truth: in [-1, 1].
        picture: the same part of what it is the truth of, in [-1, 1].
    """
    apart = float(truth.mean() - picture.mean())
    if not abs(apart) > FAR:  # or there is nothing to compare, and it is NaN
        return ()
    what = "brighter" if apart > 0 else "darker"
    return (
        f"the truth is much {what} than the picture, and scores are low for that: it is another "
        "one, or its black and white are other numbers than those of the training (--range).",
    )
