"""The files of a run's folder, and which of them holds what."""

from __future__ import annotations

import re
from pathlib import Path

from consingan.errors import UserError

EVALUATION = "Evaluation"

RESUME = "resume.safetensors"
PYRAMID = "pyramid.safetensors"
START = "start.safetensors"
WEIGHTS = "weights.safetensors"  # in each stage's folder
ANCHOR = "anchor.safetensors"


def lacks(path: Path, wanted: str) -> UserError:
    """The error for a file that holds no tensor called `wanted`."""
    return UserError(
        f"{path} is damaged (it holds no {wanted}); restore it from a copy or train anew."
    )


def file_of(tensor: str, otherwise: str | None) -> str:
    """The file of a run in which a tensor is to be found."""
    if tensor.startswith("anchor."):
        return f"{tensor.split('.')[1]}/{ANCHOR}"
    return PYRAMID if tensor.startswith(("real.", "source")) else otherwise or PYRAMID


def file_named_in(reason: str) -> str | None:
    """The file of the tensor that an error's words name, if they do."""
    found = re.search(r"\b(real|anchor)\.\d+", reason)
    return file_of(found.group(), None) if found else None
