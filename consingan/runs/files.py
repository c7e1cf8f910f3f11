"""The files of a run's folder, and which of them holds what."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from consingan.errors import UserError, out_of_memory

EVALUATION = "Evaluation"

CONFIG = "config.json"
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


@contextlib.contextmanager
def misfits_explained(run: Path, name: str | None, otherwise: str) -> Iterator[None]:
    """Turn what a method says of tensors that do not fit into the user's words.

    Args:
        run: the folder.
        name: the file that is to blame where the error does not say.
        otherwise: the file where neither says.

    Raises:
        UserError: in place of a KeyError or RuntimeError.
    """
    try:
        yield
    except KeyError as error:
        raise lacks(run / file_of(str(error.args[0]), name), error.args[0]) from None
    except RuntimeError as error:
        if out_of_memory(error):
            raise
        reason = str(error).splitlines()[0].rstrip(":")
        path = run / (file_named_in(reason) or name or otherwise)
        raise UserError(f"{path} does not fit its config.json ({reason}).") from None
